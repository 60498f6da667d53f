"""Which classes are taken for which."""

import numpy as np

from keras_lt.checking import checked


@checked
def confusion(
    predictions: np.ndarray, labels: np.ndarray, num_classes: int
) -> np.ndarray:
    """Images by true class (row) and answer (column), int64 `(C, C)`."""
    from sklearn.metrics import confusion_matrix

    return confusion_matrix(labels, predictions, labels=np.arange(num_classes))


@checked
def confused_pairs(
    predictions: np.ndarray, labels: np.ndarray, *, number: int = 10
) -> list[tuple[int, int, int]]:
    """Most frequent mistakes; it needs no table of all pairs of classes.

    Args:
        predictions: Class ids `(N,)`.
        labels: True class ids `(N,)`.
        number: At most so many.

    Returns:
        `(true class, answer, images)`, the most frequent first, then by class
        id.

    Example:
        >>> confused_pairs(np.array([1, 1, 0, 2]), np.array([0, 0, 1, 2]))
        [(0, 1, 2), (1, 0, 1)]
    """
    wrong = np.stack([labels, predictions], 1)[predictions != labels]
    pairs, times = np.unique(wrong, axis=0, return_counts=True)
    order = np.argsort(-times, kind="stable")[:number]
    return [
        (int(a), int(b), int(n))
        for (a, b), n in zip(pairs[order], times[order], strict=True)
    ]
