# Goldens: tests/cards/ride.md.
import keras
import numpy as np
import programs
import pytest
import tiny
from gradients import gradient

from keras_lt.callbacks import DeferredReweighting
from keras_lt.losses import ClassBalancedLoss, LDAMLoss, RIDELoss
from keras_lt.optimizers import SGD

COUNTS = [100, 10, 1]
EXPERTS = np.array(
    [[[4, 1, -2], [0, 3, 1]], [[2, 2, 0], [-1, 2, 4]]], "float64"
)
LOGITS = EXPERTS.transpose(1, 0, 2)  # (B, E, C)
LABELS = np.array([0, 2])
TAIL = np.floor(500 * 0.01 ** (np.arange(100) / 99) + 1e-9).astype(int)


def ride(scale=30, reweighted=False, **options):
    base = LDAMLoss(COUNTS, scale=scale, reweighted=reweighted)
    return RIDELoss(COUNTS, base=base, reweighted=reweighted, **options)


def value(loss, logits=LOGITS):
    return float(loss(LABELS, keras.ops.convert_to_tensor(logits, "float32")))


def softmax(logits):
    p = np.exp(logits - logits.max(-1, keepdims=True))
    return p / p.sum(-1, keepdims=True)


def kl(p, q):
    return (p * np.log(p / q)).sum(-1)


def test_temperatures():
    for gamma, golden in (
        (0.05, [1, 0.8879202989, 0.8767123288]),
        (0.02, [1, 0.9529534762, 0.9482488238]),
        (0, [1, 1, 1]),
    ):
        loss = RIDELoss(COUNTS, gamma=gamma, reweighted=True)
        ours = loss.class_temperatures
        np.testing.assert_allclose(ours, golden, rtol=1e-6)
    ours = RIDELoss(TAIL, reweighted=True).class_temperatures
    golden = [1, 0.8235016186, 0.8067108433]
    np.testing.assert_allclose(ours[[0, 50, 99]], golden, rtol=1e-6)
    assert ours.mean() == pytest.approx(0.8471141343, rel=1e-6)
    np.testing.assert_array_equal(RIDELoss(TAIL).class_temperatures, 1)
    balanced = RIDELoss([5, 5], reweighted=True).class_temperatures
    np.testing.assert_array_equal(balanced, 1)


def test_temperatures_of_the_paper():
    loss = RIDELoss(COUNTS, divergence="pairwise", reweighted=True)
    b = 0.05 * np.array(COUNTS) / np.mean(COUNTS) + 0.95
    golden = b + 1 - b.max()
    np.testing.assert_allclose(loss.class_temperatures, golden, rtol=1e-6)
    assert loss.class_temperatures[0] == 1


@pytest.mark.parametrize(
    ("scale", "reweighted", "golden"),
    [
        (30, False, 18.180688240),
        (30, True, 29.574978572),
        (1, False, 1.589814956),
        (1, True, 2.524493005),
    ],
)
def test_golden_values(scale, reweighted, golden):
    loss = ride(scale, reweighted)
    assert value(loss) == pytest.approx(golden, rel=1e-6)
    if scale == 30:  # of the default base
        loss = RIDELoss(COUNTS, reweighted=reweighted)
        assert value(loss) == pytest.approx(golden, rel=1e-6)


def test_golden_divergence():
    for reweighted, golden in (
        (False, 0.280799209 + 0.341318551),
        (True, 0.350456368 + 0.410065288),
    ):
        loss = ride(reweighted=reweighted, diversity=-1.0)
        with_it = value(loss)
        without = value(ride(reweighted=reweighted, diversity=0.0))
        golden *= loss.class_temperatures.mean() ** 2
        assert without - with_it == pytest.approx(golden, abs=2e-5)


def test_golden_gradients():
    slope = gradient(lambda at: ride(scale=1)(LABELS, at), LOGITS)
    golden = [
        [
            [-0.061427653, 0.057270244, 0.004157451],
            [-0.209520519, 0.186441809, 0.023078702],
        ],
        [
            [0.018005975, 0.361659765, -0.379665703],
            [0.008637900, 0.173496857, -0.182134748],
        ],
    ]
    np.testing.assert_allclose(slope, golden, atol=1e-6)


def test_no_diversity_is_the_sum_of_the_experts():
    loss = ride(diversity=0.0)
    alone = LDAMLoss(COUNTS)
    total = sum(value(alone, expert) for expert in EXPERTS)
    assert value(loss) == pytest.approx(total, rel=1e-6)
    first = gradient(lambda at: loss(LABELS, at), LOGITS)[:, 0]
    single = gradient(lambda at: alone(LABELS, at), EXPERTS[0])
    np.testing.assert_allclose(first, single, atol=1e-6)


