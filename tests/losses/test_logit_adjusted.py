# Goldens: tests/cards/toolbox.md.
import keras
import numpy as np
import pytest
from gradients import gradient

from keras_lt.losses import LogitAdjustedLoss

LOGITS = np.array([[2, 1, 0], [0, 3, 0], [1, -1, 0.5]], "float32")
LABELS = np.arange(3)
COUNTS = (100, 10, 5)


@pytest.mark.parametrize(
    ("tau", "golden", "slope"),
    [
        (0, 0.51916195, [0.19136566, 0.02589853, -0.21726419]),
        (0.5, 0.8250043, [0.2828644, 0.0121057, -0.29497]),
        (1, 1.33393928, [0.31932761, 0.00432163, -0.32364923]),
        (2, 2.7628746, [0.3323795, 0.0004498, -0.3328294]),
    ],
)
def test_goldens(tau, golden, slope):
    loss = LogitAdjustedLoss(COUNTS, tau=tau)
    assert float(loss(LABELS, LOGITS)) == pytest.approx(golden, rel=1e-6)
    found = gradient(lambda logits: loss(LABELS, logits), LOGITS)
    np.testing.assert_allclose(found[2], slope, atol=2e-7)
    if tau == 1:  # the balanced softmax, unless something else is said
        assert float(LogitAdjustedLoss(COUNTS)(LABELS, LOGITS)) == float(
            loss(LABELS, LOGITS)
        )


def test_mixed_labels_lie_between():
    loss = LogitAdjustedLoss(COUNTS)
    ends = [float(loss(np.array([c]), LOGITS[:1])) for c in (0, 2)]
    mixed = float(loss(np.array([[0.25, 0, 0.75]]), LOGITS[:1]))
    assert mixed == pytest.approx(0.25 * ends[0] + 0.75 * ends[1], rel=1e-6)


@pytest.mark.parametrize(
    "labels", [LABELS, np.float32([[1, 0, 0], [0.5, 0.5, 0], [0, 0.1, 0.9]])]
)
def test_each_expert_has_its_own_exponent(labels):
    """The golden of one is that of logits (B, C)."""
    both = np.stack([LOGITS, -LOGITS], axis=1)  # (B, 2, C)
    found = LogitAdjustedLoss(COUNTS, tau=(0.5, 2))(labels, both)
    golden = sum(
        float(LogitAdjustedLoss(COUNTS, tau=tau)(labels, logits))
        for tau, logits in ((0.5, LOGITS), (2, -LOGITS))
    )
    assert float(found) == pytest.approx(golden, rel=1e-6)


def test_as_many_exponents_as_experts():
    loss = LogitAdjustedLoss(COUNTS, tau=[1, 2])
    for logits in (LOGITS, np.stack([LOGITS] * 3, axis=1)):
        with pytest.raises(ValueError, match="`tau` has 2 values"):
            loss(LABELS, logits)
    assert loss.get_config()["tau"] == [1.0, 2.0]


def test_a_class_without_images_is_an_error():
    with pytest.raises(ValueError, match="got 0 for class 1"):
        LogitAdjustedLoss((3, 0))
    assert keras.losses.serialize(LogitAdjustedLoss((3, 1)))
