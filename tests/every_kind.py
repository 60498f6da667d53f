"""The same batches, by every kind of loader."""

import itertools

import keras
import numpy as np
import pytest

from keras_lt.data import Loader

KINDS = ["numpy", "grain", "tf.data", "device"]
PACKAGES = {"tf.data": "tensorflow", "grain": "grain"}


def compiled(function):
    """A function of tensors as a training step computes it, and faster."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    return tf.function(function)


def batches(train, kind, batching, seed, *, epoch=0, number=3, **options):
    """Images and labels of the first batches, whatever makes them."""
    if kind in PACKAGES:
        pytest.importorskip(PACKAGES[kind])
    feed = Loader(train, kind=kind, **options).feed(batching, seed, epoch)
    if feed.in_step and keras.backend.backend() == "jax":
        found = feed.take(number)
    elif isinstance(feed.batches, keras.utils.PyDataset):
        found = [feed.batches[i] for i in range(number)]
    else:
        found = itertools.islice(feed.batches, number)
    if feed.in_step:
        make = compiled(lambda batch: feed(feed.arrays, batch, keras.ops))
        found = [make(batch) for batch in found]
    return [keras.tree.map_structure(np.asarray, batch) for batch in found]
