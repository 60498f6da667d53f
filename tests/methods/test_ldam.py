import pytest
import toy

from keras_lt.layers import CosineClassifier
from keras_lt.methods import ldam


def test_published_settings():
    made = ldam.recipe(toy.problem())
    margins, reweighted = made.stages
    assert (margins.epochs, reweighted.epochs) == (160, 40)
    assert not margins.loss.reweighted and reweighted.loss.reweighted
    assert reweighted.optimizer is None  # carries on
    sgd = margins.optimizer(85)
    assert (sgd.momentum, sgd.nesterov, sgd.l2) == (0.9, False, 2e-4)
    rates = sgd.get_config()["learning_rate"]["config"]["rates"]
    ours = [rates[epoch - 1] for epoch in (1, 5, 160, 161, 181)]
    assert ours == pytest.approx([0.02, 0.1, 0.1, 1e-3, 1e-5])
    assert made.augment == {"rotation": 0.0}


def test_classifies_by_angle():
    model = ldam.recipe(toy.problem(), backbone="resnet8", width=4).build()
    assert isinstance(model.get_layer("head"), CosineClassifier)


def test_a_phase_can_be_left_out():
    (only,) = ldam.recipe(toy.problem(), epochs=(0, 3)).stages
    assert only.name == "reweighted"
    assert only.optimizer is not None
