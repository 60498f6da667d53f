"""Models whose initial values nobody needs."""

import contextlib
from collections.abc import Iterator

import keras
import numpy as np

RANDOM = (  # others are made of them
    keras.initializers.RandomNormal,
    keras.initializers.RandomUniform,
    keras.initializers.TruncatedNormal,
    keras.initializers.VarianceScaling,
)


@contextlib.contextmanager
def undrawn() -> Iterator[None]:
    """Let layers that are built begin with ones in place of random values.

    JAX compiles the drawing of each shape, half a second for each, which is
    wasted where a model is built to see whether it can be. Not zeros: what is
    made of them may have to be positive.
    """
    drawing = [kind.__call__ for kind in RANDOM]
    for kind in RANDOM:
        kind.__call__ = _ones
    try:
        yield
    finally:
        for kind, call in zip(RANDOM, drawing, strict=True):
            kind.__call__ = call


def _ones(initializer, shape, dtype=None, **options):
    # By numpy: JAX compiles ones of each shape as well.
    ones = np.ones(shape, "float32")
    return keras.ops.convert_to_tensor(ones, dtype or keras.config.floatx())
