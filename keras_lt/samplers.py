"""Which training image comes next: streams of indices.

A sampler is called with the labels, a seed and an epoch and returns the whole
epoch's indices. The same three give the same indices, so a run resumes at any
epoch without replaying the ones before; cycles of a class's images go on from
epoch to epoch all the same.
"""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from keras_lt import stats
from keras_lt.checking import checked
from keras_lt.shuffled_cycles import next_of_cycles, start, uniform

BLOCK = 1 << 14  # images that are shuffled together
OF_NUMBERS, OF_CLASSES, OF_IMAGES = 1, 2, 3  # what random numbers are for


@checked
@dataclasses.dataclass(frozen=True)
class InstanceBalanced:
    """Every image once an epoch, in a new order: the natural distribution.

    See also: `ClassBalanced`; `SquareRoot`, between them.

    Example:
        >>> sorted(InstanceBalanced()([0, 0, 1], seed=0, epoch=0).tolist())
        [0, 1, 2]
    """

    def __call__(self, labels, seed: int, epoch: int) -> np.ndarray:
        """Return `len(labels)` indices."""
        return np.random.default_rng((seed, epoch)).permutation(len(labels))


@dataclasses.dataclass(frozen=True)
class _ClassSampler:
    """Draw a class, then the next image of that class's shuffled cycles.

    The cycles go on through the epochs: at any time no image of a class has
    been drawn more than once more often than another one of it. How far they
    have come is not remembered, but known from the numbers of draws.
    """

    def weights(self, counts: np.ndarray, epoch: int) -> np.ndarray:
        """Relative probability of drawing each of the classes present."""
        raise NotImplementedError

    def drawn(
        self, counts: np.ndarray, seed: int, epoch: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Classes of an epoch's draws, and the draws of each before it.

        Args:
            counts: Images of the classes present.
            seed: Of the run.
            epoch: From 0.

        Returns:
            Positions among the classes, one for each image; and `(C,)` ints.
        """
        weights = np.stack(
            [self.weights(counts, past) for past in range(epoch + 1)]
        )
        # One stream for all epochs: its rows do not depend on their number.
        random = np.random.default_rng((seed, 0, OF_NUMBERS))
        each = random.multinomial(
            int(counts.sum()), weights / weights.sum(1, keepdims=True)
        )
        # Narrow integers are sorted by their digits, several times faster.
        names = np.arange(len(counts), dtype=np.min_scalar_type(len(counts)))
        random = np.random.default_rng((seed, epoch, OF_CLASSES))
        draws = random.permutation(np.repeat(names, each[epoch]))
        return draws, each[:epoch].sum(0)

    def __call__(self, labels, seed: int, epoch: int) -> np.ndarray:
        """Return `len(labels)` indices."""
        labels = np.asarray(labels)
        _, counts = np.unique(labels, return_counts=True)
        draws, before = self.drawn(counts, seed, epoch)
        wanted = np.bincount(draws, minlength=len(counts))
        # Draws of a class together, and its images.
        where = np.argsort(draws, kind="stable").astype("int32")
        del draws
        by_class = np.argsort(labels, kind="stable").astype("int32")
        key = start(seed, OF_IMAGES)
        order = np.empty(len(labels), "int64")
        for first, last in _blocks(np.maximum(counts, wanted)):
            few = slice(first, last)
            image, place = counts[:first].sum(), wanted[:first].sum()
            places = where[place : place + wanted[few].sum()]
            chosen = next_of_cycles(
                key, image, counts[few], before[few], wanted[few]
            )
            order[places] = by_class[chosen]
        return order


def _blocks(sizes: np.ndarray) -> Iterator[tuple[int, int]]:
    """First and last class of blocks whose numbers fit into a cache."""
    number = np.cumsum(sizes) // BLOCK
    bounds = [0, *np.flatnonzero(np.diff(number)) + 1, len(sizes)]
    return zip(bounds[:-1], bounds[1:], strict=True)


@checked
@dataclasses.dataclass(frozen=True)
class ClassBalanced(_ClassSampler):
    """Every class is equally likely.

    See also: `InstanceBalanced`; `ClassAware`; `ProgressivelyBalanced`.

    Source: Kang et al., ICLR 2020 (the sampling of cRT and LWS).
    """

    def weights(self, counts, epoch):
        """Return equal weights."""
        return np.ones_like(counts)


@checked
@dataclasses.dataclass(frozen=True)
class SquareRoot(_ClassSampler):
    """A class is as likely as the square root of its size.

    See also: `ClassBalanced`; `EffectiveNumber`.

    Source: Mahajan et al., ECCV 2018.
    """

    def weights(self, counts, epoch):
        """Return the square roots of the counts."""
        return np.sqrt(counts)


@checked
@dataclasses.dataclass(frozen=True)
class EffectiveNumber(_ClassSampler):
    """An image is as likely as the inverse effective number of its class.

    Between instance-balanced (`beta=0`) and class-balanced (`beta` near 1).

    Args:
        beta: See `stats.effective_numbers`, in [0, 1).

    See also: `losses.ClassBalancedLoss`, which weighs by it; `SquareRoot`.

    Source: Cui et al., CVPR 2019.
    """

    beta: float = 0.9999

    def weights(self, counts, epoch):
        """Return the counts over the effective numbers."""
        return counts / stats.effective_numbers(counts, self.beta)


@checked
@dataclasses.dataclass(frozen=True)
class ProgressivelyBalanced(_ClassSampler):
    """From instance-balanced in the first epoch to class-balanced in the last.

    Args:
        epochs: Epochs in all, >= 1.

    See also: `InstanceBalanced` and `ClassBalanced`, its ends.

    Source: Kang et al., ICLR 2020, eq. 2.
    """

    epochs: int

    def weights(self, counts, epoch):
        """Return the blend of the two class distributions."""
        t = min(epoch / max(self.epochs - 1, 1), 1)
        return (1 - t) * counts / counts.sum() + t / len(counts)


@checked
@dataclasses.dataclass(frozen=True)
class ClassAware(_ClassSampler):
    """All classes in turn, some images in a row of each.

    Classes come in a shuffled order, each once before any comes again, and
    each visit takes the next images of that class's shuffled cycle.

    Args:
        in_a_row: Images of a visit, >= 1.

    See also: `ClassBalanced`.

    Source: Shen et al., ECCV 2016; `MCG-NJU/SSD-LT`, 2 in a row.
    Differs from the released code: rounds go on through the epochs, where
        `SSD-LT` begins a new one with each; replicas share one stream.
    """

    in_a_row: int = 2

    def drawn(
        self, counts: np.ndarray, seed: int, epoch: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return a part of the rounds of all classes, see `_ClassSampler`."""
        total, number = int(counts.sum()), len(counts)
        first = epoch * total // (self.in_a_row * number)  # whole rounds
        last = -(-(epoch + 1) * total // (self.in_a_row * number))
        rounds = np.arange(first, last)[:, None]
        draw = uniform(start(seed, OF_CLASSES), np.arange(number), rounds)
        order = np.argsort(draw, axis=1)  # (rounds, C)
        draws = np.repeat(order.ravel(), self.in_a_row)
        begin = epoch * total - first * number * self.in_a_row
        before = np.bincount(draws[:begin], minlength=number)
        return (
            draws[begin : begin + total].astype(np.min_scalar_type(number)),
            before + first * self.in_a_row,
        )


Sampler = Callable[[Any, int, int], np.ndarray]
SAMPLERS: dict[str, Callable[[int], Sampler]] = {
    "instance": lambda epochs: InstanceBalanced(),
    "class": lambda epochs: ClassBalanced(),
    "class_aware": lambda epochs: ClassAware(),
    "square_root": lambda epochs: SquareRoot(),
    "effective_number": lambda epochs: EffectiveNumber(),
    "progressive": ProgressivelyBalanced,
}
