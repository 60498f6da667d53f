# Goldens: tests/cards/ride.md.
import keras
import numpy as np
import pytest
from gradients import gradient

from keras_lt.losses import RouterLoss
from keras_lt.losses.router import router_targets


def packed(routes, right):
    """Logits `(B, E, 3)` of two classes whose running answers are as given.

    The label is 0.
    """
    right = np.asarray(right, "float64")
    running = np.where(right[..., None] == 1, [1.0, 0.0], [0.0, 1.0])
    single = np.diff(running, axis=1, prepend=0)  # sums give `running`
    routes = np.pad(np.asarray(routes, "float64"), [(0, 0), (0, 1)])
    return np.concatenate([single, routes[..., None]], -1)


def value(loss, logits):
    labels = np.zeros(len(logits), "int64")
    return float(loss(labels, keras.ops.convert_to_tensor(logits, "float32")))


def test_targets():
    right = np.array([[0, 1, 0], [0, 0, 0], [1, 0, 1], [0, 0, 1]], "float32")
    ours = keras.ops.convert_to_numpy(router_targets(right))
    np.testing.assert_array_equal(ours, [[1, 0], [0, 0], [0, 1], [1, 1]])


@pytest.mark.parametrize(
    ("pos_weight", "golden"),
    [(100, 29.7906515431), (20, 6.4461682483), (1, 0.9018534658)],
)
def test_golden_binary_cross_entropy(pos_weight, golden):
    # Two experts: target 1 where the first is wrong and both are right.
    right = [[0, 1], [1, 1], [0, 0], [0, 1]]
    logits = packed([[0.5], [-1], [2], [0]], right)
    ours = value(RouterLoss(pos_weight=pos_weight), logits)
    assert ours == pytest.approx(golden, rel=1e-6)


def test_by_default_what_is_worth_while_weighs_a_hundredfold():
    logits = packed([[0.5]], [[0, 1]])
    golden = -100 * np.log(1 / (1 + np.exp(-0.5)))
    assert value(RouterLoss(), logits) == pytest.approx(golden, rel=1e-6)


def test_mean_over_routers():
    right = [[0, 1, 0], [0, 0, 0], [1, 0, 1], [0, 0, 1]]
    routes = np.random.default_rng(0).normal(size=(4, 2))
    targets = np.array([[1, 0], [0, 0], [0, 1], [1, 1]])
    p = 1 / (1 + np.exp(-routes))
    values = -7 * targets * np.log(p) - (1 - targets) * np.log(1 - p)
    ours = value(RouterLoss(pos_weight=7), packed(routes, right))
    assert ours == pytest.approx(values.mean(), rel=1e-5)


def test_gradient_reaches_the_routers_alone():
    logits = packed([[0.5, -0.5], [1, 2]], [[0, 1, 0], [0, 0, 1]])
    slope = gradient(
        lambda at: RouterLoss(pos_weight=5)(np.zeros(2), at), logits
    )
    assert not slope[..., :2].any()
    assert not slope[:, -1].any()
    p = 1 / (1 + np.exp(-logits[:, :2, 2]))
    targets = np.array([[1, 0], [1, 1]])
    golden = (-5 * targets * (1 - p) + (1 - targets) * p) / 4
    np.testing.assert_allclose(slope[:, :2, 2], golden, atol=1e-6)


def test_bad_weight():
    for weight in (0, -1.0):
        with pytest.raises(ValueError, match="`pos_weight` must be > 0"):
            RouterLoss(pos_weight=weight)
