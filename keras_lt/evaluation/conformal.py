"""Sets of classes that hold the true one with a chosen probability."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_lt import stats
from keras_lt.checking import checked
from keras_lt.evaluation.sums import mean_of_known, sums_by
from keras_lt.evaluation.values import check_probabilities
from keras_lt.groups import class_groups

SET_METHODS = ("marginal", "class_conditional", "prior_adjusted")
Answered = tuple[np.ndarray, np.ndarray]  # probabilities (N, C), labels (N,)


@checked
def prediction_sets(
    probabilities: np.ndarray,
    calibration: Answered,
    class_counts: Sequence[int],
    *,
    method: str = "marginal",
    miss: float = 0.1,
) -> np.ndarray:
    """Sets of classes by split conformal prediction.

    The score of a class is `1 - p`, and a set holds the classes whose score is
    at most the quantile of the true classes' scores in the calibration images.

    Args:
        probabilities: Of the images to answer for `(N, C)`.
        calibration: Probabilities and labels of images that were neither
            trained on nor are judged.
        class_counts: Training images per class, length C, all > 0.
        method: `"marginal"`: the true class is in the set for `1 - miss` of
            the images; `"class_conditional"`: of each class, whose sets are
            large where it has few calibration images, and hold it always
            where these are too few; `"prior_adjusted"`: marginal, with `-p`
            over the class's share of the training images as score, which
            rare classes gain by.
        miss: Share of images whose set may miss the true class, in (0, 1).

    Returns:
        bool `(N, C)`.

    Raises:
        ValueError: if an argument is out of range.

    Source: Vovk et al., 2005; Sadinle et al., JASA 2019 (least ambiguous
        sets); Ding et al., 2025 (prevalence-adjusted softmax).
    """
    if method not in SET_METHODS:
        raise ValueError(f"`method` must be one of {SET_METHODS}, got {method}")
    if not 0 < miss < 1:
        raise ValueError(f"`miss` must be in (0, 1), got {miss}")
    known, labels = check_probabilities(*calibration)
    factor = np.ones(known.shape[1])
    if method == "prior_adjusted":
        counts = np.asarray(stats.check_class_counts(class_counts), "float64")
        factor = counts.sum() / counts
    own = -np.take_along_axis(known, labels[:, None], 1)[:, 0] * factor[labels]
    scores = -np.asarray(probabilities) * factor
    if method != "class_conditional":
        return scores <= _quantile(own, miss)
    limits = [_quantile(own[labels == c], miss) for c in range(len(factor))]
    return scores <= np.array(limits)


@checked
def cross_sets(
    probabilities: np.ndarray,
    labels: np.ndarray,
    class_counts: Sequence[int],
    *,
    method: str = "marginal",
    miss: float = 0.1,
    seed: int = 0,
) -> np.ndarray:
    """Sets for images of which each half calibrates the other one.

    For want of further images. Halves are drawn within each class.

    Args:
        probabilities: `(N, C)`.
        labels: Class ids `(N,)`.
        class_counts: See `prediction_sets`.
        method: The same.
        miss: The same.
        seed: Of the halves.
    """
    order = np.random.default_rng(seed).permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    halves = order[::2], order[1::2]
    sets = np.ones(probabilities.shape, bool)
    for half, other in (halves, halves[::-1]):
        if len(half) and len(other):
            sets[half] = prediction_sets(
                probabilities[half],
                (probabilities[other], labels[other]),
                class_counts,
                method=method,
                miss=miss,
            )
    return sets


def sets_by_group(
    sets: np.ndarray,
    labels: np.ndarray,
    class_counts: Sequence[int],
    groups: str = "shots",
) -> dict[str, dict[str, float]]:
    """Coverage and mean size of sets, over all images and by group.

    Args:
        sets: bool `(N, C)`.
        labels: Class ids `(N,)`.
        class_counts: Training images per class, length C.
        groups: `"shots"` or `"thirds"`, see `groups.class_groups`.

    Returns:
        By `"overall"` and group, `{"coverage", "size"}`. Of a group the means
        are over its classes; groups without images are absent.
    """
    held = np.take_along_axis(sets, labels[:, None], 1)[:, 0]
    size = sets.sum(1)
    found: dict[str, Any] = {
        "overall": {"coverage": float(held.mean()), "size": float(size.mean())}
    }
    number = np.bincount(labels, minlength=sets.shape[1])
    divisor = np.where(number > 0, number, np.nan)
    by_class = [
        sums_by(labels, sets.shape[1], v) / divisor for v in (held, size)
    ]
    for name, members in class_groups(class_counts, groups).items():
        means = [float(mean_of_known(values[members])) for values in by_class]
        if not np.isnan(means[0]):
            found[name] = dict(zip(("coverage", "size"), means, strict=True))
    return found


def _quantile(scores, miss):
    """Least value that the next score exceeds with probability `miss`."""
    # Against the last digit of the product.
    rank = int(np.ceil((len(scores) + 1) * (1 - miss) - 1e-9))
    return np.sort(scores)[rank - 1] if rank <= len(scores) else np.inf
