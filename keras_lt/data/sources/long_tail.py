"""Cutting a balanced data set to a long tail, exactly as published."""

import hashlib
from collections.abc import Sequence

import numpy as np

from keras_lt.checking import checked
from keras_lt.image_reader import DataError


@checked
def exponential_counts(
    num_classes: int, largest: int, imbalance_ratio: float
) -> tuple[int, ...]:
    """Class counts that fall exponentially with the class id.

    `n_c = int(largest * (1 / imbalance_ratio) ** (c / (C - 1)))`.

    Args:
        num_classes: C, at least 2.
        largest: Images of class 0.
        imbalance_ratio: Largest over smallest count, >= 1.

    Raises:
        ValueError: if the ratio is below 1.

    Example:
        >>> exponential_counts(3, 500, 100)
        (500, 50, 5)

    Source: Cao et al., NeurIPS 2019; `kaidic/LDAM-DRW:imbalance_cifar.py`.
    """
    smallest = _smallest_share(imbalance_ratio)
    last = max(num_classes - 1, 1)
    return tuple(
        int(largest * smallest ** (c / last)) for c in range(num_classes)
    )


@checked
def step_counts(
    num_classes: int, largest: int, imbalance_ratio: float
) -> tuple[int, ...]:
    """Class counts with a full first half and a small second half.

    Args:
        num_classes: C.
        largest: Images of each of the first C // 2 classes.
        imbalance_ratio: Largest over smallest count, >= 1.

    Raises:
        ValueError: if the ratio is below 1.

    Example:
        >>> step_counts(4, 500, 100)
        (500, 500, 5, 5)

    Source: Cao et al., NeurIPS 2019.
    """
    small = int(largest * _smallest_share(imbalance_ratio))
    half = num_classes // 2
    return (largest,) * half + (small,) * (num_classes - half)


def _smallest_share(imbalance_ratio: float) -> float:
    if not imbalance_ratio >= 1:
        raise ValueError(
            f"`imbalance_ratio` must be >= 1, got {imbalance_ratio}"
        )
    return 1 / imbalance_ratio


PROFILES = {"exponential": exponential_counts, "step": step_counts}
SUBSETS = ("ldam", "first", "precut")


@checked
def long_tail_indices(
    labels: np.ndarray,
    class_counts: Sequence[int],
    *,
    subset: str = "ldam",
    validation_per_class: int | Sequence[int] = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Choose the training images, and images to validate on.

    Each class is put in an order, and the first n_c images are kept: with
    "ldam" the order of a shuffle by numpy's legacy generator, seed 0, class
    after class; with "first" (and "precut") the order of the file, as in
    weight balancing's release. Validation images come from the *end* of that
    order, so that small classes keep all their training images; a class for
    which the two would overlap gets fewer training images.

    Args:
        labels: Class ids `(N,)` of all training images, in file order.
        class_counts: Images to keep of each class, length C.
        subset: `"ldam"`, `"first"` or `"precut"`.
        validation_per_class: Images to validate on, of every class or of each.

    Returns:
        Two int64 arrays of positions in `labels`, class by class.

    Raises:
        DataError: if a class is too small.

    Source: `kaidic/LDAM-DRW:imbalance_cifar.py`;
        `ShadeAlsha/LTR-weight-balancing`, where both shuffles are off.
    """
    if subset not in SUBSETS:
        raise ValueError(f"`subset` must be one of {SUBSETS}, got {subset!r}")
    held_out = np.broadcast_to(validation_per_class, len(class_counts)).tolist()
    if min(held_out) < 0:
        raise ValueError(
            f"`validation_per_class` must be >= 0, got {validation_per_class}"
        )
    random = np.random.RandomState(0)
    train, validation = [], []
    for class_id, count in enumerate(class_counts):
        order = np.flatnonzero(labels == class_id)
        if subset == "ldam":
            random.shuffle(order)
        size = len(order)
        if count < 1 or count > size:
            raise DataError(
                f"class {class_id} must keep between 1 and its {size} images, "
                f"got {count}: choose another `imbalance_ratio`"
            )
        kept = size - held_out[class_id]
        if kept < 1:
            raise DataError(
                f"`validation_per_class` must be below the {size} images of "
                f"class {class_id}, got {held_out[class_id]}"
            )
        train.append(order[: min(count, kept)])
        validation.append(order[kept:])
    return np.concatenate(train), np.concatenate(validation)


def index_hash(indices: np.ndarray) -> str:
    """SHA-256 of indices as little-endian int64: names a subset for good."""
    return hashlib.sha256(indices.astype("<i8").tobytes()).hexdigest()
