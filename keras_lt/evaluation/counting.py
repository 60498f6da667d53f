"""Measures of answers: functions of how many images of each class are right.

scikit-learn has some of them, and they agree with it; these here take any
number of resamples at once, in the leading axes.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from keras_lt.checking import checked
from keras_lt.evaluation.sums import mean_of_known, sums_by
from keras_lt.evaluation.values import check_labels
from keras_lt.groups import class_groups


class Tally(NamedTuple):
    """Images of each class: rightly answered, all, and answered with it.

    Each is float64 `(..., C)`.
    """

    right: np.ndarray
    total: np.ndarray
    predicted: np.ndarray


@checked
def tally(
    predictions: np.ndarray,
    labels: np.ndarray,
    num_classes: int,
    weights: np.ndarray | None = None,
) -> Tally:
    """Count answers by class.

    Args:
        predictions: Class ids `(N,)`, such as `probabilities.argmax(1)`.
        labels: True class ids `(N,)`.
        num_classes: C.
        weights: Of the images `(..., N)`, >= 0; by default 1.

    Raises:
        ValueError: if the lengths differ, or an id is no class.

    Example:
        >>> found = tally(np.array([0, 1, 1]), np.array([0, 0, 1]), 2)
        >>> found.right.tolist(), found.total.tolist()
        ([1.0, 1.0], [2.0, 1.0])
    """
    predictions, labels = np.asarray(predictions), np.asarray(labels)
    if predictions.shape != labels.shape:
        raise ValueError(
            "`predictions` and `labels` must be as long as each other, got "
            f"{predictions.shape} and {labels.shape}"
        )
    check_labels(labels, num_classes)
    check_labels(predictions, num_classes)
    if weights is None:
        weights = np.ones(len(labels))
    return Tally(
        sums_by(labels, num_classes, weights * (predictions == labels)),
        sums_by(labels, num_classes, weights),
        sums_by(predictions, num_classes, weights),
    )


def recalls(counts: Tally) -> np.ndarray:
    """Class accuracies `(..., C)`; NaN for a class without images."""
    return _ratio(counts.right, counts.total)


def precisions(counts: Tally) -> np.ndarray:
    """Share of right ones among answers with a class; NaN without any."""
    return _ratio(counts.right, counts.predicted)


def f1_scores(counts: Tally) -> np.ndarray:
    """Harmonic mean of precision and recall `(..., C)`.

    NaN for a class without images; 0 for one that is never rightly answered.
    """
    both = counts.total + counts.predicted
    return np.where(counts.total > 0, _ratio(2 * counts.right, both), np.nan)


def accuracy(counts: Tally) -> np.ndarray:
    """Share of right answers: on a natural tail it rewards the head."""
    return counts.right.sum(-1) / counts.total.sum(-1)


def balanced_accuracy(counts: Tally) -> np.ndarray:
    """Mean class accuracy, over the classes with images."""
    return mean_of_known(recalls(counts))


def macro_f1(counts: Tally) -> np.ndarray:
    """Mean F1 score, over the classes with images."""
    return mean_of_known(f1_scores(counts))


def harmonic_mean(counts: Tally) -> np.ndarray:
    """Harmonic mean of class accuracies; 0 if one of them is."""
    found = recalls(counts)
    with np.errstate(divide="ignore"):
        return 1 / mean_of_known(1 / found)


def geometric_mean(counts: Tally) -> np.ndarray:
    """Geometric mean of class accuracies; 0 if one of them is."""
    with np.errstate(divide="ignore"):
        return np.exp(mean_of_known(np.log(recalls(counts))))


def worst_class(counts: Tally) -> np.ndarray:
    """Accuracy of the worst class."""
    return np.nanmin(recalls(counts), -1)


def worst_tenth(counts: Tally) -> np.ndarray:
    """Mean accuracy of the worst tenth of the classes, one at least."""
    found = np.sort(recalls(counts), -1)  # NaN come last
    number = np.ceil((~np.isnan(found)).sum(-1, keepdims=True) / 10)
    taken = np.arange(found.shape[-1]) < number
    return mean_of_known(np.where(taken, found, np.nan))


def group_accuracies(
    counts: Tally, class_counts: Sequence[int], groups: str = "shots"
) -> dict[str, np.ndarray]:
    """Mean class accuracy of each group that has classes with images.

    Args:
        counts: Of the answers.
        class_counts: *Training* images per class, length C.
        groups: `"shots"` or `"thirds"`, see `groups.class_groups`.

    Returns:
        By the name of the group: `"many"`, `"medium"`, `"few"`; or `"head"`,
        `"body"`, `"tail"`.
    """
    found = recalls(counts)
    means = {
        name: mean_of_known(found[..., members])
        for name, members in class_groups(class_counts, groups).items()
    }
    return {k: mean for k, mean in means.items() if not np.isnan(mean).all()}


def head_tail_mean(
    counts: Tally, class_counts: Sequence[int], groups: str = "shots"
) -> np.ndarray | None:
    """Harmonic mean of the first and last group's accuracy: 0 if one is.

    None where one of these groups is missing.
    """
    first, *_, last = class_groups(class_counts, groups)
    found = group_accuracies(counts, class_counts, groups)
    if not {first, last} <= found.keys():
        return None
    head, tail = found[first], found[last]
    mean = _ratio(2 * head * tail, head + tail)
    return np.where(head + tail > 0, mean, 0.0)[()]


def _ratio(above, below):
    """Quotient, and NaN where the divisor is 0."""
    return np.where(below > 0, above / np.where(below > 0, below, 1), np.nan)
