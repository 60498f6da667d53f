import keras
import numpy as np
import pytest
import toy

from keras_lt import stats
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
    model = ldam.recipe(toy.problem(), backbone="micro", width=4).build()
    assert isinstance(model.get_layer("head"), CosineClassifier)


@pytest.mark.parametrize("loss", ["focal", "ce"])
def test_rivals_without_margins(loss):
    made = ldam.recipe(
        toy.problem(), loss=loss, gamma=2.0, backbone="micro", width=4
    )
    assert isinstance(made.build().get_layer("head"), keras.layers.Dense)
    first, last = (stage.loss for stage in made.stages)
    logits = np.array([[1.0, 0, 0], [1, 0, 0]], "float32")
    crossentropy = np.log(np.exp(1) + 2) - np.array([1.0, 0])  # of classes 0, 1
    weights = stats.class_balanced_weights(toy.COUNTS, 0.9999)[:2]
    if loss == "focal":
        plain = np.mean((1 - np.exp(-crossentropy)) ** 2 * crossentropy)
        own = weights * crossentropy
        late = np.mean((1 - np.exp(-own)) ** 2 * own)
    else:
        plain = np.mean(crossentropy)
        late = np.average(crossentropy, weights=weights)
    ours = [float(each([0, 1], logits)) for each in (first, last)]
    assert ours == pytest.approx([plain, late], rel=1e-5)


def test_an_unknown_loss():
    with pytest.raises(ValueError, match="`loss`.*'bce'"):
        ldam.recipe(toy.problem(), loss="bce")


def test_a_phase_can_be_left_out():
    (only,) = ldam.recipe(toy.problem(), epochs=(0, 3)).stages
    assert only.name == "reweighted"
    assert only.optimizer is not None
