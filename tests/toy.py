"""A three-class long-tailed problem of 32 images, learnt in seconds."""

import contextlib
import functools
import shutil

import keras
import numpy as np

from keras_lt.data import Augment, Loader
from keras_lt.optimizers import SGD
from keras_lt.training import Problem, Recipe, Stage

COUNTS = (24, 6, 2)
RAGGED = (24, 8, 3)  # no batch size divides their 35 images


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


def loader(kind="numpy", counts=COUNTS, **options):
    options = {"augment": Augment(pad=1)} | options
    return Loader(images(counts, 0), kind=kind, **options)


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


@functools.cache  # TensorFlow takes collectives of two of them for the same
def mirrored():
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


@contextlib.contextmanager
def two_devices():
    """Split batches over two devices."""
    if keras.backend.backend() == "tensorflow":
        with mirrored().scope():
            yield
        return
    spread = keras.distribution.DataParallel(auto_shard_dataset=False)
    assert spread.device_mesh.devices.size == 2
    keras.distribution.set_distribution(spread)
    try:
        yield
    finally:
        keras.distribution.set_distribution(None)


def copies(variable):
    """What each of two devices holds of a variable."""
    if keras.backend.backend() == "tensorflow":
        return [np.array(value) for value in variable.value.values]
    return [np.array(part.data) for part in variable.value.addressable_shards]


class CopyIn(keras.callbacks.Callback):
    """Copy a run's folder: what is there when it is killed in this epoch."""

    def __init__(self, epoch, folder, to):
        super().__init__()
        self.epoch, self.folder, self.to = epoch, folder, to

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            shutil.copytree(self.folder, self.to)


class KillIn(keras.callbacks.Callback):
    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise InterruptedError
