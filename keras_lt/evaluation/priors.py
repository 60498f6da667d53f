"""What changes if classes are as frequent as somewhere else."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_lt import stats
from keras_lt.checking import checked
from keras_lt.evaluation import counting as t
from keras_lt.evaluation.values import check_labels, log_losses, softmax

RATIOS = (2, 5, 10, 25, 50)


@checked
def power_prior(class_counts: Sequence[int], power: float) -> np.ndarray:
    """Shares of classes, proportional to a power of their counts.

    Args:
        class_counts: Training images per class, length C, all > 0.
        power: 1 is the tail of the training images, 0 equal shares, and -1
            the tail turned around.

    Returns:
        float64 `(C,)`, of sum 1.

    Example:
        >>> power_prior([9, 1], 0.5).tolist()
        [0.75, 0.25]
    """
    counts = np.asarray(stats.check_class_counts(class_counts), "float64")
    return softmax(power * np.log(counts))


@checked
def shifted_prior(
    class_counts: Sequence[int], ratio: float, *, backward: bool = False
) -> np.ndarray:
    """Shares that fall exponentially with a class's rank.

    Args:
        class_counts: Training images per class, length C, all > 0.
        ratio: Largest over smallest share, >= 1.
        backward: Whether the rarest training class has the largest share.

    Returns:
        float64 `(C,)`, of sum 1.

    Raises:
        ValueError: if `ratio` is below 1.

    Source: of the test sets with ratios 2 to 50, Hong et al., CVPR 2021
        (LADE), who draw images; here they are weighed.
    """
    if not ratio >= 1:
        raise ValueError(f"`ratio` must be >= 1, got {ratio}")
    counts = stats.check_class_counts(class_counts)
    ranks = stats.frequency_ranks(counts)
    share = ranks / max(len(counts) - 1, 1)  # 0 for the largest class
    return softmax(np.log(ratio) * (share if backward else -share))


def reweighted(
    logits: np.ndarray, own: np.ndarray, expected: np.ndarray
) -> np.ndarray:
    """Logits of a model for another prior: `z + log expected - log own`.

    Args:
        logits: `(N, C)`; log probabilities serve as well.
        own: Prior that the model learned `(C,)`, all > 0.
        expected: Prior where it is asked `(C,)`, all > 0.

    Returns:
        float64 `(N, C)`.

    Source: Saerens et al., Neural Computation 2002; Menon et al., ICLR 2021.
    """
    return np.asarray(logits, "float64") + np.log(expected) - np.log(own)


def weights_of_prior(labels: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Weights of images under which their classes have a prior.

    Args:
        labels: Class ids `(N,)`.
        prior: Shares `(C,)`; those of classes without images are spread over
            the others in proportion.

    Returns:
        float64 `(N,)`, of sum 1.

    Example:
        >>> weights_of_prior(np.array([0, 0, 1]), np.array([0.5, 0.5]))
        array([0.25, 0.25, 0.5 ])
    """
    check_labels(labels, len(prior))
    number = np.bincount(labels, minlength=len(prior))
    weights = (prior / np.maximum(number, 1))[labels]
    return weights / weights.sum()


def expects_tail(
    logits: np.ndarray, labels: np.ndarray, class_counts: Sequence[int]
) -> bool:
    """Whether a model answers for the training tail, or for equal classes.

    Plain cross entropy learns the prior of the training images, and methods
    against the tail unlearn it. Decided by the log loss on images that are
    weighed to equal classes, with and without the log prior subtracted.

    Args:
        logits: `(N, C)` of images that were not trained on.
        labels: Class ids `(N,)`.
        class_counts: Training images per class, length C.
    """
    tail = power_prior(class_counts, 1.0)
    equal = np.full_like(tail, 1 / len(tail))
    weights = weights_of_prior(labels, equal)
    corrected = softmax(reweighted(logits, tail, equal))
    as_is = log_losses(softmax(logits), labels) @ weights
    return bool(log_losses(corrected, labels) @ weights < as_is)


@checked
def shifted_accuracies(
    logits: np.ndarray,
    labels: np.ndarray,
    class_counts: Sequence[int],
    *,
    own: np.ndarray,
    ratios: Sequence[float] = RATIOS,
) -> list[dict[str, Any]]:
    """Accuracy where classes are as frequent as in training, or inversely.

    Args:
        logits: `(N, C)`.
        labels: Class ids `(N,)`.
        class_counts: Training images per class, length C.
        own: Prior that the model learned `(C,)`.
        ratios: Largest over smallest share.

    Returns:
        From the longest tail over equal classes to the longest inverse one:
        `{"direction": "forward", "uniform" or "backward", "ratio", "plain",
        "corrected"}`, the last with logits that are reweighted to this prior.
    """
    tests = [("forward", ratio) for ratio in sorted(ratios, reverse=True)]
    tests += [("uniform", 1)]
    tests += [("backward", ratio) for ratio in sorted(ratios)]
    rows = []
    for direction, ratio in tests:
        prior = shifted_prior(
            class_counts, ratio, backward=direction == "backward"
        )
        row: dict[str, Any] = {"direction": direction, "ratio": ratio}
        corrected = reweighted(logits, own, prior)
        for name, scores in (("plain", logits), ("corrected", corrected)):
            weights = weights_of_prior(labels, prior)
            found = t.tally(scores.argmax(1), labels, len(prior), weights)
            row[name] = float(t.accuracy(found))
        rows.append(row)
    return rows
