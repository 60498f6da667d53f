# Goldens: tests/cards/ssd.md.
import keras
import numpy as np
import pytest
from gradients import gradient

from keras_lt.losses import HardSoftDistillation

HARD = [[3, 1, 0], [0, 2, 1]]
SOFT = [[2, 0, -1], [0, 1, 0]]
TEACHER = [[4, 0, -2], [1, 0, 3]]
LABELS = np.array([0, 2])


def stacked(hard=HARD, soft=SOFT, teacher=TEACHER):
    return np.stack([soft, hard, teacher], axis=1).astype("float32")


def value(loss, logits):
    return float(loss(LABELS, keras.ops.convert_to_tensor(logits)))


def test_golden_values():
    assert value(HardSoftDistillation(), stacked()) == pytest.approx(
        1.6599415666, rel=1e-6
    )
    hard = value(HardSoftDistillation(), stacked(soft=TEACHER))
    assert hard == pytest.approx(0.7887259920, rel=1e-6)
    for temperature, golden in ((2.0, 0.8712155746), (1.0, 0.5456315340)):
        loss = HardSoftDistillation(temperature=temperature)
        assert value(loss, stacked()) - hard == pytest.approx(golden, abs=1e-6)


@pytest.mark.parametrize("hard", [1.0, 2.0])
def test_weights(hard):
    loss = HardSoftDistillation(hard_weight=hard, soft_weight=0.5)
    golden = hard * 0.7887259920 + 0.5 * 0.8712155746
    assert value(loss, stacked()) == pytest.approx(golden, rel=1e-6)


def test_without_a_hard_head():
    loss = HardSoftDistillation(hard_weight=0.0)
    found = value(loss, stacked()[:, ::2])
    assert found == pytest.approx(0.8712155746, rel=1e-6)


def test_each_head_sees_its_own_target():
    def slopes(logits):
        loss = HardSoftDistillation()
        return gradient(lambda at: loss(LABELS, at), logits)

    first, other = slopes(stacked()), slopes(stacked(teacher=HARD))
    assert not first[:, 2].any()  # of the teacher
    np.testing.assert_array_equal(first[:, 1], other[:, 1])
    assert not np.allclose(first[:, 0], other[:, 0])
    golden = [[0.843794734, 0.114195199, 0.042010066]]
    golden += [[0.231223898, 0.140244383, 0.628531719]]  # soft labels
    p = np.exp(np.array(SOFT) / 2)
    p /= p.sum(-1, keepdims=True)
    np.testing.assert_allclose(first[:, 0], p - golden, atol=1e-6)


@pytest.mark.parametrize("name", ["hard_weight", "soft_weight"])
def test_bad_weights(name):
    with pytest.raises(ValueError, match=f"`{name}` must be >= 0, got -1"):
        HardSoftDistillation(**{name: -1})


def test_bad_temperature():
    with pytest.raises(ValueError, match="`temperature` must be > 0, got 0"):
        HardSoftDistillation(temperature=0)
