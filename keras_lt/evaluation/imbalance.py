"""How long a tail is, in one number."""

from collections.abc import Sequence

import numpy as np

from keras_lt import stats


def gini(class_counts: Sequence[int]) -> float:
    """Gini coefficient of the class counts: 0 if all are equal, below 1.

    Args:
        class_counts: Images per class, length C, all > 0.

    Example:
        >>> gini([5, 5, 5]), round(gini([97, 1, 1, 1]), 2)
        (0.0, 0.72)

    Source: Yang et al., IJCV 2022 (a survey on long-tailed visual
        recognition), who measure data sets by it.
    """
    counts = np.sort(stats.check_class_counts(class_counts))
    ranks = 2 * np.arange(1, len(counts) + 1) - len(counts) - 1
    return float((ranks * counts).sum() / (len(counts) * counts.sum()))


def pareto_ratio(class_counts: Sequence[int], share: float = 0.8) -> float:
    """Classes in the tail for each class in the head.

    The head is the least number of the largest classes that hold `share` of
    the images. A balanced data set has about 0.25.

    Args:
        class_counts: Images per class, length C, all > 0.
        share: In (0, 1).

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> pareto_ratio([80, 5, 5, 5, 5])
        4.0

    Source: Yang et al., IJCV 2022 (Pareto-LT ratio).
    """
    if not 0 < share < 1:
        raise ValueError(f"`share` must be in (0, 1), got {share}")
    counts = np.sort(stats.check_class_counts(class_counts))[::-1]
    held = np.cumsum(counts)
    # Against the last digit of `share * total`.
    head = 1 + int((held < share * held[-1] * (1 - 1e-12)).sum())
    return (len(counts) - head) / head
