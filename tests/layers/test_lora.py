# Goldens: tests/cards/lift.md, A3.
import keras
import numpy as np
import pytest

from keras_lt.layers import LoRA, ScaleAndShift

X = np.array([[1.0, 2, 3]], "float32")


def test_golden_change():
    layer = LoRA(keras.layers.Dense(3, kernel_initializer="zeros"), 2)
    layer.build((None, 3))  # 1 / 2 is the scale
    layer.down.assign([[1, 2], [0, -1], [0.5, 0]])
    layer.up.assign([[0.1, 0.2, 0.3], [-0.2, 0, 0.4]])
    np.testing.assert_allclose(layer(X), [[0.125, 0.25, 0.375]], rtol=1e-6)


def test_golden_scale_and_shift():
    layer = ScaleAndShift()
    np.testing.assert_array_equal(layer(X), X)
    layer.scale.assign([1, 2, 0.5])
    layer.shift.assign([0.1, 0, -0.1])
    np.testing.assert_allclose(layer(X), [[1.1, 4, 1.4]], rtol=1e-6)


@pytest.mark.parametrize(
    "inner",
    [
        lambda: keras.layers.Dense(6),
        lambda: keras.layers.EinsumDense("abc,cde->abde", (None, 2, 3)),
    ],
)
def test_starts_as_it_was_and_folds(inner):
    random = np.random.default_rng(0)
    x = random.normal(size=(2, 5, 4)).astype("float32")
    plain = inner()
    before = keras.ops.convert_to_numpy(plain(x))
    layer = LoRA(plain, 2)
    np.testing.assert_array_equal(layer(x), before)
    assert np.abs(layer.down).max() <= 2**-0.5  # not 1 / sqrt(4)
    layer.up.assign(random.normal(size=layer.up.shape))
    after = keras.ops.convert_to_numpy(layer(x))
    assert np.abs(after - before).max() > 0.1
    plain.kernel.assign(layer.folded())
    np.testing.assert_allclose(plain(x), after, rtol=1e-5, atol=1e-5)


def test_bad_arguments():
    with pytest.raises(ValueError, match="`rank` must be > 0, got 0"):
        LoRA(keras.layers.Dense(2), 0)
    with pytest.raises(ValueError, match="must be a Dense or an EinsumDense"):
        LoRA(keras.layers.ReLU(), 1)
