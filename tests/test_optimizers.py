import keras
import numpy as np
import programs
import pytest
import tiny

from keras_lt.optimizers import SGD
from keras_lt.schedules import EpochRates, cosine_rates


def follow(optimizer, gradients, rates, start=1.0):
    """Values of one scalar weight after each step."""
    weight = keras.Variable(np.float32([start]))
    optimizer.build([weight])
    path = []
    for gradient, rate in zip(gradients, rates, strict=True):
        optimizer.learning_rate = rate
        slope = keras.ops.convert_to_tensor([gradient], "float32")
        optimizer.apply([slope])
        path.append(float(weight[0]))
    return path


# Gradients and rates of tests/cards: wb.md (W8), ride.md (8.9), ssd.md (8.8).
WB = [0.5, -0.2, 0.1], [0.1, 0.1, 0.01]
RIDE = [0.5, 0.2, -0.1], [0.1, 0.1, 0.001]
SSD = [0.5, 0.2, -0.1], [0.1, 0.1, 0.05]


@pytest.mark.parametrize(
    ("steps", "l2", "nesterov", "golden"),
    [
        (WB, 0.1, False, [0.94, 0.8966, 0.8907974]),
        (WB, 0.1, True, [0.886, 0.858566, 0.8515630646]),
        (RIDE, 5e-4, True, [0.904905, 0.826278534, 0.825940518]),
        (SSD, 5e-4, False, [0.94995, 0.8848575025, 0.8605437572]),
    ],
)
def test_same_steps_as_pytorch(steps, l2, nesterov, golden):
    ours = follow(SGD(0.1, l2=l2, nesterov=nesterov), *steps)
    np.testing.assert_allclose(ours, golden, rtol=1e-6)
    decoupled = keras.optimizers.SGD(
        0.1, momentum=0.9, nesterov=nesterov, weight_decay=l2
    )
    theirs = follow(decoupled, *steps)
    assert abs(theirs[2] - golden[2]) > 1e-3


@pytest.mark.parametrize(
    ("nesterov", "golden"),
    [
        (False, [0.94, 0.8966, 0.8556434]),
        (True, [0.886, 0.858566, 0.8203181246]),
    ],
)
def test_a_rate_inside_the_buffer_differs_after_a_drop(nesterov, golden):
    gradients, rates = WB
    theirs = keras.optimizers.SGD(0.1, momentum=0.9, nesterov=nesterov)
    weight = keras.Variable(np.float32([1.0]))
    theirs.build([weight])
    path = []
    for gradient, rate in zip(gradients, rates, strict=True):
        theirs.learning_rate = rate
        theirs.apply([gradient + 0.1 * weight])  # the penalty in the loss
        path.append(float(weight[0]))
    np.testing.assert_allclose(path, golden, rtol=1e-6)
    ours = follow(SGD(0.1, l2=0.1, nesterov=nesterov), *WB)
    np.testing.assert_allclose(ours[:2], golden[:2], rtol=1e-6)
    assert abs(ours[2] - golden[2]) > 0.03


def test_a_factor_on_the_rate_of_some_variables():
    """Decay is multiplied as well, as in parameter groups of PyTorch."""
    gradients, rates = WB
    named = [keras.Variable(np.float32([1.0]), name=n) for n in "ab"]
    ours = SGD(0.1, l2=0.1, rate_factors={"a": 0.5})
    ours.build(named)
    for gradient, rate in zip(gradients, rates, strict=True):
        ours.learning_rate = rate
        slope = keras.ops.convert_to_tensor([gradient], "float32")
        ours.apply([slope, slope])
    slow = follow(SGD(0.1, l2=0.1), gradients, [r / 2 for r in rates])
    golden = [slow[-1], 0.8907974]
    found = [float(variable[0]) for variable in named]
    np.testing.assert_allclose(found, golden, rtol=1e-6)
    with pytest.raises(ValueError, match="`rate_factors` .* got -1 for 'a'"):
        SGD(0.1, rate_factors={"a": -1})


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("momentum", [0.0, 0.5])
@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_against_numpy(momentum, l2, nesterov):
    random = np.random.default_rng(0)
    gradients, rates = random.normal(size=8), random.random(8)
    weight, buffer, reference = 2.0, 0.0, []
    for gradient, rate in zip(gradients, rates, strict=True):
        gradient = gradient + l2 * weight
        buffer = momentum * buffer + gradient
        step = gradient + momentum * buffer if nesterov else buffer
        weight = weight - rate * step
        reference.append(weight)
    optimizer = SGD(0.1, momentum=momentum, l2=l2, nesterov=nesterov)
    ours = follow(optimizer, gradients, rates, start=2.0)
    np.testing.assert_allclose(ours, reference, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("nesterov", [False, True])
def test_mean_of_several_steps(nesterov):
    random = np.random.default_rng(0)
    gradients, rates = random.normal(size=9), random.random(9)
    options = {"l2": 0.3, "nesterov": nesterov}
    ours = follow(SGD(0.1, accumulate_steps=3, **options), gradients, rates)
    means = gradients.reshape(3, 3).mean(1)
    first, second, third = follow(SGD(0.1, **options), means, rates[2::3])
    expected = [1.0, 1.0, first, first, first, second, second, second, third]
    np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-6)


