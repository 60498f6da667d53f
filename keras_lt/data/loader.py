"""Index stream to batches, on tf.data or without TensorFlow."""

import functools
import sys
from typing import Any

import keras
import numpy as np

from keras_lt.data.augment import Augment, pick_pixels, pick_pixels_tf

KINDS = ("numpy", "tf.data")


class Loader:
    """Endless training batches of images in memory.

    Batch i is a function of seed, sampler and i alone, so training resumes
    anywhere, and both kinds give the same images.

    Args:
        train: Images `(N, H, W, channels)` and labels `(N,)`.
        validation: The same for validation, or None.
        augment: What happens to training images.
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

    def train(self, stage: Any, seed: int, first_epoch: int = 0) -> Any:
        """Batches `(images, labels)` for `fit(..., steps_per_epoch=...)`.

        Args:
            stage: Anything with `sampler`, `batch_size` and `drop_remainder`,
                such as a `training.Stage`.
            seed: Of sampling and augmentation.
            first_epoch: Epoch (from 0) of the first batch.
        """
        plan = _Plan(self, stage, seed, first_epoch)
        if self.augment.layers and "tensorflow" in sys.modules:
            # Layers of KerasCV draw from TensorFlow's global generator.
            sys.modules["tensorflow"].random.set_seed(seed)
        if self.kind == "numpy":
            return _NumpyBatches(self, plan)
        return _tf_batches(self, plan)


class _Plan:
    """Which images make up batch i, and where their pixels come from."""

    def __init__(self, loader, stage, seed, first_epoch):
        self.size = loader.pixels.shape[1:3]
        self.augment = loader.augment
        self.batch_size = stage.batch_size
        self.seed = seed
        self.steps = loader.steps(stage)
        self.first_epoch = first_epoch
        self.order = functools.lru_cache(2)(
            lambda epoch: stage.sampler(loader.labels, seed, epoch)
        )

    def __getitem__(self, i):
        epoch, step = divmod(i, self.steps)
        epoch += self.first_epoch
        start = step * self.batch_size
        index = self.order(epoch)[start : start + self.batch_size]
        random = np.random.default_rng((self.seed, epoch, step))
        if not self.augment.moves_pixels:
            return index, np.zeros((len(index), 0), "int32")
        return index, self.augment.draw(random, len(index), *self.size)


class _NumpyBatches(keras.utils.PyDataset):
    def __init__(self, loader, plan):
        super().__init__()
        self.loader = loader
        self.plan = plan

    @property
    def num_batches(self):
        return None  # endless

    def __getitem__(self, i):
        augment = self.loader.augment
        index, source = self.plan[i]
        images = self.loader.pixels[index]
        if augment.moves_pixels:
            images = pick_pixels(images, source)
        for layer in augment.layers:
            images = layer(images.astype("float32"), training=True)
            images = keras.ops.convert_to_numpy(images)
        if images.shape[1:] != self.loader.pixels.shape[1:]:
            raise ValueError(
                f"`augment` must keep images {self.loader.pixels.shape[1:]}, "
                f"got {images.shape[1:]}"
            )
        return images, self.loader.labels[index]


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
    calls = None if augment.layers else tf.data.AUTOTUNE
    batches = batches.map(batch, num_parallel_calls=calls)
    return batches.prefetch(tf.data.AUTOTUNE)
