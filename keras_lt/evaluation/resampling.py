"""How far a number is to be trusted: bootstrap, and tests of two models."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
from scipy import stats as statistics

from keras_lt.checking import checked
from keras_lt.evaluation.values import check_labels

VALUES = 2**22  # weights in memory at a time
Measured = Mapping[str, np.ndarray]


class Interval(NamedTuple):
    """The middle share of the values over all resamples."""

    low: float
    high: float


@checked
def bootstrap(
    measure: Callable[[np.ndarray], Measured],
    labels: np.ndarray,
    *,
    times: int = 1000,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """Measure resamples of the images, drawn within each class.

    Each class keeps its number of images, as test sets are made. Two models
    that are measured with the same seed see the same resamples: the
    differences of their values are those of the models alone.

    Args:
        measure: Function from weights of images `(R, N)` to values `(R,)` by
            name, such as `measures` gives.
        labels: Class ids `(N,)`.
        times: Number of resamples, >= 1.
        seed: Equal ones draw equal resamples.

    Returns:
        Values `(times,)` by name.

    Raises:
        ValueError: if an argument is out of range.

    Source: Efron, Annals of Statistics 1979.
    """
    labels = np.asarray(labels)
    check_labels(labels, labels.max(initial=0) + 1)
    if times < 1:
        raise ValueError(f"`times` must be >= 1, got {times}")
    parts = [measure(w) for w in _resamples(labels, times, seed)]
    names = parts[0].keys()
    return {name: np.concatenate([p[name] for p in parts]) for name in names}


@checked
def intervals(
    drawn: Mapping[str, np.ndarray], level: float = 0.95
) -> dict[str, Interval]:
    """Intervals that hold the middle `level` of values `(R,)`, by name.

    Example:
        >>> intervals({"few": np.arange(101) / 100}, level=0.9)["few"]
        Interval(low=0.05, high=0.95)
    """
    if not 0 < level < 1:
        raise ValueError(f"`level` must be in (0, 1), got {level}")
    ends = (0.5 - level / 2, 0.5 + level / 2)
    found = {}
    for name, values in drawn.items():
        low, high = np.nanquantile(values, ends)
        found[name] = Interval(float(low), float(high))
    return found


def mcnemar(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Exact p-value for equal accuracy of two models on the same images.

    Args:
        ours: Whether one is right, bool `(N,)`.
        theirs: Whether the other is.

    Returns:
        The probability of a difference as large as this one or larger, if
        both were right as often; 1 where they differ nowhere.

    Raises:
        ValueError: if they are of other images.

    Example:
        >>> mcnemar(np.array([1, 1, 1, 1, 1]), np.array([0, 0, 0, 0, 0]))
        0.0625

    Source: McNemar, Psychometrika 1947; exact by the binomial distribution.
    """
    ours, theirs = np.asarray(ours, bool), np.asarray(theirs, bool)
    if ours.shape != theirs.shape or ours.ndim != 1:
        raise ValueError(
            "`ours` and `theirs` must be (N,) of the same images, got "
            f"{ours.shape} and {theirs.shape}"
        )
    ahead, behind = int((ours & ~theirs).sum()), int((~ours & theirs).sum())
    if not ahead + behind:
        return 1.0
    return float(statistics.binomtest(ahead, ahead + behind).pvalue)


def _resamples(
    labels: np.ndarray, times: int, seed: int
) -> Iterator[np.ndarray]:
    """Weights `(R, N)` of resamples, as many at a time as memory allows."""
    random = np.random.default_rng(seed)
    number = len(labels)
    order = np.argsort(labels, kind="stable")
    _, starts, sizes = np.unique(
        labels[order], return_index=True, return_counts=True
    )
    first, size = np.repeat(starts, sizes), np.repeat(sizes, sizes)
    step = max(VALUES // number, 1)
    for start in range(0, times, step):
        rows = min(step, times - start)
        drawn = first + (random.random((rows, number)) * size).astype("int64")
        drawn = order[drawn] + number * np.arange(rows)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=rows * number)
        yield counts.reshape(rows, number).astype("float64")
