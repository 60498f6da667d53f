"""A linear classifier "head" and a fit in order, quick on both backends."""

import keras
import numpy as np

# XLA takes a second to compile on TensorFlow; JAX is slow without it.
JIT = "auto" if keras.backend.backend() == "jax" else False


def linear(kernel, bias=None, **options):
    """Model of one dense layer, with a kernel `(features, C)`."""
    kernel = np.asarray(kernel, "float32")
    head = keras.layers.Dense(
        kernel.shape[1], use_bias=bias is not None, name="head", **options
    )
    model = keras.Sequential([keras.Input(kernel.shape[:1]), head])
    weights = [kernel] if bias is None else [kernel, bias]
    head.set_weights([np.asarray(weight, "float32") for weight in weights])
    return model


def compiled(model, optimizer, loss, **options):
    model.compile(optimizer, loss, jit_compile=JIT, **options)
    return model


def fit(model, x, y, *, steps=1, epochs=1, **options):
    """Train `steps` full batches an epoch; returns the history."""
    x, y = np.asarray(x, "float32"), np.asarray(y)
    return model.fit(
        np.tile(x, (steps, 1)),
        np.tile(y, steps),
        batch_size=len(x),
        epochs=epochs,
        shuffle=False,
        verbose=0,
        **options,
    ).history
