"""Index stream to batches, on tf.data or without TensorFlow."""

import os
import sys
from typing import Any

import keras
import numpy as np

from keras_lt.data.augment import Augment, pick_pixels_tf
from keras_lt.data.batches import NumpyBatches, Plan

KINDS = ("numpy", "tf.data")


class Loader:
    """Endless training batches of images in memory.

    Batch i is a function of seed, sampler and i alone, so training resumes
    anywhere, and both kinds give the same images.

    Args:
        train: Images uint8 `(N, H, W, channels)` and labels `(N,)`.
        validation: The same for validation, or None.
        augment: What happens to training images.
        second_view: What happens to the second view of stages with two views;
            `augment` by default.
        kind: `"tf.data"`, or `"numpy"`, which needs no TensorFlow; by default
            the first on the TensorFlow backend, the second elsewhere.

    Raises:
        ValueError: if `kind` is unknown, or numbers of images and labels
            differ.
    """

    def __init__(
        self,
        train: tuple[np.ndarray, np.ndarray],
        *,
        validation: tuple[np.ndarray, np.ndarray] | None = None,
        augment: Augment = Augment(),  # noqa: B008 - frozen
        second_view: Augment | None = None,
        kind: str | None = None,
    ):
        on_tensorflow = keras.backend.backend() == "tensorflow"
        kind = kind or ("tf.data" if on_tensorflow else "numpy")
        if kind not in KINDS:
            raise ValueError(f"`kind` must be one of {KINDS}, got {kind!r}")
        if len(train[0]) != len(train[1]):
            raise ValueError(
                f"`train` must hold one label an image, got {len(train[0])} "
                f"images and {len(train[1])} labels"
            )
        self.pixels, self.labels = train
        self.validation = validation
        self.augment = augment
        self.second_view = second_view or augment
        self.kind = kind

    def steps(self, stage: Any) -> int:
        """Steps of an epoch of a `training.Stage`."""
        whole, rest = divmod(len(self.labels), stage.batch_size)
        steps = whole if stage.drop_remainder else whole + bool(rest)
        if not steps:
            raise ValueError(
                f"`batch_size` must be at most the {len(self.labels)} "
                f"training images, got {stage.batch_size}"
            )
        return steps

    def images(self, stage: Any) -> int:
        """Images of an epoch."""
        return min(len(self.labels), self.steps(stage) * stage.batch_size)

    def train(
        self,
        stage: Any,
        seed: int,
        first_epoch: int = 0,
        soft_labels: np.ndarray | None = None,
    ) -> Any:
        """Batches for `fit(..., steps_per_epoch=...)`.

        They are `(images, labels)`, in stages with two views `((images,
        second views, labels), labels)`, and with soft labels `((images, soft
        labels), labels)`.

        Args:
            stage: Anything with `sampler`, `batch_size`, `drop_remainder` and
                `two_views`, such as a `training.Stage`.
            seed: Of sampling and augmentation.
            first_epoch: Epoch (from 0) of the first batch.
            soft_labels: One row for each training image.
        """
        plan = Plan(self, stage, seed, first_epoch)
        if self.augment.layers and "tensorflow" in sys.modules:
            # Layers of KerasCV draw from TensorFlow's global generator.
            sys.modules["tensorflow"].random.set_seed(seed)
        batches = NumpyBatches(self, plan, stage.two_views, soft_labels)
        if self.kind == "numpy":
            return batches
        if stage.two_views or soft_labels is not None or self.augment.distorts:
            return _tf_wrapped(batches, in_turn=bool(self.augment.layers))
        return _tf_batches(self, plan)

    def validate(self, stage: Any, soft_labels: np.ndarray | None = None):
        """Validation data in the form of the training batches, or None."""
        if self.validation is None:
            return None
        inputs, labels = self.validation
        if stage.two_views:
            inputs = (inputs, inputs, labels)
        elif soft_labels is not None:
            inputs = (inputs, soft_labels)
        if self.kind == "numpy":
            return inputs, labels
        import tensorflow as tf

        slices = tf.data.Dataset.from_tensor_slices((inputs, labels))
        return _untuned(slices.batch(500))


def _tf_wrapped(batches, *, in_turn):
    """A tf.data stream of batches that numpy makes, several at a time."""
    import tensorflow as tf

    example = batches[0]
    parts = keras.tree.flatten(example)

    def batch(i):
        arrays = tf.numpy_function(
            lambda i: keras.tree.flatten(batches[int(i)]),
            [i],
            [tf.as_dtype(part.dtype) for part in parts],
        )
        for array, part in zip(arrays, parts, strict=True):
            array.set_shape((None, *part.shape[1:]))
        return keras.tree.pack_sequence_as(example, arrays)

    calls = None if in_turn else os.cpu_count()
    stream = tf.data.Dataset.counter().map(batch, num_parallel_calls=calls)
    return _untuned(stream.prefetch(2))


def _tf_batches(loader, plan):
    import tensorflow as tf

    augment = loader.augment
    pixels, labels = tf.constant(loader.pixels), tf.constant(loader.labels)

    def plans():
        i = 0
        while True:
            yield plan[i]
            i += 1

    def batch(index, source):
        images = tf.gather(pixels, index)
        if augment.moves_pixels:
            images = pick_pixels_tf(images, source)
        for layer in augment.layers:
            images = layer(tf.cast(images, tf.float32), training=True)
        images = tf.ensure_shape(images, (None, *loader.pixels.shape[1:]))
        return images, tf.gather(labels, index)

    signature = (
        tf.TensorSpec((None,), tf.int64),
        tf.TensorSpec((None, None), tf.int32),
    )
    batches = tf.data.Dataset.from_generator(plans, output_signature=signature)
    # Layers keep a random state: side by side they would race for it.
    calls = None if augment.layers else os.cpu_count()
    batches = batches.map(batch, num_parallel_calls=calls)
    return _untuned(batches.prefetch(2))


def _untuned(dataset):
    """Without tuning: its thread can hold up the end of an iteration."""
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)