def placed(optimizer, values):
    """Averages while a weight is put somewhere before each step."""
    weight = keras.Variable(np.float32([values[0]]))
    optimizer.build([weight])
    averages, weights = [], []
    for value in values:
        weight.assign([value])
        optimizer.apply([keras.ops.zeros(1)])
        averages.append(float(optimizer.averages[0][0]))
        weights.append(float(weight[0]))
    return averages, weights


def test_exponential_average():
    """Golden of tests/cards/toolbox.md, section 11: d = 0.9."""
    steps = [1.0] * 81 + [2.0, 3.0, 4.0, 5.0]  # (1 + 80) / (10 + 80) = 0.9
    ours = SGD(average="ema", average_momentum=0.9, average_steps=(0, 84))
    averages, weights = placed(ours, steps)
    np.testing.assert_allclose(averages[80:84], [1, 1.1, 1.29, 1.561], 1e-6)
    np.testing.assert_allclose(averages[84], 1.561, 1e-6)
    np.testing.assert_allclose(weights[80:], [1, 2, 3, 4, 1.561], 1e-6)
    first = placed(SGD(average="ema", average_steps=(1, 9)), [5.0, 1.0, 2.0])
    # Before it begins the average follows; then it keeps 1/10, and 2/11.
    golden = [5.0, 0.1 * 5 + 0.9 * 1, 2 / 11 * 1.4 + 9 / 11 * 2]
    np.testing.assert_allclose(first[0], golden, 1e-6)


@pytest.mark.parametrize("parts", [1, 2])
def test_mean_of_the_weights(parts):
    values = np.repeat([9.0, 1.0, 2.0, 6.0, 8.0], parts)
    ours = SGD(
        average="swa",
        average_steps=(parts, 4 * parts),
        accumulate_steps=parts,
    )
    averages, weights = placed(ours, values)
    found = averages[parts - 1 :: parts]  # those of updates
    np.testing.assert_allclose(found, [9, 1, 1.5, 3, 3], 1e-6)
    np.testing.assert_allclose(weights[-parts:], [3] * parts, 1e-6)
    np.testing.assert_allclose(weights[:-parts], values[:-parts], 1e-6)


@pytest.mark.slow
@programs.once("jax")
def test_weight_decay_alone_forgets_the_start():
    forgotten = [0.17683410, 0.03230362, 0.00741399, 0.00224792, 0.00091786]
    forgotten += [0.00049941, 0.00034919, 0.00029639, 0.00028428, 0.00028428]
    schedule = EpochRates(cosine_rates(0.01, 10, shift=1), 170)
    model = tiny.linear([[1.0]])
    tiny.compiled(model, SGD(schedule, l2=0.1), loss="mse")
    weights = []
    look = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: weights.append(
            float(model.get_layer("head").kernel[0, 0])
        )
    )
    # Images of zeros give no gradient.
    tiny.fit(model, [[0.0]], [0], steps=170, epochs=10, callbacks=[look])
    np.testing.assert_allclose(weights, forgotten, rtol=1e-6, atol=1e-8)
    assert weights[-1] == weights[-2]  # the last epoch has rate 0


def test_every_variable_decays():
    model = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(2, bias_initializer="ones"),
            keras.layers.BatchNormalization(beta_initializer="ones"),
        ]
    )
    before = [np.array(v) for v in model.trainable_variables]
    assert len(before) == 4
    optimizer = SGD(0.1, l2=0.5)
    optimizer.build(model.trainable_variables)
    optimizer.apply([keras.ops.zeros_like(v) for v in before])
    for old, new in zip(before, model.trainable_variables, strict=True):
        np.testing.assert_allclose(np.array(new), 0.95 * old, rtol=1e-6)


def test_options_of_keras_work():
    clipped = follow(SGD(1.0, momentum=0, clipnorm=0.25), [8.0], [1.0])
    assert clipped == pytest.approx([0.75])


def test_defaults():
    config = SGD().get_config()
    assert config["learning_rate"] == pytest.approx(0.01)
    defaults = {"momentum": 0.9, "nesterov": False, "l2": 0.0, "name": "sgd"}
    assert config | defaults == config


@pytest.mark.parametrize(
    "bad",
    [
        {"momentum": 1.0},
        {"momentum": -0.1},
        {"l2": -1e-4},
        {"accumulate_steps": 0},
        {"average": "mean"},
        {"average_momentum": 1.0},
        {"average_steps": (3, 3), "average": "swa"},
    ],
    ids=str,
)
def test_bad_arguments(bad):
    with pytest.raises(ValueError, match=f"`{[*bad][0]}`"):
        SGD(0.1, **bad)
