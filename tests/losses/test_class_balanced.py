# Goldens: tests/cards/wb.md.
import keras
import numpy as np
import pytest
from gradients import gradient

from keras_lt import stats
from keras_lt.losses import ClassBalancedLoss

LOGITS = np.array([[2, 1, 0], [0, 3, 0], [1, -1, 0.5]])
LABELS = np.array([0, 1, 2])
TAIL = np.floor(500 * 0.01 ** (np.arange(100) / 99) + 1e-9).astype(int)
FORMS = ("softmax_crossentropy", "softmax_bce")


def bce(counts, **options):
    return ClassBalancedLoss(counts, form="softmax_bce", **options)


def reference(logits, labels, weights, form):
    """Values `(B,)` in float64, for logits that do not saturate."""
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    hit = np.eye(p.shape[-1])[labels] == 1
    if form == "softmax_crossentropy":
        return -weights[labels] * np.log(p[hit])
    values = -np.where(hit, np.log(p), np.log(1 - p)).mean(-1)
    return weights[labels] * values


def value(loss, labels, logits):
    logits = keras.ops.convert_to_tensor(np.asarray(logits), "float32")
    return float(loss(np.asarray(labels), logits))


def test_zero_logits():
    zeros = np.zeros((100, 100))
    ours = value(bce(TAIL), np.arange(100), zeros)
    assert ours == pytest.approx(0.0560015344, rel=1e-6)
    by_frequency = np.repeat(np.arange(100), TAIL)
    zeros = np.zeros((len(by_frequency), 100))
    ours = value(bce(TAIL), by_frequency, zeros)
    assert ours == pytest.approx(0.0113610304, rel=1e-6)


def test_golden_values():
    counts = [500, 50, 5]
    for loss, golden in (
        (bce(counts), 0.6052077657),
        (bce([1, 1, 1]), 0.3288447620),
        (bce(counts, beta=0), 0.3288447620),
    ):
        assert value(loss, LABELS, LOGITS) == pytest.approx(golden, rel=1e-6)
    # The card's mean divides by the sum of weights, here as it happens 3.
    ours = value(ClassBalancedLoss(counts), LABELS, LOGITS)
    assert ours == pytest.approx(0.9623347245, rel=1e-6)


def test_saturated_logarithms_stop_at_minus_100():
    ours = value(bce([1, 1, 1]), [0], [[0, 200, 0]])
    assert ours == pytest.approx(200 / 3, rel=1e-6)
    ours = value(ClassBalancedLoss([1, 1, 1]), [0], [[0, 200, 0]])
    assert ours == pytest.approx(200, rel=1e-6)  # no clamp here


def test_gradient_at_zero_logits():
    loss = bce([1, 1, 1, 1])
    labels = np.array([0])
    slope = gradient(lambda logits: loss(labels, logits), np.zeros((1, 4)))
    golden = [[-0.25, 1 / 12, 1 / 12, 1 / 12]]
    np.testing.assert_allclose(slope, golden, rtol=1e-5)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("beta", [0, 0.9, 0.9999])
def test_values_and_gradients_are_the_reference(form, beta):
    random = np.random.default_rng(0)
    counts, step = [90, 12, 40, 3], 1e-5
    logits = random.normal(size=(8, 4))
    labels = random.integers(0, 4, 8)
    weights = stats.class_balanced_weights(counts, beta)
    loss = ClassBalancedLoss(counts, beta=beta, form=form, reduction=None)
    values = loss(labels, keras.ops.convert_to_tensor(logits, "float32"))
    golden = reference(logits, labels, weights, form)
    ours = keras.ops.convert_to_numpy(values)
    np.testing.assert_allclose(ours, golden, rtol=1e-5)

    mean = ClassBalancedLoss(counts, beta=beta, form=form)
    slope = gradient(lambda at: mean(labels, at), logits)
    golden = np.zeros_like(logits)
    for where in np.ndindex(logits.shape):
        moved = [logits.copy(), logits.copy()]
        moved[0][where] += step
        moved[1][where] -= step
        up, down = [reference(at, labels, weights, form).mean() for at in moved]
        golden[where] = (up - down) / (2 * step)
    np.testing.assert_allclose(slope, golden, atol=1e-6)


def test_reduction_and_sample_weight():
    values = reference(LOGITS, LABELS, np.ones(3), "softmax_crossentropy")
    loss = ClassBalancedLoss([1, 1, 1], reduction="sum", name="total")
    assert loss.name == "total"
    ours = value(loss, LABELS, LOGITS)
    assert ours == pytest.approx(values.sum(), rel=1e-6)
    logits = keras.ops.convert_to_tensor(LOGITS, "float32")
    weight = np.array([2, 0, 1], "float32")
    ours = float(loss(LABELS, logits, sample_weight=weight))
    assert ours == pytest.approx((values * weight).sum(), rel=1e-6)


def test_dtype_argument():
    loss = ClassBalancedLoss([3, 1], dtype="bfloat16")
    logits = keras.ops.convert_to_tensor([[1.0, 0.0]], "float32")
    result = loss(np.array([0]), logits)
    assert keras.backend.standardize_dtype(result.dtype) == "bfloat16"
    exact = value(ClassBalancedLoss([3, 1]), [0], [[1.0, 0.0]])
    ours = float(keras.ops.cast(result, "float32"))
    assert ours == pytest.approx(exact, rel=0.02)


def test_bad_arguments():
    with pytest.raises(ValueError, match="`class_counts`.*class 1"):
        ClassBalancedLoss([5, 0])
    with pytest.raises(ValueError, match="`beta`"):
        ClassBalancedLoss([5, 1], beta=1.0)
    with pytest.raises(ValueError, match="`form`"):
        ClassBalancedLoss([5, 1], form="softmax")
