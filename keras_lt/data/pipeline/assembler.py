"""Batches, made out of what a plan says of them."""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_lt.data.pipeline.plan import Images, draw, draw_transforms
from keras_lt.data.sources.image_files import ImageFiles
from keras_lt.data.transforms.augment import Augment


class Assembler:
    """Makes batches out of what a `Plan` says, on the host or the device.

    Args:
        images: What batches are made of.
        labels: Their class ids `(N,)`.
        augments: What happens to each view.
        soft_labels: One row for each training image, or None.

    Attributes:
        arrays: What batches are taken from, by name.
    """

    def __init__(
        self,
        images: Images,
        labels: np.ndarray,
        augments: tuple[Augment, ...],
        soft_labels: np.ndarray | None = None,
    ):
        self.augments = augments
        self.arrays = {"images": images, "labels": labels}
        if soft_labels is not None:
            self.arrays["soft_labels"] = soft_labels

    def __call__(
        self, arrays: dict[str, Any], batch: dict[str, Any], ops: Any
    ) -> tuple[Any, Any]:
        """Make a batch, in the form that `Loader.feed` describes.

        Args:
            arrays: `self.arrays`, where they are to be read.
            batch: Of a `Plan`.
            ops: numpy or `keras.ops`.
        """
        index = batch["index"]
        labels = ops.take(arrays["labels"], index, axis=0)
        pixels = None
        if not isinstance(arrays["images"], ImageFiles):
            pixels = ops.take(arrays["images"], index, axis=0)
        views = []
        for number, augment in enumerate(self.augments):
            draws = batch["draws"][number]
            if pixels is None:  # a window is read, not cut out
                images = arrays["images"].read(index, draws.get("window"))
                draws = {k: v for k, v in draws.items() if k != "window"}
            else:
                images = pixels
            shape = images.shape[1:]
            images = augment.apply(images, draws, ops)
            images = _through_layers(augment.layers, images, shape)
            if augment.transforms:
                images, labels = augment.transform(
                    images, labels, batch["transforms"][number], ops
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
        self.augments = (dataclasses.replace(augment, layers=()),)
        return augment.layers

    def example(self) -> tuple[Any, Any]:
        """Make a batch of one image, to build a model with."""
        of = self.arrays["images"], self.augments
        randoms = [np.random.default_rng(0) for _ in self.augments]
        batch = {
            "index": np.zeros(1, int),
            "draws": draw(*of, np.zeros(1, int), randoms),
            "transforms": draw_transforms(*of, 1, randoms),
        }
        return self(self.arrays, batch, np)


def _through_layers(layers, images, shape):
    """Call layers, which run on the host only."""
    for layer in layers:
        images = layer(images.astype("float32"), training=True)
        images = keras.ops.convert_to_numpy(images)
    if images.shape[1:] != shape:
        raise ValueError(
            f"`augment` must keep images {shape}, got {images.shape[1:]}"
        )
    return images
