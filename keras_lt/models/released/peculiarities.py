"""What ResLT's released code does with classes and branches for large sets."""

import re
from collections.abc import Sequence

import numpy as np

from keras_lt.models.released.inference import State

SMALL = 15  # distance of positions up to which numpy sorts by insertion
_BLOCK = re.compile(r"(.*\b(?:finalBlock|ResLTBlocks\.\d+))\.[01]\.\w+")


def classes_from_the_rarest(class_counts: Sequence[int]) -> tuple[int, ...]:
    """The order in which networks for ImageNet-LT and iNaturalist have classes.

    It is `np.argsort(class_counts)` of the numpy of that time. Classes of
    equal counts come in an order that is neither that of their ids nor that of
    a newer numpy on a newer CPU, so the same quicksort is done here.

    Args:
        class_counts: Training images per class, in class-id order.

    Returns:
        Class ids, for `class_order` of `from_released`.

    Example:
        >>> classes_from_the_rarest([30, 10, 20])
        (1, 2, 0)

    Source: `jiequancui/ResLT:ImageNetLT/datasets/imagenet.py`;
        `numpy/numpy:numpy/core/src/npysort/quicksort.c.src`.
    """
    order = list(range(len(class_counts)))
    waiting = [(0, len(order) - 1)]
    while waiting:
        low, high = waiting.pop()
        if high - low > SMALL:
            middle = _partition(order, class_counts, low, high)
            waiting += [(low, middle - 1), (middle + 1, high)]
        else:  # Python's sort is stable, as that by insertion is
            part = slice(low, high + 1)
            order[part] = sorted(order[part], key=lambda c: class_counts[c])
    return tuple(order)


def _partition(order, counts, low, high):
    """Put the median of three where it belongs; return where that is."""

    def swap(i, j):
        order[i], order[j] = order[j], order[i]

    middle = (low + high) // 2
    for i, j in ((low, middle), (middle, high), (low, middle)):
        if counts[order[j]] < counts[order[i]]:
            swap(i, j)
    pivot = counts[order[middle]]
    swap(middle, high - 1)
    i, j = low, high - 1
    while True:
        i, j = i + 1, j - 1
        while counts[order[i]] < pivot:
            i += 1
        while pivot < counts[order[j]]:
            j -= 1
        if i >= j:
            break
        swap(i, j)
    swap(i, high - 1)
    return i


def first_branches(state: State, number: int) -> dict[str, np.ndarray]:
    """A state dict of ResLT without its last branches.

    The networks for iNaturalist have a third branch, which is neither trained
    nor evaluated; here they have two.

    Args:
        state: Arrays by name; those of the normalisation form stay.
        number: Branches that stay, at most as many as there are.

    Source: `jiequancui/ResLT:Inat/iNaturalTrain_reslt.py`.
    """
    kept = {}
    for name, array in state.items():
        match = _BLOCK.fullmatch(name)
        if match and np.ndim(array):
            features = state[f"{match[1]}.0.weight"].shape[1]
            array = array[: number * features]
        kept[name] = array
    return kept
