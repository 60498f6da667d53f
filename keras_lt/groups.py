"""Groups of classes by their training images, as results are told by."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

MANY_ABOVE = 100
FEW_BELOW = 20


class ShotGroups(NamedTuple):
    """Class ids with many, a medium number of, and few training images."""

    many: np.ndarray
    medium: np.ndarray
    few: np.ndarray


class Thirds(NamedTuple):
    """Class ids that hold the first, second and last third of the images."""

    head: np.ndarray
    body: np.ndarray
    tail: np.ndarray


def shot_groups(class_counts: Sequence[int]) -> ShotGroups:
    """Split classes into many (> 100), medium (20..100) and few (< 20).

    Args:
        class_counts: *Training* images per class, length C.

    Returns:
        `ShotGroups` of int arrays; a group may be empty.

    Source: Liu et al., CVPR 2019 (OLTR).
    """
    counts = np.asarray(class_counts)
    return ShotGroups(
        many=np.flatnonzero(counts > MANY_ABOVE),
        medium=np.flatnonzero((counts >= FEW_BELOW) & (counts <= MANY_ABOVE)),
        few=np.flatnonzero(counts < FEW_BELOW),
    )


def thirds(class_counts: Sequence[int]) -> Thirds:
    """Split classes, the largest first, into thirds of the images.

    A class belongs to the third in which its first image falls. For images of
    one's own, which may all have more than 100 images a class, or less than
    20.

    Args:
        class_counts: *Training* images per class, length C.

    Returns:
        `Thirds` of int arrays. Of three classes or more none is empty; two
        are head and tail, and a single one is the head.

    Example:
        >>> [group.tolist() for group in thirds([104, 67, 43, 28, 18, 11])]
        [[0], [1, 2], [3, 4, 5]]
    """
    counts = np.asarray(class_counts)
    order = np.argsort(-counts, kind="stable")
    before = np.cumsum(counts[order]) - counts[order]
    number, total = len(counts), counts.sum()
    head = np.clip((3 * before < total).sum(), 1, max(number - 2, 1))
    last = max(number - 1, 1)  # where the tail begins at the latest
    end = np.clip((3 * before < 2 * total).sum(), min(head + 1, last), last)
    return Thirds(*map(np.sort, np.split(order, [head, end])))


GROUPINGS: dict[str, Callable] = {"shots": shot_groups, "thirds": thirds}


def class_groups(
    class_counts: Sequence[int], groups: str = "shots"
) -> dict[str, np.ndarray]:
    """Class ids of each group, by its name.

    Args:
        class_counts: *Training* images per class, length C.
        groups: `"shots"`, see `shot_groups`, or `"thirds"`.

    Raises:
        ValueError: for another kind of groups.
    """
    if groups not in GROUPINGS:
        raise ValueError(
            f"`groups` must be one of {[*GROUPINGS]}, got {groups!r}"
        )
    found: ShotGroups | Thirds = GROUPINGS[groups](class_counts)
    return found._asdict()
