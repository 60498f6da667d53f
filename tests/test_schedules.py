# Goldens: tests/cards/wb.md.
import keras
import numpy as np
import pytest
import tiny

from keras_lt.optimizers import SGD
from keras_lt.schedules import (
    EpochRates,
    cosine_rates,
    step_rates,
    warmup_cosine_rates,
)


def check(rates, golden, rtol=1e-6):
    """Golden rates by epoch from 0."""
    for epoch, rate in golden.items():
        assert rates[epoch] == pytest.approx(rate, rel=rtol, abs=1e-15)


def test_cosine_of_weight_balancing():
    ten = [0.00975528, 0.00904508, 0.00793893, 0.00654508, 0.005]
    ten += [0.00345492, 0.00206107, 0.00095492, 0.00024472, 0]
    rates = cosine_rates(0.01, 10, shift=1)
    np.testing.assert_allclose(rates, ten, atol=5e-9)
    assert rates[-1] == 0
    rates = cosine_rates(0.01, 320, shift=1)
    assert len(rates) == 320
    check(rates, {0: 0.00999976, 79: 0.00853553, 159: 0.005}, 1e-6)
    check(rates, {239: 0.00146447, 318: 2.41e-7, 319: 0}, 1e-3)


def test_cosine_stepped_after_the_epoch():
    check(
        cosine_rates(0.1, 135),
        {0: 0.1, 1: 0.0999864621, 67: 0.0505817633, 134: 1.35379e-5},
        rtol=5e-6,
    )
    five = [0.2, 0.1809016994, 0.1309016994, 0.0690983006, 0.0190983006]
    np.testing.assert_allclose(cosine_rates(0.2, 5), five, rtol=1e-8)


def test_cosine_with_warm_up():
    rates = cosine_rates(0.1, 8, warmup_epochs=4)
    plain = cosine_rates(0.1, 8)
    ramp = [0.25, 0.5, 0.75, 1, 1, 1, 1, 1]
    np.testing.assert_allclose(rates, np.multiply(plain, ramp))


def test_steps_of_ride():
    cifar = {"milestones": (160, 180), "factor": 0.01}
    rates = step_rates(0.1, 200, **cifar, warmup_epochs=5)
    check(rates, {0: 0.02, 4: 0.1, 159: 0.1, 160: 1e-3, 179: 1e-3, 180: 1e-5})
    assert len(rates) == 200
    rates = step_rates(0.1, 200, **cifar, warmup_epochs=20)
    check(rates, {0: 0.005, 9: 0.05, 19: 0.1, 20: 0.1})
    rates = step_rates(0.1, 100, milestones=(60, 80), warmup_epochs=5)
    check(rates, {59: 0.1, 60: 0.01, 79: 0.01, 80: 0.001})
    experts = [0.01, 0.009045085, 0.006545085, 0.003454915, 0.000954915]
    np.testing.assert_allclose(cosine_rates(0.01, 5), experts, rtol=1e-6)


def test_steps_of_reslt():
    rates = step_rates(0.1, 200, milestones=(180, 160))  # in any order
    check(rates, {0: 0.1, 159: 0.1, 160: 0.01, 179: 0.01, 180: 0.001})


def test_rates_are_plain_floats():
    rates = cosine_rates(1.0, 3) + step_rates(1.0, 3, milestones=())
    assert {type(rate) for rate in rates} == {float}
    assert rates[3:] == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("dtype", ["int32", "uint32", "float32"])
def test_epoch_rates_by_step(dtype):
    schedule = EpochRates([0.3, 0.2, 0.1], steps_per_epoch=4)
    ours = [
        float(schedule(keras.ops.convert_to_tensor(step, dtype)))
        for step in (0, 3, 4, 7, 8, 11, 12, 1000)
    ]
    golden = [0.3, 0.3, 0.2, 0.2, 0.1, 0.1, 0.1, 0.1]
    np.testing.assert_allclose(ours, golden, rtol=1e-6)


def test_epoch_rates_take_arrays_and_give_plain_config():
    config = EpochRates(np.array([0.5, 0.25]), np.int64(2)).get_config()
    assert config == {"rates": [0.5, 0.25], "steps_per_epoch": 2}
    assert type(config["rates"][0]) is float


def test_epoch_rates_in_a_fit():
    # The gradient is 1, so a step moves the weight by the rate.
    model = tiny.linear([[0.0]])
    tiny.compiled(
        model,
        SGD(EpochRates([1.0, 0.25, 0.0], steps_per_epoch=2), momentum=0),
        loss=lambda y_true, y_pred: y_pred,
    )
    weights = []
    look = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: weights.append(
            float(model.get_layer("head").kernel[0, 0])
        )
    )
    tiny.fit(model, [[1.0]], [0], steps=2, epochs=4, callbacks=[look])
    np.testing.assert_allclose(weights, [-2, -2.5, -2.5, -2.5], rtol=1e-6)


def test_bad_epoch_rates():
    with pytest.raises(ValueError, match="`rates`"):
        EpochRates([], 10)
    for steps in (0, -1):
        with pytest.raises(ValueError, match="`steps_per_epoch`"):
            EpochRates([0.1], steps)


def test_reslt_rates_on_cifar():
    rates = step_rates(
        0.1, 200, milestones=(160, 180), warmup_epochs=5, warmup_start=1 / 3
    )
    golden = [0.04666667, 0.06, 0.07333333, 0.08666667, 0.1]
    assert rates[:5] == pytest.approx(golden, rel=1e-6)
    ours = [rates[epoch] for epoch in (159, 160, 179, 180)]
    assert ours == pytest.approx([0.1, 0.01, 0.01, 0.001])


def test_reslt_rates_on_large_sets():
    rates = warmup_cosine_rates(0.1, 180, warmup_epochs=5)
    golden = {
        0: 0.02,
        4: 0.1,
        5: 0.09999203,
        50: 0.0840709,
        92: 0.05,
        150: 0.00699929,
        179: 7.97e-6,
    }
    for epoch, rate in golden.items():
        assert rates[epoch] == pytest.approx(rate, rel=1e-3)
    assert len(rates) == 180
    rates = cosine_rates(0.1, 200)
    for epoch, rate in {0: 0.1, 50: 0.08535534, 199: 6.17e-6}.items():
        assert rates[epoch] == pytest.approx(rate, rel=1e-3)
