# Goldens: tests/cards/ride.md.
import keras
import numpy as np
import pytest
from gradients import gradient

from keras_lt.layers import ExpertRouter

SHAPES = ((None, 2, 5), (None, 2, 4))


def router(features, classes, routers=1, **options):
    made = ExpertRouter(**options)
    made.build((None, routers, features), (None, routers, classes))
    return made


def test_golden_value():
    made = router(48, 5, top_k=2)
    made.kernel.assign(np.full((1, 48, 16), 0.1))
    made.bias.assign(np.zeros((1, 16)))
    made.readout.assign([-0.2, 0.3, *[0.05] * 16])
    made.readout_bias.assign(0.5)
    ours = made(np.full((1, 1, 48), 2.0), np.array([[[1.0, 4, -2, 3, 0]]]))
    assert tuple(ours.shape) == (1, 1)
    assert float(ours[0, 0]) == pytest.approx(1.154256258, rel=1e-6)


def reference(made, features, logits):
    kernel, bias, readout, last = made.get_weights()
    running = np.cumsum(logits, 1) / np.arange(1, logits.shape[1] + 1)[:, None]
    top = -np.sort(-running, -1)[..., : made.top_k]
    unit = features / np.linalg.norm(features, axis=-1, keepdims=True)
    hidden = np.einsum("bed,edh->beh", unit, kernel) + bias
    both = np.concatenate([top, np.maximum(hidden, 0)], -1)
    return both @ readout + last


def test_every_router_against_numpy():
    random = np.random.default_rng(0)
    made = router(5, 4, routers=2, top_k=3, hidden=6)
    for variable in made.weights:
        variable.assign(random.normal(size=variable.shape))
    features = random.normal(size=(7, 2, 5))
    logits = random.normal(size=(7, 2, 4)) * 5
    ours = keras.ops.convert_to_numpy(made(features, logits))
    golden = reference(made, features, logits)
    np.testing.assert_allclose(ours, golden, rtol=1e-4, atol=1e-4)
    # One router alone, as early exit calls it.
    arrays = features[:, 1], logits.mean(1)
    second = made.route(1, *(array.astype("float32") for array in arrays))
    np.testing.assert_allclose(second, golden[:, 1], rtol=1e-4, atol=1e-4)
    larger = keras.ops.convert_to_numpy(made(9 * features, logits))
    np.testing.assert_allclose(larger, ours, rtol=1e-4, atol=1e-4)


def test_a_zero_feature_is_safe():
    made = router(5, 4, top_k=2)
    logits = np.ones((2, 1, 4), "float32")
    zero = np.zeros((2, 1, 5), "float32")
    assert np.isfinite(keras.ops.convert_to_numpy(made(zero, logits))).all()
    slope = gradient(lambda x: keras.ops.sum(made(x, logits)), zero)
    assert np.isfinite(slope).all()


def test_parameters():
    made = router(48, 100, routers=2)  # three experts of a ResNet-32
    assert made.count_params() == 1615


def test_bad_arguments():
    with pytest.raises(ValueError, match="`top_k` must be >= 1, got 0"):
        ExpertRouter(top_k=0)
    with pytest.raises(ValueError, match="`hidden` must be >= 1, got 0"):
        ExpertRouter(hidden=0)
    with pytest.raises(ValueError, match="`initial`.*got 'uniform'"):
        ExpertRouter(initial="uniform")
    with pytest.raises(ValueError, match="at most the 4 classes, got 30"):
        ExpertRouter().build(*SHAPES)
