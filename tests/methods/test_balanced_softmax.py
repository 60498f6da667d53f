import numpy as np
import programs
import pytest
import toy

from keras_lt.losses import LogitAdjustedLoss
from keras_lt.methods import METHODS, balanced_softmax
from keras_lt.training import run


def test_all_but_the_loss_is_that_of_cross_entropy():
    ours, plain = METHODS["balanced_softmax"], METHODS["ce"]
    assert ours.presets == plain.presets
    shared = ours.defaults.keys() & plain.defaults.keys()
    assert {name: ours.defaults[name] for name in shared} == {
        name: plain.defaults[name] for name in shared
    }
    (stage,) = ours(toy.problem()).stages
    assert isinstance(stage.loss, LogitAdjustedLoss)
    assert stage.loss.class_counts == toy.COUNTS


@pytest.mark.slow
@programs.once("jax")
def test_says_rare_classes_more_often():
    """Than cross entropy does on the same images."""
    pixels, _ = toy.test_images()
    rare = []
    for tau in (0.0, 2.0):
        made = balanced_softmax.recipe(
            toy.problem(),
            backbone="micro",
            width=4,
            lr=0.05,
            epochs=(6,),
            batch_size=8,
            tau=tau,
        )
        model = made.serve(run(made, toy.loader()).model)
        logits = model.predict(pixels, verbose=0)
        rare.append(np.mean(logits.argmax(-1) > 0))
    assert rare[1] > rare[0]
