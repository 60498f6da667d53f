import keras
import numpy as np
import pytest
from gradients import gradient

from keras_lt.layers import CosineClassifier


def layer(kernel, **options):
    kernel = np.asarray(kernel, "float32")
    made = CosineClassifier(kernel.shape[1], **options)
    made.build((None, len(kernel)))
    made.set_weights([kernel])
    return made


def test_golden_values():
    made = layer([[1, 0, 2], [0, 2, 2]])
    ours = keras.ops.convert_to_numpy(made(np.array([[3.0, 4.0]])))
    np.testing.assert_allclose(ours, [[18, 24, 29.6984848]], rtol=1e-6)


def test_lengths_have_no_say():
    random = np.random.default_rng(0)
    x, kernel = random.normal(size=(5, 4)), random.normal(size=(4, 3))
    plain = keras.ops.convert_to_numpy(layer(kernel, scale=7)(x))
    longer = layer(kernel * [1, 10, 1e-3], scale=7)(1e3 * x)
    np.testing.assert_allclose(longer, plain, rtol=1e-4, atol=1e-5)
    assert np.abs(plain).max() <= 7


def test_initial_class_vectors_have_length_one():
    made = CosineClassifier(50)
    made.build((None, 8))
    kernel = made.get_weights()[0]
    np.testing.assert_allclose(np.linalg.norm(kernel, axis=0), 1, rtol=1e-5)
    assert kernel.min() < -0.5
    assert kernel.max() > 0.5


def test_a_zero_feature_is_safe():
    made = layer([[1, 0], [0, 2]])
    zero = np.zeros((1, 2))
    assert not keras.ops.convert_to_numpy(made(zero)).any()
    slope = gradient(lambda x: keras.ops.sum(made(x)), zero)
    assert np.isfinite(slope).all()


def test_bad_arguments():
    with pytest.raises(ValueError, match="`num_classes` must be > 0"):
        CosineClassifier(0)
    with pytest.raises(ValueError, match="`scale` must be > 0"):
        CosineClassifier(3, scale=0.0)
