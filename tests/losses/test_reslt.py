# Goldens: tests/cards/reslt.md.
import keras
import numpy as np
import pytest
from gradients import gradient

from keras_lt.losses import ResLTLoss

COUNTS = [60, 50, 40, 30, 20, 10]
CUTS = (2, 4)
i, v, k = np.meshgrid(np.arange(4), np.arange(3), np.arange(6), indexing="ij")
LOGITS = np.sin(1 + i + 2 * k + 3 * v)  # (B, V, C)
LABELS = np.array([0, 1, 3, 5])


def value(loss, labels=LABELS, logits=LOGITS):
    return float(loss(labels, keras.ops.convert_to_tensor(logits, "float32")))


def reslt(beta, **options):
    return ResLTLoss(COUNTS, cuts=CUTS, beta=beta, **options)


@pytest.mark.parametrize(
    ("beta", "golden"),
    [(0, 1.60839809), (0.5, 1.75250233), (0.995, 1.89516553), (1, 1.89660657)],
)
def test_golden_values(beta, golden):
    assert value(reslt(beta)) == pytest.approx(golden, rel=1e-6)


def test_golden_value_of_the_defaults():
    ours = value(ResLTLoss(COUNTS, cuts=CUTS))  # beta 0.99
    golden = 0.99 * 1.89660657 + 0.01 * 1.60839809
    assert ours == pytest.approx(golden, rel=1e-6)


def test_golden_values_of_the_head_alone():
    labels = np.array([0, 1, 0, 1])
    for beta, golden in ((1, 2.02249553), (0, 2.00790695), (0.995, 2.02242259)):
        ours = value(reslt(beta), labels)
        assert ours == pytest.approx(golden, rel=1e-6)


def test_values_are_terms_of_the_mean():
    plain = reslt(0, reduction=None)
    ours = plain(LABELS, keras.ops.convert_to_tensor(LOGITS, "float32"))
    golden = [1.28234759, 2.67302501, 1.39037088, 1.08784888]
    np.testing.assert_allclose(ours, golden, rtol=1e-6)
    own = reslt(1, reduction=None)
    ours = own(LABELS, keras.ops.convert_to_tensor(LOGITS, "float32"))
    head = [1.19473802, 2.78002042, 1.51416426, 1.06003899]
    medium, tail = [2.62269019, 2.99316002], 1.11143412
    golden = np.array(head)
    golden[2:] += medium
    golden[3] += tail
    np.testing.assert_allclose(ours, golden * 4 / 7, rtol=1e-5)


def test_golden_gradients():
    slope = gradient(lambda at: reslt(1)(LABELS, at), LOGITS)
    assert not slope[:3, 2].any()
    golden = [0.0109511, 0.0110330, 0.0508089, 0.0141478, 0.0089038, -0.0958447]
    np.testing.assert_allclose(slope[3, 2], golden, atol=1e-6)
    slope = gradient(lambda at: reslt(0.995)(LABELS, at), LOGITS)
    golden = [
        *(-0.000903268, 0.000217178, 0.000062636),
        *(0.000281471, 0.000279424, 0.000062559),
    ]
    np.testing.assert_allclose(slope[0, 2], golden, atol=1e-7)
    golden = [
        *(-0.10000763, 0.02158194, 0.00717403),
        *(0.03606936, 0.02829446, 0.00688783),
    ]
    np.testing.assert_allclose(slope[0, 0], golden, atol=1e-6)


def test_head_classes_do_not_train_the_later_branches():
    labels = np.array([0, 1, 1, 0])
    slope = gradient(lambda at: reslt(1)(labels, at), LOGITS)
    assert not slope[:, 1:].any()
    assert slope[:, 0].any()
    # Through the fused loss they do.
    assert gradient(lambda at: reslt(0.9)(labels, at), LOGITS)[:, 1:].any()


def test_uniform_logits():
    loss = ResLTLoss([5] * 100, cuts=(35, 70), beta=1)
    labels = np.array([0, 34, 35, 69, 99])
    zeros = np.zeros((5, 3, 100))
    assert value(loss, labels, zeros) == pytest.approx(4.60516019, rel=1e-6)
    loss = ResLTLoss([5] * 100, cuts=(35, 70), beta=0)
    assert value(loss, labels, zeros) == pytest.approx(4.60517019, rel=1e-6)


@pytest.mark.parametrize(
    ("difference", "golden", "slope"),
    [
        (0, 0.69314698, -0.4999999),
        (5, 5.00670041, -0.99329231),
        (10, 9.99784507, -0.99775680),
        (16.1180957, 15.42494852, -0.49999992),
        (20, 16.09769366, -0.02019528),
        (60, 16.11809565, 0),
    ],
)
def test_saturation(difference, golden, slope):
    logits = np.array([[[0, difference]]])
    for loss in (
        ResLTLoss([1, 1], cuts=(), beta=1),
        ResLTLoss([1, 1], cuts=(), beta=0, fused="bounded"),
    ):
        labels = np.array([0])
        assert value(loss, labels, logits) == pytest.approx(golden, rel=1e-5)
        ours = gradient(lambda at, loss=loss: loss(np.array([0]), at), logits)
        assert ours[0, 0, 0] == pytest.approx(slope, rel=2e-4, abs=1e-6)


def test_members_by_rank():
    loss = ResLTLoss([4, 90, 7, 90, 2], cuts=(2, 3))
    # By rank: 1, 3 (equal counts by id), 2, 0, 4.
    assert loss.members[:, 0].tolist() == [1] * 5
    assert loss.members[:, 1].tolist() == [1, 0, 1, 0, 1]
    assert loss.members[:, 2].tolist() == [1, 0, 0, 0, 1]


def test_default_cuts():
    assert ResLTLoss([500, 200, 50, 30, 5]).cuts == [2, 4]
    assert ResLTLoss([50] * 7).cuts == [2, 4]  # no shot group but one
    assert ResLTLoss([50] * 8).cuts == [2, 5]
    assert ResLTLoss([9] * 3).cuts == [1, 2]


def test_experts_are_summed():
    both = np.concatenate([LOGITS, LOGITS[:, ::-1]], axis=1)
    ours = value(reslt(0.9), logits=both)
    parts = [value(reslt(0.9), logits=x) for x in (LOGITS, LOGITS[:, ::-1])]
    assert ours == pytest.approx(sum(parts), rel=1e-6)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"class_counts": [3, 0]}, "class_counts"),
        ({"cuts": (4, 2)}, "cuts"),
        ({"cuts": (0, 2)}, "cuts"),
        ({"cuts": (2, 6)}, "cuts"),
        ({"beta": 1.5}, "beta"),
        ({"fused": "mean"}, "fused"),
        ({"epsilon": 0.0}, "epsilon"),
    ],
    ids=str,
)
def test_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}`"):
        ResLTLoss(**({"class_counts": COUNTS} | arguments))


def test_wrong_number_of_branches():
    with pytest.raises(ValueError, match="need logits of 3 branches, got 2"):
        value(reslt(0.9), logits=LOGITS[:, :2])
