# Goldens: tests/cards/toolbox.md, section 3.
import numpy as np
import pytest
from gradients import gradient

from keras_lt.losses import FocalLoss, SoftmaxCrossentropy

LOGITS = np.array([[2, 1, 0], [0, 3, 0], [1, -1, 0.5]], "float32")
LABELS = np.array([0, 1, 2])
COUNTS = [100, 10, 5]


@pytest.mark.parametrize(
    ("options", "golden", "rows"),
    [
        (
            {"gamma": 1},
            0.27755294,
            {
                0: [-0.06761187, 0.04942824, 0.01818363],
                1: [0.00266968, -0.00533936, 0.00266968],
                2: [0.19502772, 0.02639413, -0.22142185],
            },
        ),
        ({"gamma": 2}, 0.16487911, {}),
        ({}, 0.27755294, {}),
        (
            {"gamma": 1, "beta": 0.9999},
            0.59530117,
            {2: [0.42037118, 0.05689105, -0.47726224]},
        ),
    ],
    ids=str,
)
def test_golden_values_and_gradients(options, golden, rows):
    loss = FocalLoss(COUNTS, **options)
    assert float(loss(LABELS, LOGITS)) == pytest.approx(golden, rel=1e-6)
    found = gradient(lambda logits: loss(LABELS, logits), LOGITS)
    for row, values in rows.items():
        np.testing.assert_allclose(found[row], values, atol=2e-8, rtol=2e-6)


def test_without_focus_it_is_cross_entropy():
    ours = FocalLoss(COUNTS, gamma=0.0)(LABELS, LOGITS)
    plain = SoftmaxCrossentropy()(LABELS, LOGITS)
    assert float(ours) == pytest.approx(float(plain), rel=1e-6)


def test_a_power_below_one_has_a_gradient_where_all_is_right():
    sure = np.array([[1000.0, 0, 0]], "float32")
    loss = FocalLoss(COUNTS, gamma=0.5)
    found = gradient(lambda logits: loss(LABELS[:1], logits), sure)
    np.testing.assert_array_equal(found, np.zeros((1, 3)))


@pytest.mark.parametrize(
    ("option", "name"),
    [({"gamma": -1.0}, "gamma"), ({"beta": 1.0}, "beta")],
)
def test_bad_arguments(option, name):
    with pytest.raises(ValueError, match=f"`{name}`"):
        FocalLoss(COUNTS, **option)
    with pytest.raises(ValueError, match="class 1"):
        FocalLoss([3, 0])
