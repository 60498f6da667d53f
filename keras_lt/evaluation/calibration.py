"""Whether probabilities are what they say."""

from typing import NamedTuple

import numpy as np
from scipy import optimize

from keras_lt.checking import checked
from keras_lt.evaluation.sums import sums_by, weighted_mean
from keras_lt.evaluation.values import (
    check_probabilities,
    log_losses,
    softmax,
)

BINS = 15
COLDEST, HOTTEST = 0.05, 20.0


class Reliability(NamedTuple):
    """Of each bin of confidence: mean confidence, accuracy, weight of images.

    Each is float64 `(..., bins)`; an empty bin has NaN, NaN and 0.
    """

    confidence: np.ndarray
    accuracy: np.ndarray
    images: np.ndarray


@checked
def reliability(
    probabilities: np.ndarray,
    labels: np.ndarray,
    *,
    bins: int = BINS,
    weights: np.ndarray | None = None,
) -> Reliability:
    """Compare confidence, the largest probability, with accuracy, in bins.

    Bins are equally wide and hold their upper border.

    Args:
        probabilities: `(N, C)`.
        labels: Class ids `(N,)`.
        bins: Their number, >= 1.
        weights: Of the images `(..., N)`; by default 1.

    Raises:
        ValueError: if an argument is out of range.

    Source: Naeini et al., AAAI 2015; Guo et al., ICML 2017.
    """
    probabilities, labels = check_probabilities(probabilities, labels)
    if bins < 1:
        raise ValueError(f"`bins` must be >= 1, got {bins}")
    confidence = probabilities.max(1).astype("float64")
    right = probabilities.argmax(1) == labels
    borders = np.linspace(0, 1, bins + 1)[1:-1]
    ids = np.searchsorted(borders, confidence, side="left")
    weights = np.ones(len(labels)) if weights is None else weights
    images = sums_by(ids, bins, weights)
    divisor = np.where(images > 0, images, np.nan)
    return Reliability(
        sums_by(ids, bins, weights * confidence) / divisor,
        sums_by(ids, bins, weights * right) / divisor,
        images,
    )


@checked
def expected_calibration_error(
    probabilities: np.ndarray,
    labels: np.ndarray,
    *,
    bins: int = BINS,
    weights: np.ndarray | None = None,
) -> np.ndarray:
    """Mean distance of confidence and accuracy over the bins, in [0, 1].

    See `reliability`.

    Example:
        >>> sure = np.array([[0.9, 0.1], [0.9, 0.1]])
        >>> float(expected_calibration_error(sure, np.array([0, 1])))
        0.4
    """
    found = reliability(probabilities, labels, bins=bins, weights=weights)
    gap = np.nan_to_num(np.abs(found.confidence - found.accuracy))
    return (gap * found.images).sum(-1) / found.images.sum(-1)


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Temperature by which logits are divided for the least log loss.

    To be fitted on images that the model did not learn from and is not judged
    on. It moves no answer, only how sure they are.

    Args:
        logits: `(N, C)`; log probabilities serve as well.
        labels: Class ids `(N,)`.

    Returns:
        A number from 0.05 to 20.

    Source: Guo et al., ICML 2017.
    """
    logits, labels = np.asarray(logits, "float64"), np.asarray(labels)

    def loss(power):
        return weighted_mean(
            log_losses(softmax(logits / np.exp(power)), labels), None
        )

    bounds = (np.log(COLDEST), np.log(HOTTEST))
    best = optimize.minimize_scalar(loss, bounds=bounds, method="bounded")
    return float(np.exp(best.x))
