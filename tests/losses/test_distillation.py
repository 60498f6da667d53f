# Goldens: tests/cards/ride.md.
import keras
import numpy as np
import pytest
from gradients import gradient

from keras_lt.losses import DistillationLoss, LDAMLoss, RIDELoss

COUNTS = [100, 10, 1]
STUDENTS = np.array(
    [[[4, 1, -2], [2, 2, 0]], [[0, 3, 1], [-1, 2, 4]]], "float64"
)
TEACHER = np.array([[5, 0, -1], [-2, 1, 5]], "float64")
LOGITS = np.concatenate([STUDENTS, TEACHER[:, None]], axis=1)  # (B, 3, C)
LABELS = np.array([0, 2])
SILENT = RIDELoss(COUNTS, diversity=0.0)


def value(loss, logits=LOGITS):
    return float(loss(LABELS, keras.ops.convert_to_tensor(logits, "float32")))


@pytest.mark.parametrize(
    ("reweighted", "official_scale", "golden"),
    [
        (False, True, 37.926908790),
        (True, True, 60.715489455),
        (False, False, 18.963454395),
        (True, False, 30.357744727),
    ],
)
def test_golden_values(reweighted, official_scale, golden):
    loss = DistillationLoss(
        RIDELoss(COUNTS, reweighted=reweighted), official_scale=official_scale
    )
    assert value(loss) == pytest.approx(golden, rel=1e-6)


def test_golden_divergence():
    options = {"official_scale": False}
    ours = [
        value(DistillationLoss(SILENT, weight=weight, **options))
        for weight in (0.0, 1.0, 2.0)
    ]
    assert ours[0] == pytest.approx(value(SILENT, STUDENTS), rel=1e-6)
    assert ours[1] - ours[0] == pytest.approx(0.7827661550, abs=1e-5)
    assert ours[2] - ours[0] == pytest.approx(2 * 0.7827661550, abs=1e-5)


def test_gradient():
    loss = DistillationLoss(SILENT, temperature=2.0, official_scale=False)
    slope = gradient(lambda at: loss(LABELS, at), LOGITS)
    assert not slope[:, -1].any()  # of the teacher
    base = gradient(lambda at: SILENT(LABELS, at), STUDENTS)

    def softmax(logits):
        p = np.exp(logits / 2)
        return p / p.sum(-1, keepdims=True)

    # d/dz of T^2 KL(p || softmax(zbar / T)), each student's share 1/2.
    pull = 4 / 2 * (softmax(STUDENTS.mean(1)) - softmax(TEACHER)) / 2
    golden = base + pull[:, None] / len(LABELS)
    np.testing.assert_allclose(slope[:, :-1], golden, atol=2e-6)


def test_bad_arguments():
    base = LDAMLoss(COUNTS)
    for temperature in (0, -1.5):
        with pytest.raises(ValueError, match="`temperature` must be > 0"):
            DistillationLoss(base, temperature=temperature)
    with pytest.raises(ValueError, match="`weight` must be >= 0"):
        DistillationLoss(base, weight=-0.1)
