"""What makes up batch i: indices, pixels, and what goes with them."""

import contextlib
import dataclasses
import functools
import threading
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_lt.data.image_files import ImageFiles
from keras_lt.devices import local_replicas, replicas, tf_strategy


class Plan:
    """Which images make up batch i, and what is drawn for them.

    Where replicas of TensorFlow share each batch, item j is the share of one
    of this process's R replicas, in turn: of batch j // R. A batch that does
    not divide over all replicas goes whole to each of them: the mean of their
    gradients is still that of the batch, though the metrics of training count
    it once for each.
    """

    def __init__(self, loader, stage, seed, first_epoch):
        self.drawn_for = _shape_for_draws(loader.pixels)
        self.augments = [loader.augment, loader.second_view]
        self.augments = self.augments[: 1 + stage.two_views]
        self.batch_size = stage.batch_size
        self.seed = seed
        self.steps = loader.steps(stage)
        self.first_epoch = first_epoch
        self.order = functools.lru_cache(2)(
            lambda epoch: stage.sampler(loader.labels, seed, epoch)
        )
        self.ordering = threading.Lock()  # else each thread asks the sampler
        self.whole = functools.lru_cache(4)(self._whole)
        self.replicas, self.own = 1, range(1)
        if tf_strategy():
            self.replicas, self.own = replicas(), local_replicas()

    def __getitem__(self, j):
        """Positions of the images, and the draws of each view."""
        i, number = divmod(j, len(self.own))
        batch = self.whole(i)
        images = len(batch["index"])
        if self.replicas == 1 or images % self.replicas:
            return batch
        share = images // self.replicas
        start = self.own[number] * share
        part = slice(start, start + share)
        return keras.tree.map_structure(lambda array: array[part], batch)

    def _whole(self, i):
        epoch, step = divmod(i, self.steps)
        epoch += self.first_epoch
        start = step * self.batch_size
        with self.ordering:
            index = self.order(epoch)[start : start + self.batch_size]
        draws = []
        for view, augment in enumerate(self.augments):
            random = np.random.default_rng((self.seed, epoch, step, view))
            draws.append(augment.draw(random, len(index), *self.drawn_for))
        return {"index": index, "draws": tuple(draws)}


class Assembler:
    """Makes batches out of what a `Plan` says, on the host or the device.

    Args:
        loader: A `Loader`.
        two_views: Whether to make two views of each image.
        soft_labels: One row for each training image, or None.

    Attributes:
        arrays: What batches are taken from, by name.
        planned: Batches of a `Plan` that wait to be made, on JAX.
    """

    def __init__(self, loader, two_views, soft_labels):
        self.augments = [loader.augment, loader.second_view][: 1 + two_views]
        self.planned = loader.planned
        self.arrays = {"images": loader.pixels, "labels": loader.labels}
        if soft_labels is not None:
            self.arrays["soft_labels"] = soft_labels

    def __call__(
        self, arrays: dict[str, Any], batch: dict[str, Any], ops: Any
    ) -> tuple[Any, Any]:
        """Make a batch, in the form that `Loader.train` describes.

        Args:
            arrays: `self.arrays`, where they are to be read.
            batch: Of a `Plan`.
            ops: numpy or `keras.ops`.
        """
        index = batch["index"]
        labels = ops.take(arrays["labels"], index, axis=0)
        on_disk = isinstance(arrays["images"], ImageFiles)
        if not on_disk:
            pixels = ops.take(arrays["images"], index, axis=0)
        views = []
        for augment, draws in zip(self.augments, batch["draws"], strict=True):
            if on_disk:  # a window is read, not cut out
                pixels = arrays["images"].read(index, draws.get("window"))
                draws = {k: v for k, v in draws.items() if k != "window"}
            images = augment.apply(pixels, draws, ops)
            for layer in augment.layers:
                images = layer(images.astype("float32"), training=True)
                images = keras.ops.convert_to_numpy(images)
            if images.shape[1:] != pixels.shape[1:]:
                raise ValueError(
                    f"`augment` must keep images {pixels.shape[1:]}, got "
                    f"{images.shape[1:]}"
                )
            views.append(images)
        if len(views) > 1:
            return (*views, labels), labels
        if "soft_labels" in arrays:
            soft_labels = ops.take(arrays["soft_labels"], index, axis=0)
            return (views[0], soft_labels), labels
        return views[0], labels

    def leave_layers(self) -> tuple[Callable, ...]:
        """Leave the layers of the one view to the caller; return them."""
        (augment,) = self.augments
        self.augments = [dataclasses.replace(augment, layers=())]
        return augment.layers

    def example(self) -> tuple[Any, Any]:
        """Make a batch of one image, to build a model with."""
        random = np.random.default_rng(0)
        shape = _shape_for_draws(self.arrays["images"])
        draws = [augment.draw(random, 1, *shape) for augment in self.augments]
        batch = {"index": np.zeros(1, int), "draws": draws}
        return self(self.arrays, batch, np)


