"""All numbers of one model in one dict."""

from collections.abc import Sequence

import numpy as np

from keras_lt.checking import checked
from keras_lt.evaluation import counting as t
from keras_lt.evaluation.calibration import expected_calibration_error
from keras_lt.evaluation.sums import weighted_mean
from keras_lt.evaluation.values import (
    brier_scores,
    check_probabilities,
    hits,
    log_losses,
)

# What `measures` gives, in the words of a report.
NAMES = {
    "overall": "Overall accuracy",
    "balanced": "Balanced accuracy",
    "many": "Many-shot accuracy",
    "medium": "Medium-shot accuracy",
    "few": "Few-shot accuracy",
    "head": "Accuracy of the head",
    "body": "Accuracy of the body",
    "tail": "Accuracy of the tail",
    "macro_f1": "Macro F1",
    "h_mean": "Harmonic mean of class accuracies",
    "g_mean": "Geometric mean of class accuracies",
    "head_tail": "Harmonic mean of first and last group",
    "worst_class": "Worst class",
    "worst_tenth": "Worst tenth of the classes",
    "top_5": "Top-5 accuracy",
    "ece": "Expected calibration error",
    "brier": "Brier score (0 to 2)",
    "nll": "Log loss (nats)",
}


@checked
def measures(
    probabilities: np.ndarray,
    labels: np.ndarray,
    class_counts: Sequence[int],
    *,
    weights: np.ndarray | None = None,
    groups: str = "shots",
) -> dict[str, np.ndarray]:
    """Measure answers in every way that there is.

    Args:
        probabilities: `(N, C)`.
        labels: Class ids `(N,)`.
        class_counts: *Training* images per class, length C.
        weights: Of the images: `(N,)` for another prior, see
            `weights_of_prior`, or `(R, N)` for resamples, see `bootstrap`;
            by default 1.
        groups: `"shots"` or `"thirds"`, see `groups.class_groups`.

    Returns:
        Numbers, or arrays `(R,)`, by the keys of `NAMES`. Groups without
        classes or images are absent, and so is top-5 of five classes or less.

    Raises:
        ValueError: if shapes do not fit, or these are no probabilities.

    Example:
        >>> found = measures([[0.8, 0.2], [0.6, 0.4]], [0, 1], [150, 3])
        >>> float(found["overall"]), float(found["few"])
        (0.5, 0.0)
    """
    probabilities, labels = check_probabilities(probabilities, labels)
    classes = probabilities.shape[1]
    if len(class_counts) != classes:
        raise ValueError(
            f"`class_counts` must have one number for each of {classes} "
            f"classes, got {len(class_counts)}"
        )
    counts = t.tally(probabilities.argmax(1), labels, classes, weights)
    found = {
        "overall": t.accuracy(counts),
        "balanced": t.balanced_accuracy(counts),
        **t.group_accuracies(counts, class_counts, groups),
        "macro_f1": t.macro_f1(counts),
        "h_mean": t.harmonic_mean(counts),
        "g_mean": t.geometric_mean(counts),
        "worst_class": t.worst_class(counts),
        "worst_tenth": t.worst_tenth(counts),
        "ece": expected_calibration_error(
            probabilities, labels, weights=weights
        ),
        "brier": weighted_mean(brier_scores(probabilities, labels), weights),
        "nll": weighted_mean(log_losses(probabilities, labels), weights),
    }
    head_tail = t.head_tail_mean(counts, class_counts, groups)
    if head_tail is not None:
        found["head_tail"] = head_tail
    if classes > 5:
        right = hits(probabilities, labels, top=5)
        found["top_5"] = weighted_mean(right, weights)
    return {name: found[name] for name in NAMES if name in found}
