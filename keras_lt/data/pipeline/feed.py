"""The batches of one `fit`, and what a training step makes of them."""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from keras_lt.data.pipeline.assembler import Assembler
from keras_lt.data.pipeline.plan import Plan


class Numbered:
    """Batches by their number, from 0.

    Args:
        plan: What they are made of.
        assembler: Makes them here, on the host; None leaves them as they are
            planned, for the training step.
    """

    def __init__(self, plan: Plan, assembler: Assembler | None = None):
        self.plan = plan
        self.assembler = assembler

    def __getitem__(self, i: int) -> tuple:
        """Inputs and labels of batch i; or its plan alone."""
        planned = self.plan[i]
        if self.assembler is None:
            return (planned,)
        return self.assembler(self.assembler.arrays, planned, np)


class Feed:
    """The batches of one `fit`; `Loader.feed` makes it.

    `fit` iterates over `batches`. Where the training step makes them
    (`in_step`), `training.fuse_steps(..., data=feed)` needs the feed as well:
    on TensorFlow the step is given what is planned of each batch; on JAX, for
    which Keras would send each small array to the device by itself and split
    it over devices, what passes through `fit` is empty, and the step takes the
    plans from here.

    Args:
        numbered: The batches.
        assembler: Makes those that are only planned.
        in_step: Whether the training step makes, or takes, the batches.

    Attributes:
        batches: What `fit` iterates over, endless.
        arrays: What the step makes batches of, by name.
        waited: Seconds for which training waited for batches, so far.
    """

    def __init__(
        self, numbered: Numbered, assembler: Assembler, *, in_step: bool
    ):
        self.numbered = numbered
        self.in_step = in_step
        self.batches: Any = Passed(self)
        self.waited = 0.0
        self.position = 0
        self._assembler = assembler
        self._planned = numbered.assembler is None
        self.arrays = assembler.arrays if self._planned else {}

    def __call__(self, arrays: dict[str, Any], batch: tuple, ops: Any) -> tuple:
        """Make a batch, in the step.

        Args:
            arrays: `self.arrays`, where they are to be read.
            batch: What `fit` passes on, or on JAX one of `take`.
            ops: `keras.ops`.
        """
        if not self._planned:
            return batch
        (planned,) = batch
        return self._assembler(arrays, planned, ops)

    def take(self, number: int) -> list[tuple]:
        """The batches that come next, on JAX where `in_step`."""
        first = self.position
        self.position += number
        with self.wait():
            return [self.numbered[i] for i in range(first, self.position)]

    def example(self) -> tuple[Any, Any]:
        """Make a batch of one image, to build a model with."""
        return self._assembler.example()

    @contextlib.contextmanager
    def wait(self) -> Iterator[None]:
        """Count the time in which the context is open as `waited`."""
        start = time.perf_counter()
        yield
        self.waited += time.perf_counter() - start


class Passed(keras.utils.PyDataset):
    """What passes through Keras of a feed's batches.

    Args:
        feed: A `Feed`.
    """

    def __init__(self, feed: Feed):
        super().__init__()
        self.feed = feed

    @property
    def num_batches(self) -> None:
        """None: endless."""
        return None

    def __getitem__(self, i: int) -> tuple:
        """Batch i; nothing of it, if the step takes it from the feed."""
        if not self.feed.in_step:
            with self.feed.wait():
                return self.feed.numbered[i]
        if i == 0:  # `fit` begins once more
            self.feed.position = 0
        return ((),)
