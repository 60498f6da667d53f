"""Sums and means that many resamples share."""

import numpy as np
from scipy import sparse


def sums_by(ids: np.ndarray, size: int, values: np.ndarray) -> np.ndarray:
    """Sum values of equal ids.

    Args:
        ids: Of the images `(N,)`, in `[0, size)`.
        size: Of the result.
        values: `(..., N)`.

    Returns:
        `(..., size)`.

    Example:
        >>> sums_by(np.array([0, 2, 0]), 3, np.array([1.0, 2.0, 4.0])).tolist()
        [5.0, 0.0, 2.0]
    """
    places = (np.arange(len(ids)), ids)
    chosen = sparse.csr_array(
        (np.ones(len(ids)), places), shape=(len(ids), size)
    )
    flat = np.asarray(values, "float64").reshape(-1, len(ids))
    return (chosen.T @ flat.T).T.reshape(*values.shape[:-1], size)


def mean_of_known(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis without NaN; NaN where all are.

    Example:
        >>> mean_of_known(np.array([[1.0, np.nan], [np.nan, np.nan]]))
        array([ 1., nan])
    """
    known = ~np.isnan(values)
    number = known.sum(-1)
    total = np.where(known, values, 0.0).sum(-1)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)[()]


def weighted_mean(values: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    """Mean of values `(N,)` under weights `(..., N)`; None weighs alike."""
    values = np.asarray(values, "float64")
    if weights is None:
        return values.mean()
    return weights @ values / weights.sum(-1)
