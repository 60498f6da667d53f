import functools

import keras
import numpy as np
import pytest
from gradients import gradient

from keras_lt.layers import ReLU

X = np.random.default_rng(0).normal(0, 1, (2, 5, 5, 3)).astype("float32")


def test_values_and_gradients_are_those_of_keras():
    found, expected = (
        keras.ops.convert_to_numpy(kind()(X, training=True))
        for kind in (ReLU, keras.layers.ReLU)
    )
    np.testing.assert_array_equal(found, expected)
    slope = gradient(lambda x: keras.ops.sum(ReLU()(x, training=True) * X), X)
    np.testing.assert_array_equal(slope, np.where(X > 0, X, 0))


def test_no_rows():
    assert ReLU()(X[:0], training=True).shape == (0, 5, 5, 3)


@pytest.mark.skipif(
    keras.backend.backend() != "jax", reason="of the program that XLA makes"
)
def test_xla_does_not_compute_a_chain_again_for_every_use():
    import jax

    def loss(layer, x, kernel):
        for _ in range(4):  # of a residual network
            y = keras.ops.conv(x, kernel, padding="same")
            x = layer(x + y, training=True)
        return keras.ops.sum(x * x)

    def times_computed(layer):
        slope = jax.jit(jax.grad(functools.partial(loss, layer), argnums=1))
        program = slope.lower(X, np.ones((3, 3, 3, 3), "float32")).compile()
        return program.as_text().count(" maximum(")

    assert times_computed(keras.layers.ReLU()) > 2 * times_computed(ReLU())
