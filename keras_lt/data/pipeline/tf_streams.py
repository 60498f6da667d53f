"""Batches as streams of tf.data."""

import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from keras_lt.data.pipeline.feed import Feed, Numbered
from keras_lt.devices import local_replicas, replicas, tf_strategy


def stream(
    feed: Feed, *, in_turn: bool, layers: Sequence[Callable] = ()
) -> Any:
    """A feed's batches, made by numpy, over the replicas of a strategy.

    The time for which the stream is waited for is added to `feed.waited`.

    Args:
        feed: What has the batches.
        in_turn: Whether to make one after the other, instead of several at a
            time.
        layers: What TensorFlow then does to the images of `(images, labels)`.
    """
    made = _made(feed.numbered, in_turn, layers)
    return _over_replicas(_timed(made, feed))


def _made(batches: Numbered, in_turn, layers):
    """Batches that numpy makes.

    TensorFlow never holds all images: a constant would be a second copy of
    them, and its way into the graph of the stream a third and a fourth.
    """
    import tensorflow as tf

    example = batches[0]
    parts = keras.tree.flatten(example)

    def batch(i):
        arrays = tf.numpy_function(
            lambda i: keras.tree.flatten(batches[int(i[0])]),
            [i[None]],  # TensorFlow never frees a scalar
            [tf.as_dtype(part.dtype) for part in parts],
        )
        for array, part in zip(arrays, parts, strict=True):
            array.set_shape((None, *part.shape[1:]))
        return keras.tree.pack_sequence_as(example, arrays)

    def altered(images, labels):
        for layer in layers:
            images = layer(tf.cast(images, tf.float32), training=True)
        return tf.ensure_shape(images, (None, *parts[0].shape[1:])), labels

    calls = None if in_turn else os.cpu_count()
    made = tf.data.Dataset.counter().map(batch, num_parallel_calls=calls)
    if layers:
        made = made.map(altered)
    return _untuned(made.prefetch(2))


def of_arrays(inputs: Any, labels: np.ndarray) -> Any:
    """Batches in order, once, or the shares of this process's replicas.

    They differ by one image at most, so that no replica is without any.
    """
    import tensorflow as tf

    batches = np.array_split(np.arange(len(labels)), validation_steps(labels))
    shares = [
        np.array_split(batch, replicas())[replica]
        for batch in batches
        for replica in local_replicas()
    ]
    bounds = [(share[0], share[-1] + 1) for share in shares]

    parts = tf.data.Dataset.from_tensor_slices(bounds).map(
        lambda bound: keras.tree.map_structure(
            lambda array: _part(array, bound), (inputs, labels)
        )
    )
    return _over_replicas(_untuned(parts.prefetch(1)))


def _part(array, bound):
    """What lies between two positions of an array or of `ImageFiles`."""
    import tensorflow as tf

    part = tf.numpy_function(
        lambda bound: array[bound[0] : bound[1]],
        [bound],
        tf.as_dtype(array.dtype),
    )
    return tf.ensure_shape(part, (None, *array.shape[1:]))


def validation_steps(labels: np.ndarray) -> int:
    """Number of batches, of up to 500."""
    return -(-len(labels) // 500)


def _over_replicas(shares):
    """A stream of batches, out of one of shares of them."""
    strategy = tf_strategy()
    if strategy is None:
        return shares
    return strategy.distribute_datasets_from_function(lambda context: shares)


def _timed(batches, feed):
    """Batches that add the time for which they are waited for to `waited`."""
    import tensorflow as tf

    since = []

    def begin(i):
        since.append(time.perf_counter())
        return i

    def end(i):
        feed.waited += time.perf_counter() - since.pop()
        return i

    def ended(i, batch):
        tf.numpy_function(end, [i], tf.int64)  # a vector, as above
        return batch

    begins = tf.data.Dataset.counter().map(
        lambda i: tf.numpy_function(begin, [i[None]], tf.int64)
    )
    zipped = tf.data.Dataset.zip((begins, batches)).map(ended)
    return _untuned(zipped)


def _untuned(dataset):
    """Without tuning: its thread can hold up the end of an iteration."""
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)
