"""Handwritten digits that scikit-learn ships: no download."""

import numpy as np

from keras_lt.data.sources.arrays import Parts

TEST_PER_CLASS = 70  # so that a point is seven test images


def read(test_per_class: int | None = None) -> Parts:
    """Read the digits, with the first of each class as the test split.

    Args:
        test_per_class: How many, from 1 to 172; by default 70.

    Returns:
        Training images uint8 `(1797 - T, 8, 8, 1)` and labels, test images
        `(T, 8, 8, 1)` and labels, and the class names. Pixels of the source
        are 0..16 and are stretched to 0..255.

    Raises:
        ValueError: if a class would have less than two images left.

    Source: Alpaydin & Kaynak, UCI 1998 (optical recognition of handwritten
        digits, test part), as in `sklearn.datasets.load_digits`.
    """
    from sklearn.datasets import load_digits

    if test_per_class is None:
        test_per_class = TEST_PER_CLASS
    if not 1 <= test_per_class <= 172:
        raise ValueError(
            f"`test_per_class` must be from 1 to 172, got {test_per_class}"
        )
    digits = load_digits()
    images = np.round(digits.images * (255 / 16)).astype("uint8")[..., None]
    labels = digits.target.astype("int64")
    rank = np.zeros_like(labels)  # 0, 1, 2, ... within each class
    for class_id in range(10):
        members = labels == class_id
        rank[members] = np.arange(members.sum())
    test = rank < test_per_class
    names = tuple(str(digit) for digit in range(10))
    return images[~test], labels[~test], images[test], labels[test], names
