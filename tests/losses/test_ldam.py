# Goldens: tests/cards/ride.md.
import keras
import numpy as np
import pytest
from gradients import gradient

from keras_lt import stats
from keras_lt.losses import LDAMLoss

COUNTS = [100, 10, 1]
LOGITS = np.array([[4, 1, -2], [0, 3, 1.0]])
LABELS = np.array([0, 2])
TAIL = np.floor(500 * 0.01 ** (np.arange(100) / 99) + 1e-9).astype(int)


def value(loss, logits=LOGITS, labels=LABELS):
    return float(loss(labels, keras.ops.convert_to_tensor(logits, "float32")))


def reference(logits, labels, counts, scale, reweighted):
    """The weighted mean in float64."""
    margins = 0.5 * np.power(counts, -0.25) / np.power(counts, -0.25).max()
    lowered = logits - scale * np.eye(len(counts))[labels] * margins
    lowered = lowered - lowered.max(-1, keepdims=True)
    log_p = lowered - np.log(np.exp(lowered).sum(-1, keepdims=True))
    values = -log_p[np.arange(len(labels)), labels]
    weights = stats.class_balanced_weights(counts)[labels]
    return np.average(values, weights=weights if reweighted else None)


def test_margins():
    golden = [0.158113883, 0.281170663, 0.5]
    np.testing.assert_allclose(LDAMLoss(COUNTS).margins, golden, rtol=1e-8)
    margins = LDAMLoss(TAIL).margins
    np.testing.assert_allclose(
        margins[[0, 50, 99]], [0.158113883, 0.284054842, 0.5], rtol=1e-8
    )
    assert margins.sum() == pytest.approx(29.932342, rel=1e-7)
    np.testing.assert_array_equal(LDAMLoss([7, 7]).margins, [0.5, 0.5])


def test_class_weights():
    loss = LDAMLoss(COUNTS, reweighted=True)
    golden = [0.0271587216, 0.2703688740, 2.7024724044]
    np.testing.assert_allclose(loss.class_weights, golden, rtol=1e-6)
    weights = LDAMLoss(TAIL, reweighted=True).class_weights
    golden = [0.0448756601, 0.4570554548, 4.3783125627]
    np.testing.assert_allclose(weights[[0, 50, 99]], golden, rtol=1e-6)
    assert weights.sum() == pytest.approx(100, rel=1e-6)
    np.testing.assert_array_equal(LDAMLoss(COUNTS).class_weights, 1)


def test_golden_values():
    experts = [LOGITS, [[2, 2, 0], [-1, 2, 4]]]
    for reweighted, golden in (
        (False, (9.497353503, 8.963287729)),
        (True, (16.898323967, 12.967295316)),
    ):
        loss = LDAMLoss(COUNTS, reweighted=reweighted)
        ours = [value(loss, logits) for logits in experts]
        assert ours == pytest.approx(golden, rel=1e-6)


@pytest.mark.parametrize("reweighted", [False, True])
@pytest.mark.parametrize("scale", [1, 30])
def test_values_and_gradients_are_the_reference(reweighted, scale):
    random, step = np.random.default_rng(0), 1e-5
    counts, labels = [90, 12, 40, 3], random.integers(0, 4, 8)
    logits = random.normal(size=(8, 4)) * scale / 3
    loss = LDAMLoss(counts, scale=scale, reweighted=reweighted)
    golden = reference(logits, labels, counts, scale, reweighted)
    assert value(loss, logits, labels) == pytest.approx(golden, rel=1e-5)
    slope = gradient(lambda at: loss(labels, at), logits)
    golden = np.zeros_like(logits)
    for where in np.ndindex(logits.shape):
        shift = np.zeros_like(logits)
        shift[where] = step
        up, down = [
            reference(logits + s, labels, counts, scale, reweighted)
            for s in (shift, -shift)
        ]
        golden[where] = (up - down) / (2 * step)
    np.testing.assert_allclose(slope, golden, atol=2e-6)


def test_no_margin_is_cross_entropy():
    plain = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    assert value(LDAMLoss(COUNTS, max_margin=0)) == pytest.approx(
        value(plain), rel=1e-6
    )


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"class_counts": [3, 0]}, "class_counts"),
        ({"class_counts": COUNTS, "scale": -1}, "scale"),
        ({"class_counts": COUNTS, "max_margin": -0.1}, "max_margin"),
        ({"class_counts": COUNTS, "beta": 1, "reweighted": True}, "beta"),
    ],
)
def test_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}`"):
        LDAMLoss(**arguments)
