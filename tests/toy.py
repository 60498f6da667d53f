"""A three-class long-tailed problem that a one-block net learns in seconds."""

import contextlib

import keras
import numpy as np

from keras_lt.data import Augment, Loader
from keras_lt.optimizers import SGD
from keras_lt.training import Problem, Recipe, Stage

COUNTS = (24, 8, 3)


def images(counts, seed):
    """Noise, with a bright row that tells the class."""
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts)), counts)
    pixels = random.integers(0, 90, (len(labels), 8, 8, 1))
    for row, label in enumerate(labels):
        pixels[row, 2 * label + 1] += 120
    return pixels.astype("uint8"), labels.astype("int64")


def problem():
    return Problem((8, 8, 1), COUNTS, (0.3,), (0.3,))


def loader(kind="numpy", **options):
    augment = Augment(pad=1)
    return Loader(images(COUNTS, 0), augment=augment, kind=kind, **options)


def test_images():
    return images((20, 20, 20), 1)


def dense_recipe():
    """Two stages of a well-conditioned network; the second one carries on."""

    def dense():
        images = keras.Input((8, 8, 1))
        x = keras.layers.Flatten()(images / 255)
        x = keras.layers.Dense(8)(x)
        return keras.Model(images, keras.layers.Dense(3)(x))

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    options = {"loss": loss, "batch_size": 8, "epochs": 3}

    def optimizer(steps):
        return SGD(0.1, momentum=0.9)

    return Recipe(
        build=dense,
        stages=(
            Stage(name="one", optimizer=optimizer, **options),
            Stage(name="two", **options),
        ),
    )


@contextlib.contextmanager
def two_devices():
    """Split batches over two devices (JAX)."""
    spread = keras.distribution.DataParallel(auto_shard_dataset=False)
    assert spread.device_mesh.devices.size == 2
    keras.distribution.set_distribution(spread)
    try:
        yield
    finally:
        keras.distribution.set_distribution(None)


class KillIn(keras.callbacks.Callback):
    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise InterruptedError
