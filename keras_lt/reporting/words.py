"""Numbers as people read them."""

import math
from typing import Any

import numpy as np

IN_PERCENT = ("brier", "nll")  # are not


def percent(share: float | None, digits: int = 1) -> str:
    """A share in %, or a dash for None and NaN.

    Example:
        >>> percent(0.8189).split(), percent(None)
        (['81.9', '%'], '–')
    """
    if share is None or math.isnan(share):
        return "–"
    return f"{100 * share:.{digits}f}\u00a0%"


def value(name: str, found: float) -> str:
    """A measure of `evaluation.measures`, in its unit."""
    return f"{found:.3f}" if name in IN_PERCENT else percent(found)


def span(name: str, low: float, high: float) -> str:
    """An interval of such a measure.

    Example:
        >>> span("few", 0.7, 0.805)
        '70.0 to 80.5'
    """
    if name in IN_PERCENT:
        return f"{low:.3f} to {high:.3f}"
    return f"{100 * low:.1f} to {100 * high:.1f}"


def points(difference: float) -> str:
    """A difference of shares, in points of a hundred, with its sign."""
    return f"{100 * difference:+.1f}".replace("-", "−")


def wilson(
    right: np.ndarray, total: np.ndarray, z: float = 1.96
) -> tuple[np.ndarray, np.ndarray]:
    """Interval of 95 % for a share, from few images on.

    Args:
        right: Counts `(C,)`.
        total: Counts `(C,)`; 0 gives NaN.
        z: Standard deviations to either side.

    Example:
        >>> [round(float(x[0]), 3) for x in wilson([7], [10])]
        [0.397, 0.892]

    Source: Wilson, JASA 1927.
    """
    right, total = np.asarray(right, float), np.asarray(total, float)
    total = np.where(total > 0, total, np.nan)
    share, part = right / total, z * z / total
    middle = (share + part / 2) / (1 + part)
    wide = np.sqrt(share * (1 - share) * part + part * part / 4) / (1 + part)
    return middle - wide, middle + wide


def count(number: float, things: str = "") -> str:
    """A whole number with commas, and what is counted.

    Example:
        >>> count(1200)
        '1,200'
    """
    return f"{number:,.0f}\u00a0{things}" if things else f"{number:,.0f}"


def brief(value: Any) -> str:
    """A value of a configuration, short."""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) < 300 else text[:297] + "..."
