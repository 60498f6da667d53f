import pytest
import toy

from keras_lt.methods import crossentropy
from keras_lt.samplers import ClassBalanced


def test_published_settings():
    (stage,) = crossentropy.recipe(toy.problem()).stages
    optimizer = stage.optimizer(10)
    rates = optimizer.get_config()["learning_rate"]["config"]["rates"]
    assert stage.epochs == len(rates) == 200
    assert rates[0] == pytest.approx(0.02)
    assert rates[4] == rates[159] == pytest.approx(0.1)
    assert rates[160] == rates[179] == pytest.approx(1e-3)
    assert rates[180] == pytest.approx(1e-5)
    assert (optimizer.momentum, optimizer.l2) == (0.9, 2e-4)
    assert not optimizer.nesterov


def test_sampler_by_name():
    (stage,) = crossentropy.recipe(toy.problem(), sampler="class").stages
    assert stage.sampler == ClassBalanced()
