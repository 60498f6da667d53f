"""Batches as streams of tf.data."""

import os
import time

import keras
import numpy as np

from keras_lt.data.image_files import ImageFiles
from keras_lt.data.moves import pick_tf
from keras_lt.devices import local_replicas, replicas, tf_strategy


def wrapped(batches, in_turn):
    """A stream of batches that numpy makes, several at a time."""
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


def native(loader, plan):
    """A stream of images and labels whose pixels TensorFlow picks."""
    import tensorflow as tf

    augment = loader.augment
    pixels, labels = tf.constant(loader.pixels), tf.constant(loader.labels)

    def plans():
        i = 0
        while True:
            yield plan.sources(i)
            i += 1

    def batch(index, source):
        images = tf.gather(pixels, index)
        if augment.moves_pixels:
            images = pick_tf(images, source)
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


def of_arrays(inputs, labels):
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

    def part(array):
        if isinstance(array, ImageFiles):
            return lambda bound: _read(array, bound)
        array = tf.constant(array)
        return lambda bound: array[bound[0] : bound[1]]

    parts = keras.tree.map_structure(part, (inputs, labels))
    stream = tf.data.Dataset.from_tensor_slices(bounds).map(
        lambda bound: keras.tree.map_structure(lambda p: p(bound), parts)
    )
    return _spread(_untuned(stream.prefetch(1)))


def _read(files, bound):
    """Images on disk between two positions."""
    import tensorflow as tf

    images = tf.numpy_function(
        lambda bound: files[bound[0] : bound[1]], [bound], tf.uint8
    )
    return tf.ensure_shape(images, (None, *files.shape[1:]))


def validation_steps(labels):
    """Number of batches, of up to 500."""
    return -(-len(labels) // 500)


def _spread(stream):
    """A stream of batches, out of one of shares of them."""
    strategy = tf_strategy()
    if strategy is None:
        return stream
    return strategy.distribute_datasets_from_function(lambda context: stream)


def timed(stream, loader):
    """A stream that adds the time for which it is waited for to `waited`."""
    import tensorflow as tf

    since = []

    def begin(i):
        since.append(time.perf_counter())
        return i

    def end(i):
        loader.waited += time.perf_counter() - since.pop()
        return i

    def ended(i, batch):
        tf.numpy_function(end, [i], tf.int64)
        return batch

    begins = tf.data.Dataset.counter().map(
        lambda i: tf.numpy_function(begin, [i], tf.int64)
    )
    zipped = tf.data.Dataset.zip((begins, stream)).map(ended)
    return _spread(_untuned(zipped))


def _untuned(dataset):
    """Without tuning: its thread can hold up the end of an iteration."""
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)
