"""Which class wins as a prior moves: all answers of a model at once."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from keras_lt import stats

VALUES = 2**23  # logits at a time


class Winners(NamedTuple):
    """Answers to N images under every power of a prior.

    The pieces of image i are those from `starts[i]` to `starts[i + 1]`, and
    each begins at a power and ends where the next one begins.

    Args:
        starts: int64 `(N + 1,)`.
        begins: float64 `(P,)`, the first of an image at minus infinity.
        classes: int64 `(P,)`.
    """

    starts: np.ndarray
    begins: np.ndarray
    classes: np.ndarray

    def at(self, power: float) -> np.ndarray:
        """Class ids `(N,)` under a power."""
        begun = np.concatenate([[0], np.cumsum(self.begins <= power)])
        number = begun[self.starts[1:]] - begun[self.starts[:-1]]
        return self.classes[self.starts[:-1] + number - 1]


def winners(
    logits: np.ndarray,
    class_counts: Sequence[int],
    *,
    low: float = -3.0,
    high: float = 3.0,
) -> Winners:
    """Find `argmax(z + t log n)` for all t from `low` to `high`.

    The logit of each class is a line over t, and the answer is the highest
    line: of C classes a few ever win, so that a page that moves the prior
    needs only these and where they take over.

    Args:
        logits: `(N, C)`.
        class_counts: Training images n per class, length C, all > 0.
        low: Least power that is asked for.
        high: Largest one.

    Example:
        >>> found = winners(np.array([[0.0, 1.0]]), [8, 2])
        >>> found.at(0.5).tolist(), found.at(1.0).tolist()
        ([1], [0])
    """
    slopes = np.log(np.asarray(stats.check_class_counts(class_counts), float))
    step = max(VALUES // len(slopes), 1)
    parts = [
        _winners(logits[start : start + step], slopes, low, high)
        for start in range(0, len(logits), step)
    ]
    sizes, begins, classes = map(np.concatenate, zip(*parts, strict=True))
    return Winners(np.concatenate([[0], np.cumsum(sizes)]), begins, classes)


def _winners(logits, slopes, low, high):
    """Number of pieces of each image; begins and classes of the pieces."""
    logits = np.asarray(logits, "float64")
    rows = np.arange(len(logits))
    best = _steepest_of_best(logits + low * slopes, slopes)
    at = np.full(len(rows), low)
    pieces = [(rows, np.full(len(rows), -np.inf), best.copy())]
    while len(rows):
        begin, following = _next(logits[rows], slopes, best[rows], at[rows])
        goes_on = begin <= high
        rows, begin = rows[goes_on], begin[goes_on]
        best[rows], at[rows] = following[goes_on], begin
        pieces.append((rows, begin, best[rows]))
    images, begins, classes = map(np.concatenate, zip(*pieces, strict=True))
    order = np.argsort(images, kind="stable")
    sizes = np.bincount(images, minlength=len(logits))
    return sizes, begins[order], classes[order]


def _steepest_of_best(scores, slopes):
    """Largest score; of equal ones the class that is about to win."""
    best = scores == scores.max(1, keepdims=True)
    return np.where(best, slopes, -np.inf).argmax(1)


def _next(logits, slopes, best, power):
    """Where each highest line is crossed next, and by which class."""
    own = np.take_along_axis(logits, best[:, None], 1)
    steeper = slopes - slopes[best][:, None]  # (N, C)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = (own - logits) / steeper
    crossing = np.where(steeper > 0, crossing, np.inf)
    first = crossing.min(1, initial=np.inf)
    # Of lines that cross in one point, the steepest goes on.
    together = crossing == first[:, None]
    following = np.where(together, slopes, -np.inf).argmax(1)
    return np.maximum(first, power), following
