import toy

from keras_lt.losses import FocalLoss
from keras_lt.methods import METHODS


def test_all_but_the_loss_is_that_of_cross_entropy():
    ours, plain = METHODS["focal"], METHODS["ce"]
    assert ours.presets == plain.presets
    shared = ours.defaults.keys() & plain.defaults.keys()
    assert {name: ours.defaults[name] for name in shared} == {
        name: plain.defaults[name] for name in shared
    }


def test_focus_and_class_weights():
    (stage,) = METHODS["focal"](toy.problem(), gamma=2.0, beta=0.9).stages
    assert isinstance(stage.loss, FocalLoss)
    assert stage.loss.class_counts == [*toy.COUNTS]
    assert (stage.loss.gamma, stage.loss.beta) == (2.0, 0.9)
