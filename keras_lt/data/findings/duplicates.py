"""Images that are there twice."""

from collections.abc import Iterator

import numpy as np

from keras_lt.data.findings.looks import FLAT, Looks

BITS = 3  # of 64 in which hashes of similar images may differ
LEVELS = 8.0  # of 255 in which their small copies may, in the mean
CROWD = 100  # a hash that more images share says nothing
BANDS = 4  # one of them is equal, if no more than 3 bits differ

Pair = tuple[int, int]


def exact_duplicates(looks: Looks) -> list[list[int]]:
    """Groups of positions with equal pixels, each in order."""
    order = np.argsort(looks.digest, kind="stable")
    sorted_digests = looks.digest[order]
    starts = np.flatnonzero(
        np.append(True, sorted_digests[1:] != sorted_digests[:-1])
        if len(order)
        else []
    )
    groups = np.split(order, starts[1:]) if len(order) else []
    found = [group.tolist() for group in groups if len(group) > 1]
    return sorted(found)


def near_duplicates(looks: Looks) -> list[Pair]:
    """Pairs of positions that look alike without being equal.

    Their difference hashes are at most 3 bits apart, and their small copies a
    few levels; images of one colour, which all look alike, are left out. Found
    without comparing all pairs: of four quarters of such hashes one at least
    is equal.
    """
    pairs = {pair for pair in _candidates(looks) if _alike(looks, *pair)}
    return sorted(pairs)


def _candidates(looks: Looks) -> Iterator[Pair]:
    quarters = looks.hash.view("uint16").reshape(-1, BANDS)
    for quarter in quarters.T:
        order = np.argsort(quarter, kind="stable")
        values = quarter[order]
        starts = np.flatnonzero(np.diff(values, prepend=-1.0))
        for group in np.split(order, starts[1:]):
            if 1 < len(group) <= CROWD:
                yield from _close(looks, np.sort(group))


def _close(looks, group):
    """Pairs of a group with close hashes."""
    apart = looks.hash[group, None] ^ looks.hash[None, group]
    close = np.bitwise_count(apart) <= BITS
    for i, j in np.argwhere(np.triu(close, 1)):
        yield int(group[i]), int(group[j])


def _alike(looks, i, j):
    flat = min(looks.contrast[i], looks.contrast[j]) < FLAT
    if flat or looks.digest[i] == looks.digest[j]:
        return False
    apart = np.abs(looks.small[i].astype(float) - looks.small[j])
    return apart.mean() <= LEVELS
