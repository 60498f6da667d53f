"""Handwritten digits that scikit-learn ships: no download."""

import numpy as np

TEST_PER_CLASS = 50


def read():
    """Read the digits, with the first 50 of each class as the test split.

    Returns:
        Training images uint8 `(1297, 8, 8, 1)` and labels, test images
        `(500, 8, 8, 1)` and labels, and the class names. Pixels of the source
        are 0..16 and are stretched to 0..255.

    Source: Alpaydin & Kaynak, UCI 1998 (optical recognition of handwritten
        digits, test part), as in `sklearn.datasets.load_digits`.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = np.round(digits.images * (255 / 16)).astype("uint8")[..., None]
    labels = digits.target.astype("int64")
    rank = np.zeros_like(labels)  # 0, 1, 2, ... within each class
    for class_id in range(10):
        members = labels == class_id
        rank[members] = np.arange(members.sum())
    test = rank < TEST_PER_CLASS
    names = tuple(str(digit) for digit in range(10))
    return images[~test], labels[~test], images[test], labels[test], names
