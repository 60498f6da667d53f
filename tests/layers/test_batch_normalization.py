import keras
import numpy as np
import pytest
from gradients import gradient
from keras.layers import BatchNormalization as KerasNorm

from keras_lt.layers import BatchNormalization

X = np.random.default_rng(0).normal(3, 2, (12, 4, 4, 5)).astype("float32")


def normalised(layer, x=X, training=True):
    return keras.ops.convert_to_numpy(layer(x, training=training))


def state(layer):
    return [np.array(layer.moving_mean), np.array(layer.moving_variance)]


def test_one_part_is_what_keras_does():
    options = {"momentum": 0.7, "epsilon": 0.1}
    ours = BatchNormalization(**options)
    theirs = keras.layers.BatchNormalization(**options)
    for training in (True, True, False):
        np.testing.assert_allclose(
            *(normalised(norm, training=training) for norm in (ours, theirs)),
            rtol=1e-5,
            atol=1e-6,
        )
    np.testing.assert_allclose(state(ours), state(theirs), rtol=1e-6)


@pytest.mark.parametrize("options", [{"scale": False}, {"center": False}])
def test_gradients_are_those_of_keras(options):
    norms = [kind(**options) for kind in (BatchNormalization, KerasNorm)]
    for norm in norms:
        norm.build(X.shape)
        for variable in norm.trainable_variables:
            variable.assign(np.arange(1.0, 6.0))
    weights = np.random.default_rng(1).normal(0, 1, X.shape).astype("float32")

    def slope(norm):
        return gradient(
            lambda x: keras.ops.sum(weights * norm(x, training=True)), X
        )

    np.testing.assert_allclose(*map(slope, norms), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_keeps_its_statistics_in_float32(precision):
    half, whole = BatchNormalization(dtype=precision), BatchNormalization()
    found = half(X, training=True)
    assert precision.endswith(keras.backend.standardize_dtype(found.dtype))
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(keras.ops.cast(found, "float32")),
        normalised(whole),
        atol=0.02,
    )
    np.testing.assert_allclose(state(half), state(whole), rtol=1e-3)


def test_parts_have_their_own_statistics():
    whole, plain = BatchNormalization(groups=3, momentum=0.7), []
    found = normalised(whole)
    for number in range(3):
        part = slice(4 * number, 4 * number + 4)
        plain.append(BatchNormalization(momentum=0.7))
        np.testing.assert_allclose(
            found[part], normalised(plain[-1], X[part]), rtol=1e-4, atol=1e-5
        )
    np.testing.assert_allclose(
        state(whole), np.mean([state(norm) for norm in plain], 0), rtol=1e-5
    )


def test_gamma_and_beta():
    whole, plain = BatchNormalization(groups=2), BatchNormalization()
    for norm in (whole, plain):
        norm.build(X.shape)
        norm.gamma.assign(np.arange(1.0, 6.0))
        norm.beta.assign(np.arange(5.0, 0.0, -1.0))
    np.testing.assert_allclose(
        normalised(whole)[:6], normalised(plain, X[:6]), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("images", [1, 11])
def test_a_batch_that_does_not_divide_is_one_part(images):
    grouped, plain = BatchNormalization(groups=3), BatchNormalization()
    np.testing.assert_allclose(
        normalised(grouped, X[:images]),
        normalised(plain, X[:images]),
        rtol=1e-4,
        atol=1e-5,
    )
    np.testing.assert_allclose(state(grouped), state(plain), rtol=1e-5)


def test_frozen_or_serving_it_uses_the_moving_statistics():
    norm = BatchNormalization(groups=3)
    normalised(norm)
    before = state(norm)
    served = normalised(norm, training=False)
    np.testing.assert_array_equal(normalised(norm, X[:1], False), served[:1])
    norm.trainable = False
    np.testing.assert_array_equal(normalised(norm), served)
    np.testing.assert_array_equal(state(norm), before)


def test_vectors_and_half_precision():
    norm = BatchNormalization(groups=2, dtype="mixed_bfloat16")
    found = norm(X[:, 0, 0], training=True)
    assert keras.backend.standardize_dtype(found.dtype) == "bfloat16"
    assert tuple(found.shape) == (12, 5)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"groups": 0}, "`groups` must be >= 1, got 0"),
        ({"groups": 2, "synchronize": True}, "`synchronize` excludes"),
        ({"axis": 1}, "`axis` must be -1, got 1"),
        ({"renorm": True}, "`renorm` must be False"),
    ],
    ids=str,
)
def test_bad_arguments(arguments, words):
    with pytest.raises(ValueError, match=words):
        BatchNormalization(**arguments)


def test_a_mask_needs_one_part():
    with pytest.raises(ValueError, match="`mask`"):
        BatchNormalization(groups=2)(
            X, training=True, mask=np.ones((12, 4, 4), bool)
        )
