"""Numbers about a long tail: class counts, weights, shot groups, norms.

Everything here is plain numpy on small vectors, computed once before training.
"""

from collections.abc import Sequence

import numpy as np

from keras_lt.groups import class_groups
from keras_lt.groups import shot_groups as shot_groups


def count_classes(
    labels: Sequence[int] | np.ndarray, num_classes: int
) -> tuple[int, ...]:
    """Images per class, in class-id order.

    Args:
        labels: Class ids `(N,)`, each in `[0, num_classes)`.
        num_classes: Number of classes C; classes without an image count 0.

    Returns:
        A tuple of C ints.

    Raises:
        ValueError: if a label lies outside of `[0, num_classes)`.
    """
    labels = np.asarray(labels).reshape(-1)
    if len(labels) and not 0 <= labels.min() <= labels.max() < num_classes:
        raise ValueError(
            f"`labels` must be in [0, {num_classes}), got values from "
            f"{labels.min()} to {labels.max()}"
        )
    counts = np.bincount(labels.astype("int64"), minlength=num_classes)
    return tuple(counts.tolist())


def check_class_counts(class_counts: Sequence[int]) -> tuple[int, ...]:
    """Return `class_counts` as a tuple of ints, or say what is wrong with it.

    Raises:
        ValueError: if there is no class, or a count is not a positive whole
            number, naming the class and the value.
    """
    counts = np.asarray(class_counts)
    if counts.ndim != 1 or not len(counts):
        raise ValueError(
            "`class_counts` must be a non-empty sequence of training images "
            f"per class, got {class_counts!r}"
        )
    for class_id, count in enumerate(counts.tolist()):
        if not (count > 0 and count % 1 == 0):
            raise ValueError(
                "`class_counts` must be positive whole numbers, got "
                f"{count} for class {class_id}"
            )
    return tuple(int(count) for count in counts)


def effective_numbers(
    class_counts: Sequence[int], beta: float = 0.9999
) -> np.ndarray:
    """Effective number of images of each class, `(1 - beta^n) / (1 - beta)`.

    Args:
        class_counts: Training images per class, length C, all > 0.
        beta: Overlap of a new image with the earlier ones, in [0, 1): 0 gives
            1 for every class; towards 1 it gives the counts themselves.

    Returns:
        float64 `(C,)`.

    Raises:
        ValueError: if a count is not positive, or `beta` is outside [0, 1).

    Source: Cui et al., CVPR 2019, eq. 2.
    """
    counts = np.asarray(check_class_counts(class_counts), "float64")
    if not 0 <= beta < 1:
        raise ValueError(f"`beta` must be in [0, 1), got {beta}")
    if beta == 0:
        return np.ones_like(counts)
    # expm1 keeps the digits that 1 - beta**n loses for small n.
    return -np.expm1(counts * np.log(beta)) / (1 - beta)


def class_balanced_weights(
    class_counts: Sequence[int], beta: float = 0.9999
) -> np.ndarray:
    """Class weights of the class-balanced loss, scaled to sum to C.

    Args:
        class_counts: Training images per class, length C, all > 0.
        beta: See `effective_numbers`.

    Returns:
        float64 `(C,)`, the inverse effective numbers with mean 1.

    Example:
        >>> class_balanced_weights([500, 50, 5]).round(3).tolist()
        [0.028, 0.271, 2.702]

    Source: Cui et al., CVPR 2019, section 4.
    """
    weights = 1 / effective_numbers(class_counts, beta)
    return weights * len(weights) / weights.sum()


def frequency_ranks(class_counts: Sequence[int]) -> np.ndarray:
    """Rank of each class by descending count; equal counts by class id.

    Example:
        >>> frequency_ranks([7, 2, 9, 2]).tolist()
        [1, 2, 0, 3]
    """
    order = np.argsort(-np.asarray(class_counts), kind="stable")
    ranks = np.empty_like(order)
    ranks[order] = np.arange(len(order))
    return ranks


