"""Cycles of shuffles, and random numbers, at any place without what is before.

A generator of numpy gives its numbers in turn. Here each is a function of its
place (SplitMix64, Steele et al., OOPSLA 2014), and all are made at once.
"""

import numpy as np

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX = np.array([0xBF58476D1CE4E5B9, 0x94D049BB133111EB], "uint64")


def next_of_cycles(
    key: np.uint64,
    first: int,
    counts: np.ndarray,
    before: np.ndarray,
    wanted: np.ndarray,
) -> np.ndarray:
    """The next images of each class's endless cycles, each shuffled anew.

    Args:
        key: Of `start`: where the shuffles come from.
        first: Number of the first image; they are numbered class by class.
        counts: Images of each class.
        before: How many images of each class's cycles to pass over.
        wanted: How many to return of each class.

    Returns:
        Numbers of images, class by class.

    Example:
        >>> two, five = np.array([2]), np.array([5])
        >>> images = next_of_cycles(start(0, 1), 10, two, 2 * two, five)
        >>> sorted(images[:4].tolist()), len(images)
        ([10, 10, 11, 11], 5)
    """
    begun = before // counts  # number of the first cycle that is needed
    cycles = np.where(wanted, -(-(before + wanted) // counts) - begun, 0)
    length = np.repeat(counts, cycles)  # of each cycle of each class
    number = np.arange(len(length)) - np.repeat(_starts(cycles), cycles)
    number += np.repeat(begun, cycles)
    cycle = np.repeat(np.arange(len(length)), length)
    # What the cycles hold, one after the other: each the class's images.
    image = np.repeat(first + _starts(counts), cycles)
    image = np.arange(len(cycle)) + np.repeat(image - _starts(length), length)
    draw = uniform(key, image, number[cycle])
    shuffled = image[np.argsort(cycle + draw)]
    whole = cycles * counts
    rank = np.arange(len(cycle)) - np.repeat(_starts(whole), whole)
    rank -= np.repeat(before - begun * counts, whole)
    return shuffled[(rank >= 0) & (rank < np.repeat(wanted, whole))]


def start(seed: int, purpose: int) -> np.uint64:
    """Where numbers of one purpose begin: different ones do not meet.

    Args:
        seed: Of the run.
        purpose: A small number > 0.
    """
    words = np.random.SeedSequence((seed, 0, purpose))
    return words.generate_state(1, "uint64")[0]


def uniform(
    key: np.uint64, stream: np.ndarray, number: np.ndarray
) -> np.ndarray:
    """Numbers in [0, 1) at places of many streams.

    Args:
        key: Of `start`.
        stream: Which streams, as ints.
        number: Which place in each, as ints that broadcast with `stream`.

    Returns:
        One float for each place.

    Example:
        >>> values = uniform(start(0, 1), np.arange(10_000), np.array(7))
        >>> round(float(values.mean()), 1)
        0.5
    """
    streams = _mixed(key + stream.astype("uint64"))
    values = _mixed(streams + number.astype("uint64") * GOLDEN)
    return (values >> np.uint64(11)) * 2.0**-53


def _starts(lengths: np.ndarray) -> np.ndarray:
    return np.cumsum(lengths) - lengths


def _mixed(values: np.ndarray) -> np.ndarray:
    """Mix all bits of 64-bit integers."""
    values = (values ^ (values >> np.uint64(30))) * MIX[0]
    values = (values ^ (values >> np.uint64(27))) * MIX[1]
    return values ^ (values >> np.uint64(31))
