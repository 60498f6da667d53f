"""What a classifier of a long tail is good for, as functions of numpy arrays.

Most begin with `tally(predictions, labels, num_classes)`, and all can weigh
images: by a prior that one expects, or by many resamples at once, from which
`intervals` come. `measures` has all numbers of one model in one dict.
"""

from keras_lt.evaluation.calibration import (
    Reliability,
    expected_calibration_error,
    fit_temperature,
    reliability,
)
from keras_lt.evaluation.conformal import (
    SET_METHODS,
    cross_sets,
    prediction_sets,
    sets_by_group,
)
from keras_lt.evaluation.counting import (
    Tally,
    accuracy,
    balanced_accuracy,
    f1_scores,
    geometric_mean,
    group_accuracies,
    harmonic_mean,
    head_tail_mean,
    macro_f1,
    precisions,
    recalls,
    tally,
    worst_class,
    worst_tenth,
)
from keras_lt.evaluation.envelope import Winners, winners
from keras_lt.evaluation.imbalance import gini, pareto_ratio
from keras_lt.evaluation.mistakes import confused_pairs, confusion
from keras_lt.evaluation.priors import (
    expects_tail,
    power_prior,
    reweighted,
    shifted_accuracies,
    shifted_prior,
    weights_of_prior,
)
from keras_lt.evaluation.resampling import (
    Interval,
    bootstrap,
    intervals,
    mcnemar,
)
from keras_lt.evaluation.summary import NAMES, measures
from keras_lt.evaluation.values import (
    brier_scores,
    hits,
    log_losses,
    softmax,
)

__all__ = [
    "NAMES",
    "SET_METHODS",
    "Interval",
    "Reliability",
    "Tally",
    "Winners",
    "accuracy",
    "balanced_accuracy",
    "bootstrap",
    "brier_scores",
    "confused_pairs",
    "confusion",
    "cross_sets",
    "expected_calibration_error",
    "expects_tail",
    "f1_scores",
    "fit_temperature",
    "geometric_mean",
    "gini",
    "group_accuracies",
    "harmonic_mean",
    "head_tail_mean",
    "hits",
    "intervals",
    "log_losses",
    "macro_f1",
    "mcnemar",
    "measures",
    "pareto_ratio",
    "power_prior",
    "precisions",
    "prediction_sets",
    "recalls",
    "reliability",
    "reweighted",
    "sets_by_group",
    "shifted_accuracies",
    "shifted_prior",
    "softmax",
    "tally",
    "weights_of_prior",
    "winners",
    "worst_class",
    "worst_tenth",
]
