"""Which training image comes next: streams of indices.

A sampler is called with the labels, a seed and an epoch and returns the whole
epoch's indices. The same three give the same indices, so a run resumes at any
epoch without replaying the ones before.
"""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from keras_lt import stats

BLOCK = 1 << 14  # images that are shuffled together


@dataclasses.dataclass(frozen=True)
class InstanceBalanced:
    """Every image once an epoch, in a new order: the natural distribution.

    Example:
        >>> sorted(InstanceBalanced()([0, 0, 1], seed=0, epoch=0).tolist())
        [0, 1, 2]
    """

    def __call__(self, labels, seed: int, epoch: int) -> np.ndarray:
        """Return `len(labels)` indices."""
        return np.random.default_rng((seed, epoch)).permutation(len(labels))


@dataclasses.dataclass(frozen=True)
class _ClassSampler:
    """Draw a class, then the next image of that class's shuffled cycle."""

    def weights(self, counts: np.ndarray, epoch: int) -> np.ndarray:
        """Relative probability of drawing each of the classes present."""
        raise NotImplementedError

    def draws(
        self, random: np.random.Generator, counts: np.ndarray, epoch: int
    ) -> np.ndarray:
        """Positions among the classes present, one for each image."""
        weights = self.weights(counts, epoch)
        return random.choice(
            len(counts), int(counts.sum()), p=weights / weights.sum()
        )

    def __call__(self, labels, seed: int, epoch: int) -> np.ndarray:
        """Return `len(labels)` indices."""
        labels = np.asarray(labels)
        random = np.random.default_rng((seed, epoch))
        _, counts = np.unique(labels, return_counts=True)
        draws = self.draws(random, counts.astype("float64"), epoch)
        # Narrow integers are sorted by their digits, several times faster.
        draws = draws.astype(np.min_scalar_type(len(counts)))
        wanted = np.bincount(draws, minlength=len(counts))
        # Draws of a class together, and its images.
        where = np.argsort(draws, kind="stable").astype("int32")
        del draws
        by_class = np.argsort(labels, kind="stable").astype("int32")
        order = np.empty(len(labels), "int64")
        for first, last in _blocks(np.maximum(counts, wanted)):
            few = slice(first, last)
            image, place = counts[:first].sum(), wanted[:first].sum()
            places = where[place : place + wanted[few].sum()]
            images = by_class[image : image + counts[few].sum()]
            order[places] = images[_cycles(random, counts[few], wanted[few])]
        return order


def _blocks(sizes: np.ndarray) -> Iterator[tuple[int, int]]:
    """First and last class of blocks whose numbers fit into a cache."""
    number = np.cumsum(sizes) // BLOCK
    bounds = [0, *np.flatnonzero(np.diff(number)) + 1, len(sizes)]
    return zip(bounds[:-1], bounds[1:], strict=True)


def _cycles(random, counts: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The first `wanted` of each class's shuffled cycles.

    Args:
        random: Where the shuffles come from.
        counts: Images of each class; they are numbered class by class.
        wanted: How many to return of each class.
    """
    cycles = -(-wanted // counts)
    length = np.repeat(counts, cycles)  # of each cycle of each class
    cycle = np.repeat(np.arange(len(length)), length)
    # What the cycles hold, one after the other: each the class's images.
    image = np.repeat(_starts(counts), cycles)
    image = np.arange(len(cycle)) + np.repeat(image - _starts(length), length)
    shuffled = image[np.argsort(cycle + random.random(len(cycle)))]
    whole = cycles * counts
    rank = np.arange(len(cycle)) - np.repeat(_starts(whole), whole)
    return shuffled[rank < np.repeat(wanted, whole)]


def _starts(lengths: np.ndarray) -> np.ndarray:
    return np.cumsum(lengths) - lengths


@dataclasses.dataclass(frozen=True)
class ClassBalanced(_ClassSampler):
    """Every class is equally likely.

    Source: Kang et al., ICLR 2020 (the sampling of cRT and LWS).
    """

    def weights(self, counts, epoch):
        """Return equal weights."""
        return np.ones_like(counts)


@dataclasses.dataclass(frozen=True)
class SquareRoot(_ClassSampler):
    """A class is as likely as the square root of its size.

    Source: Mahajan et al., ECCV 2018.
    """

    def weights(self, counts, epoch):
        """Return the square roots of the counts."""
        return np.sqrt(counts)


@dataclasses.dataclass(frozen=True)
class EffectiveNumber(_ClassSampler):
    """An image is as likely as the inverse effective number of its class.

    Between instance-balanced (`beta=0`) and class-balanced (`beta` near 1).

    Args:
        beta: See `stats.effective_numbers`, in [0, 1).

    Source: Cui et al., CVPR 2019.
    """

    beta: float = 0.9999

    def weights(self, counts, epoch):
        """Return the counts over the effective numbers."""
        return counts / stats.effective_numbers(counts, self.beta)


@dataclasses.dataclass(frozen=True)
class ProgressivelyBalanced(_ClassSampler):
    """From instance-balanced in the first epoch to class-balanced in the last.

    Args:
        epochs: Epochs in all, >= 1.

    Source: Kang et al., ICLR 2020, eq. 2.
    """

    epochs: int

    def weights(self, counts, epoch):
        """Return the blend of the two class distributions."""
        t = min(epoch / max(self.epochs - 1, 1), 1)
        return (1 - t) * counts / counts.sum() + t / len(counts)


@dataclasses.dataclass(frozen=True)
class ClassAware(_ClassSampler):
    """All classes in turn, some images in a row of each.

    Classes come in a shuffled order, each once before any comes again, and
    each visit takes the next images of that class's shuffled cycle.

    Args:
        in_a_row: Images of a visit, >= 1.

    Source: Shen et al., ECCV 2016; `MCG-NJU/SSD-LT`, 2 in a row.
    """

    in_a_row: int = 2

    def draws(
        self, random: np.random.Generator, counts: np.ndarray, epoch: int
    ) -> np.ndarray:
        """Return whole rounds of all classes, cut to the number of images."""
        total = int(counts.sum())
        rounds = -(-total // (self.in_a_row * len(counts)))
        order = [random.permutation(len(counts)) for _ in range(rounds)]
        return np.repeat(np.concatenate(order), self.in_a_row)[:total]


Sampler = Callable[[Any, int, int], np.ndarray]
SAMPLERS: dict[str, Callable[[int], Sampler]] = {
    "instance": lambda epochs: InstanceBalanced(),
    "class": lambda epochs: ClassBalanced(),
    "class_aware": lambda epochs: ClassAware(),
    "square_root": lambda epochs: SquareRoot(),
    "effective_number": lambda epochs: EffectiveNumber(),
    "progressive": ProgressivelyBalanced,
}