def test_collaborative():
    loss = ride(collaborative=True)
    assert value(loss) == pytest.approx(18.406327969, rel=1e-6)
    slope = gradient(lambda at: loss(LABELS, at), LOGITS)
    np.testing.assert_allclose(slope[:, 0], slope[:, 1], atol=1e-7)


def test_identical_experts():
    twice = np.stack([EXPERTS[0]] * 2, axis=1)
    loss = ride(reweighted=True)
    assert value(loss, twice) == pytest.approx(33.796647935, rel=1e-6)
    for divergence in ("ensemble", "pairwise"):
        both = [
            value(ride(diversity=d, divergence=divergence), twice)
            for d in (-1.0, 0.0)
        ]
        assert both[0] == pytest.approx(both[1], rel=1e-6)


def test_one_expert_has_no_divergence():
    single = LOGITS[:, :1]
    for divergence in ("ensemble", "pairwise"):
        ours = value(ride(divergence=divergence), single)
        expected = value(LDAMLoss(COUNTS), single[:, 0])
        assert ours == pytest.approx(expected, rel=1e-6)


def test_pairwise_divergence():
    random = np.random.default_rng(0)
    logits = random.normal(size=(2, 3, 3)) * 2
    loss = ride(reweighted=True, divergence="pairwise", diversity=-0.45)
    plain = ride(reweighted=True, diversity=0.0)
    p = softmax(logits / loss.class_temperatures.astype("float64"))
    pairs = sum(
        kl(p[:, e], p[:, j]) for e in range(3) for j in range(3) if j != e
    )
    expected = -0.45 / 2 * pairs.mean()
    ours = value(loss, logits) - value(plain, logits)
    assert ours == pytest.approx(expected, abs=2e-5)


@pytest.mark.parametrize("divergence", ["ensemble", "pairwise"])
@pytest.mark.parametrize(("diversity", "sign"), [(-1.0, 1), (1.0, -1)])
def test_a_step_changes_the_disagreement(divergence, diversity, sign):
    random = np.random.default_rng(1)
    logits = random.normal(size=(4, 3, 3))
    labels = np.array([0, 1, 2, 0])

    def slope(d):
        loss = ride(1, diversity=d, divergence=divergence)
        return gradient(lambda at: loss(labels, at), logits)

    moved = logits - 0.1 * (slope(diversity) - slope(0.0))

    def disagreement(logits):
        p = softmax(logits)
        return kl(p[:, :, None], p[:, None]).sum()

    assert sign * (disagreement(moved) - disagreement(logits)) > 1e-4


def test_other_base_losses():
    for base in (
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        ClassBalancedLoss(COUNTS),
        ClassBalancedLoss(COUNTS, form="softmax_bce"),
    ):
        loss = RIDELoss(COUNTS, base=base, diversity=0.0)
        total = sum(value(base, expert) for expert in EXPERTS)
        assert value(loss) == pytest.approx(total, rel=1e-6)


@pytest.mark.slow
@programs.once("jax")
def test_deferred_in_a_plain_fit():
    random = np.random.default_rng(0)
    x = random.normal(size=(12, 4))
    y = np.repeat([0, 1, 2], (8, 3, 1))
    kernel = random.normal(size=(4, 6)) * 2

    def losses(loss, *callbacks):
        model = tiny.linear(kernel)
        views = keras.layers.Reshape((2, 3))(model.outputs[0])
        model = keras.Model(model.inputs, views)
        tiny.compiled(model, SGD(0.0), loss)
        history = tiny.fit(model, x, y, epochs=3, callbacks=[*callbacks])
        return history["loss"]

    early, late = losses(ride(1))[0], losses(ride(1, reweighted=True))[0]
    assert abs(early - late) > 0.01
    loss = ride(1, reweighted=True)
    temperatures = loss.class_temperatures
    ours = losses(loss, DeferredReweighting(2))
    assert ours == pytest.approx([early, early, late], rel=1e-5)
    np.testing.assert_array_equal(loss.class_temperatures, temperatures)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"class_counts": []}, "class_counts"),
        ({"class_counts": COUNTS, "divergence": "kl"}, "divergence"),
        ({"class_counts": COUNTS, "gamma": -0.1}, "gamma"),
        ({"class_counts": [999, 1], "gamma": 2.0}, "gamma"),
        (
            {"class_counts": [999, 1], "gamma": 0.6, "divergence": "pairwise"},
            "gamma",
        ),
    ],
)
def test_bad_arguments(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}`"):
        RIDELoss(**arguments)
