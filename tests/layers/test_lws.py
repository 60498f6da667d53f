# Goldens: tests/cards/ssd.md.
import keras
import numpy as np
from gradients import gradient

from keras_lt.layers import LWS

FEATURES = np.array([[1.0, -2]])
KERNEL = np.array([[1, 0.5], [2, -1], [0, 1]]).T
BIAS = np.array([0.1, -0.2, 0.3])
SCALES = np.array([1, 0.5, 2])


def layer(scales):
    made = LWS()
    made.build((None, len(scales)))
    made.scales.assign(scales)
    return made


def test_golden_logits():
    logits = FEATURES @ KERNEL + BIAS
    ours = keras.ops.convert_to_numpy(layer(SCALES)(logits))
    np.testing.assert_allclose(ours, [[0.1, 1.9, -3.4]], rtol=1e-5)


def test_golden_gradient():
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    logits = keras.ops.convert_to_tensor(FEATURES @ KERNEL + BIAS, "float32")
    slope = gradient(lambda s: loss(np.array([0]), s * logits), SCALES)
    golden = [-0.085875397, 3.247057084, -0.007250943]
    np.testing.assert_allclose(slope, golden, rtol=1e-5)


def test_changes_nothing_at_first_and_trains_one_number_a_class():
    made = LWS()
    logits = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    np.testing.assert_array_equal(made(logits), logits)
    (scales,) = made.trainable_variables
    assert tuple(scales.shape) == (3,)


def test_folds_into_the_classifier():
    kernel, bias = layer(SCALES).fold(KERNEL, BIAS)
    scaled = keras.ops.convert_to_numpy(layer(SCALES)(FEATURES @ KERNEL + BIAS))
    np.testing.assert_allclose(FEATURES @ kernel + bias, scaled, rtol=1e-5)
