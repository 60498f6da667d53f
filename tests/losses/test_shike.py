# Goldens: tests/cards/shike.md, section 9.
import numpy as np
import pytest
from gradients import gradient

from keras_lt.losses import LogitAdjustedLoss, SHIKELoss, SoftmaxCrossentropy

LOGITS = np.array(  # (B, E, C), from the card's (E, B, C)
    [
        [[2, 1, 0, -1], [0.5, -0.5, 1.5, 0]],
        [[1, 2, 0.5, -0.5], [0, 1, 1, -1]],
        [[1.5, 0, 1, 0], [-1, 0.5, 2, 0.5]],
    ],
    "float32",
).transpose(1, 0, 2)
LABELS = np.array([0, 2])
COUNTS = (100, 50, 10, 5)


def log_softmax(z):
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


def kl(log_p, log_q):
    return (np.exp(log_p) * (log_p - log_q)).sum(-1)


def test_golden_of_the_first_stage():
    loss = SHIKELoss()
    assert float(loss(LABELS, LOGITS)) == pytest.approx(37.4206376, rel=1e-6)
    for factors, golden in (
        ({"mutual": 0, "hardest": 0}, 2.27023686),
        ({"hardest": 0}, 2.27023686 + 0.53196193),
        ({"mutual": 0}, 2.27023686 + 34.61843879),
    ):
        found = float(SHIKELoss(**factors)(LABELS, LOGITS))
        assert found == pytest.approx(golden, rel=1e-6)
    slopes = gradient(lambda logits: loss(LABELS, logits), LOGITS)
    golden = [
        [
            [-0.0480585, -1.51676727, -0.16415966, -0.06039096],
            [-4.96433623, -1.84376831, -0.22039356, 0.09684297],
        ],
        [
            [-0.55791747, -0.93679379, -0.21541748, -0.07924766],
            [0.02998179, -0.8438015, -0.43814406, -0.26154388],
        ],
        [
            [-0.25967742, -2.21681712, -4.68470329, -1.72340603],
            [-0.27236708, -1.43987837, -0.1036689, -5.11574079],
        ],
    ]
    golden = np.transpose(golden, (1, 0, 2))
    np.testing.assert_allclose(slopes, golden, atol=1e-5)


def test_golden_with_all_others_below_the_fill():
    logits = np.float32(
        [[[3, -2, -3, -1], [2, -1, -4, -2], [2.5, -3, -1, -2.5]]]
    )
    found = float(SHIKELoss()(np.array([0]), logits))
    assert found == pytest.approx(113.1568807, rel=1e-6)


def test_golden_of_the_second_stage():
    loss = LogitAdjustedLoss(COUNTS)
    assert float(loss(LABELS, LOGITS)) == pytest.approx(3.10854204, rel=1e-6)
    slopes = gradient(lambda logits: loss(LABELS, logits), LOGITS)
    golden = [
        [-0.08332035, 0.07664394, 0.00563915, 0.00103726],
        [0.09134952, 0.20470007, -0.31651959, 0.02047001],
    ]
    found = [slopes[0, 0], slopes[1, 2]]
    np.testing.assert_allclose(found, golden, atol=1e-6)


def test_only_who_is_right_teaches():
    log_p = log_softmax(LOGITS.astype("float64"))
    expected = 0.0
    for image, label in enumerate(LABELS):
        for teacher in range(3):
            if LOGITS[image, teacher].argmax() == label:
                expected += sum(
                    kl(log_p[image, teacher], log_p[image, student])
                    for student in range(3)
                )
    loss = SHIKELoss(gated=True, mutual=4, hardest=0)  # of 4 classes
    plain = float(SoftmaxCrossentropy()(LABELS, LOGITS))
    found = float(loss(LABELS, LOGITS)) - plain
    assert found == pytest.approx(expected / 2, rel=1e-5)
    both = float(SHIKELoss(mutual=4, hardest=0)(LABELS, LOGITS)) - plain
    assert found < 0.9 * both


@pytest.mark.parametrize("fill", [0.0, -30.0])
def test_the_hardest_class(fill):
    """Intermediate values of the card, G2."""
    lesson = np.array([[fill, 1, 1, 0], [0.5, 1 / 3, fill, 0.5]])
    log_t = log_softmax(lesson)
    students = LOGITS.astype("float64")
    students[[0, 1], :, LABELS] = -30
    expected = kl(log_t[:, None], log_softmax(students)).sum(1).mean() / 4
    loss = SHIKELoss(mutual=0, hardest=1, target_fill=fill)
    plain = float(SoftmaxCrossentropy()(LABELS, LOGITS))
    found = float(loss(LABELS, LOGITS)) - plain
    assert found == pytest.approx(expected, rel=1e-4)


def test_teachers_without_gradient():
    loss = SHIKELoss(mutual=4, hardest=0, teacher_gradient=False)
    slopes = gradient(lambda logits: loss(LABELS, logits), LOGITS)
    p = np.exp(log_softmax(LOGITS.astype("float64")))
    hit = np.eye(4)[LABELS][:, None]
    # Each student: cross entropy, and 2 teachers towards it; mean of 2 images.
    golden = (p - hit + 3 * p - p.sum(1, keepdims=True)) / 2
    np.testing.assert_allclose(slopes, golden, atol=1e-6)


@pytest.mark.parametrize("bad", [{"mutual": -1}, {"hardest": -0.1}])
def test_bad_arguments(bad):
    with pytest.raises(ValueError, match=f"`{[*bad][0]}` must be >= 0"):
        SHIKELoss(**bad)