def class_accuracies(
    predictions: np.ndarray, labels: np.ndarray, num_classes: int
) -> np.ndarray:
    """Fraction of right predictions in each class.

    Args:
        predictions: Predicted class ids `(N,)`.
        labels: True class ids `(N,)`.
        num_classes: C.

    Returns:
        float64 `(C,)`; NaN for a class that has no label in `labels`.
    """
    return _recalls_and_f1(predictions, labels, num_classes)[0]


def shot_accuracies(
    predictions: np.ndarray,
    labels: np.ndarray,
    class_counts: Sequence[int],
    groups: str = "shots",
) -> dict[str, float]:
    """Accuracies of all images, of classes, and of groups of them.

    Args:
        predictions: Predicted class ids `(N,)`.
        labels: True class ids `(N,)`.
        class_counts: *Training* images per class, length C.
        groups: See `groups.class_groups`.

    Returns:
        Fractions: `"overall"`, of all images; over the classes with labels,
        in the mean `"balanced"` (accuracy) and `"macro_f1"`, and the lowest
        accuracy, `"worst_class"`; and mean accuracies of the groups,
        `"many"`, `"medium"`, `"few"` or `"head"`, `"body"`, `"tail"`. A group
        without labels is absent.
    """
    predictions, labels = np.asarray(predictions), np.asarray(labels)
    recalls, f1 = _recalls_and_f1(predictions, labels, len(class_counts))
    accuracies = {
        "overall": float((predictions == labels).mean()),
        "balanced": float(np.nanmean(recalls)),
        "macro_f1": float(np.nanmean(f1)),
        "worst_class": float(np.nanmin(recalls)),
    }
    for name, members in class_groups(class_counts, groups).items():
        present = members[~np.isnan(recalls[members])]
        if len(present):
            accuracies[name] = float(recalls[present].mean())
    return accuracies


def _recalls_and_f1(predictions, labels, num_classes):
    """Accuracy and F1 score of each class; NaN of one without labels."""
    from sklearn.metrics import precision_recall_fscore_support

    _, recalls, f1, support = precision_recall_fscore_support(
        labels, predictions, labels=range(num_classes), zero_division=0
    )
    return np.where(support > 0, [recalls, f1], np.nan)


def class_norms(kernel: np.ndarray) -> np.ndarray:
    """L2 norm of every class vector of a kernel `(..., C)`, as `(C,)`."""
    kernel = np.asarray(kernel)
    return np.sqrt(np.square(kernel).reshape(-1, kernel.shape[-1]).sum(0))


def max_norm_radius(kernel: np.ndarray, fraction: float = 0.1) -> float:
    """Radius of the max-norm ball, between the smallest and largest norm.

    `min + fraction * (max - min)` over the class norms of a trained kernel.

    Args:
        kernel: Classifier kernel `(features, C)`.
        fraction: Where between the two, in [0, 1].

    Raises:
        ValueError: if `fraction` is outside of [0, 1].

    Source: Alshammari et al., CVPR 2022; released code
        `ShadeAlsha/LTR-weight-balancing`, `t = 0.1`.
    """
    if not 0 <= fraction <= 1:
        raise ValueError(f"`fraction` must be in [0, 1], got {fraction}")
    norms = class_norms(kernel)
    return float(norms.min() + fraction * (norms.max() - norms.min()))


def tau_normalize(kernel: np.ndarray, tau: float = 1.0) -> np.ndarray:
    """Divide every class vector by its L2 norm to the power `tau`.

    `tau = 0` changes nothing, `tau = 1` is L2 normalisation, and `tau > 1`
    turns the order of the norms around. A zero vector stays zero.

    Args:
        kernel: Classifier kernel `(features, C)`.
        tau: Exponent, >= 0.

    Returns:
        A new array like `kernel`.

    Example:
        >>> tau_normalize(np.array([[3.0], [4.0]])).round(3).tolist()
        [[0.6], [0.8]]

    Source: Kang et al., ICLR 2020, eq. 3.
    """
    if tau < 0:
        raise ValueError(f"`tau` must be >= 0, got {tau}")
    kernel = np.asarray(kernel)
    norms = class_norms(kernel)
    return kernel / np.where(norms > 0, norms, 1) ** tau
