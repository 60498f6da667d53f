"""Which images make up batch i, and what is drawn for them."""

import functools
import threading
from typing import Any

import keras
import numpy as np

from keras_lt.data.pipeline.batching import Batching
from keras_lt.data.sources.image_files import ImageFiles
from keras_lt.data.transforms.augment import Augment
from keras_lt.devices import local_replicas, replicas, tf_strategy

Images = np.ndarray | ImageFiles


class Plan:
    """Which images make up batch i, and what is drawn for them.

    Where replicas of TensorFlow share each batch, item j is the share of one
    of this process's R replicas, in turn: of batch j // R. A batch that does
    not divide over all replicas goes whole to each of them: the mean of their
    gradients is still that of the batch, though the metrics of training count
    it once for each.

    Args:
        images: What batches are made of.
        labels: Their class ids `(N,)`.
        augments: What happens to each view.
        batching: How images become batches.
        steps: Batches of an epoch.
        seed: Of sampling and augmentation.
        first_epoch: Epoch of the first batch.
        first_step: Its step in that epoch.
    """

    def __init__(
        self,
        images: Images,
        labels: np.ndarray,
        augments: tuple[Augment, ...],
        batching: Batching,
        *,
        steps: int,
        seed: int,
        first_epoch: int,
        first_step: int = 0,
    ):
        self.images = images
        self.augments = augments
        self.batch_size = batching.batch_size
        self.steps = steps
        self.seed = seed
        self.first_epoch = first_epoch
        self.first_step = first_step
        self.order = functools.lru_cache(2)(
            lambda epoch: batching.sampler(labels, seed, epoch)
        )
        self.repeats = functools.lru_cache(2)(
            lambda epoch: times_before(self.order(epoch))
        )
        self.ordering = threading.Lock()  # else each thread asks the sampler
        self.whole = functools.lru_cache(4)(self._whole)
        self.replicas, self.own = 1, range(1)
        if tf_strategy():
            self.replicas, self.own = replicas(), local_replicas()

    def __getitem__(self, j: int) -> dict[str, Any]:
        """Positions of the images, and the draws of each view."""
        i, number = divmod(j, len(self.own))
        i += self.first_step
        batch, replica = self.whole(i), 0
        images = len(batch["index"])
        if self.replicas > 1 and not images % self.replicas:
            replica, images = self.own[number], images // self.replicas
            part = slice(replica * images, (replica + 1) * images)
            batch = keras.tree.map_structure(lambda array: array[part], batch)
        if any(augment.transforms for augment in self.augments):
            # Not cut: they may name partners in what a replica has.
            randoms = self._randoms(i, 1 + replica)
            drawn = draw_transforms(self.images, self.augments, images, randoms)
            batch = batch | {"transforms": drawn}
        return batch

    def _whole(self, i):
        epoch, step = divmod(i, self.steps)
        start = step * self.batch_size
        part = slice(start, start + self.batch_size)
        with self.ordering:
            index = self.order(epoch + self.first_epoch)[part]
            repeats = np.zeros(len(index), int)
            if any(augment.policies for augment in self.augments):
                repeats = self.repeats(epoch + self.first_epoch)[part]
        randoms = self._randoms(i)
        epoch += self.first_epoch
        draws = draw(self.images, self.augments, repeats, randoms, epoch)
        return {"index": index, "draws": draws}

    def _randoms(self, i, *more):
        """A generator for each view of a batch."""
        epoch, step = divmod(i, self.steps)
        epoch += self.first_epoch
        return [
            np.random.default_rng((self.seed, epoch, step, view, *more))
            for view in range(len(self.augments))
        ]


def times_before(order: np.ndarray) -> np.ndarray:
    """How often each entry occurs before itself.

    Args:
        order: Numbers `(N,)`.

    Returns:
        int `(N,)`.

    Example:
        >>> times_before(np.array([7, 3, 7, 7, 3])).tolist()
        [0, 0, 1, 2, 1]
    """
    together = np.argsort(order, kind="stable")
    numbers = np.arange(len(order))
    new = np.diff(order[together], prepend=-1) != 0
    first = np.maximum.accumulate(np.where(new, numbers, 0))
    times = np.empty_like(numbers)
    times[together] = numbers - first
    return times


def draw(
    images: Images,
    augments: tuple[Augment, ...],
    repeats: np.ndarray,
    randoms: list[np.random.Generator],
    epoch: int = 0,
) -> tuple[dict[str, Any], ...]:
    """Draw the augmentation of each view.

    Args:
        images: What the batch is made of; files have sizes of their own.
        augments: What happens to each view.
        repeats: How often each image came before in its epoch `(B,)`.
        randoms: Where the draws of each view come from.
        epoch: From 0, of the stage.
    """
    on_disk = isinstance(images, ImageFiles)
    shape = (None, None, images.shape[-1]) if on_disk else images.shape[1:]
    return tuple(
        augment.draw(random, len(repeats), *shape, epoch=epoch)
        | augment.draw_policies(random, images.shape[1:], repeats)
        for augment, random in zip(augments, randoms, strict=True)
    )


def draw_transforms(
    images: Images,
    augments: tuple[Augment, ...],
    batch: int,
    randoms: list[np.random.Generator],
) -> tuple[tuple[dict[str, np.ndarray], ...], ...]:
    """Draw the transforms of each view of B images; see `draw`."""
    return tuple(
        tuple(
            transform.draw(random, batch, images.shape[1:])
            for transform in augment.transforms
        )
        for augment, random in zip(augments, randoms, strict=True)
    )