def _shape_for_draws(images):
    """Height, width and depth; images on disk have sizes of their own."""
    if isinstance(images, ImageFiles):
        return (None, None, images.shape[-1])
    return images.shape[1:]


class Made:
    """What `fuse_steps` takes where batches are whole before the step.

    Args:
        assemble: The `Assembler` that makes them.

    Attributes:
        arrays: None are needed on the device.
        planned: Whole batches that wait, see `Announced`.
    """

    def __init__(self, assemble):
        self.assemble = assemble
        self.arrays = {}
        self.planned = assemble.planned

    def __call__(self, arrays, batch, ops):
        """Return the batch."""
        return batch

    def example(self):
        """Make a batch of one image, to build a model with."""
        return self.assemble.example()


class Batches(keras.utils.PyDataset):
    """Endless batches by their number.

    Args:
        plan: A `Plan`.
        assemble: An `Assembler` that makes them here; None leaves them as they
            are planned, for the device.
        wait: Makes a context in which time counts as waiting for input.
    """

    def __init__(self, plan, assemble=None, wait=contextlib.nullcontext):
        super().__init__()
        self.plan = plan
        self.assemble = assemble
        self.wait = wait

    @property
    def num_batches(self):
        """None: endless."""
        return None

    def __getitem__(self, i):
        """Batch i."""
        with self.wait():
            batch = self.plan[i]
            if self.assemble is None:
                return (batch,)
            return self.assemble(self.assemble.arrays, batch, np)


class Slices(keras.utils.PyDataset):
    """Inputs and labels in order, once, a batch at a time.

    Args:
        inputs: Nested tuples of arrays or `ImageFiles`, of one length.
        labels: Class ids of the same length.
        batch_size: Images at a time.
    """

    def __init__(self, inputs, labels, batch_size):
        super().__init__()
        self.arrays = (inputs, labels)
        self.batch_size = batch_size
        self.length = len(labels)

    @property
    def num_batches(self):
        """Batches, the last one maybe smaller."""
        return -(-self.length // self.batch_size)

    def __getitem__(self, i):
        """Batch i."""
        part = slice(i * self.batch_size, (i + 1) * self.batch_size)
        return keras.tree.map_structure(lambda a: a[part], self.arrays)


class Announced(Batches):
    """Batches that are planned here, but do not pass through Keras.

    It would send each of their small arrays to the device by itself, and
    split them over devices. They wait in `planned`, in order.

    Args:
        plan: A `Plan`.
        planned: A `collections.deque`.
        wait: See `Batches`.
    """

    def __init__(self, plan, planned, wait):
        super().__init__(plan, None, wait)
        self.planned = planned

    def __getitem__(self, i):
        """Nothing, for batch i."""
        if i == 0:  # a new `fit`
            self.planned.clear()
        self.planned += super().__getitem__(i)
        return ((),)
