"""Gradients on whichever backend is active."""

import keras
import numpy as np


def gradient(function, *arrays, dtype="float32"):
    """Gradients of a scalar function, one float32 array for each of `arrays`.

    A single array gives its gradient itself.
    """
    tensors = [
        keras.ops.convert_to_tensor(np.asarray(array), dtype)
        for array in arrays
    ]
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(tensors)
            value = function(*tensors)
        slopes = tape.gradient(value, tensors, unconnected_gradients="zero")
    else:
        import jax

        positions = tuple(range(len(tensors)))
        slopes = jax.grad(function, positions)(*tensors)
    slopes = [
        keras.ops.convert_to_numpy(keras.ops.cast(slope, "float32"))
        for slope in slopes
    ]
    return slopes if len(slopes) > 1 else slopes[0]
