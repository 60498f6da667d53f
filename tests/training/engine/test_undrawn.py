import logging

import keras
import numpy as np
import programs
import pytest
import toy

from keras_lt.models import classifier
from keras_lt.training import Recipe, Stage, rehearse
from keras_lt.training.engine.undrawn import undrawn

HEADS = ("linear", "kaiming", "cosine")


def weights(features=8):
    layer = keras.layers.Dense(5, kernel_initializer="he_normal")
    layer.build((None, features))
    return keras.ops.convert_to_numpy(layer.kernel)


def test_values_are_drawn_again_afterwards():
    with pytest.raises(KeyError), undrawn():
        assert (weights() == 1).all()
        raise KeyError
    assert len(np.unique(weights())) == 40


@pytest.mark.parametrize("head", HEADS)
def test_a_rehearsal_draws_nothing(head):
    built = []

    def build():
        built.append(classifier("micro", toy.problem(), width=2, head=head))
        return built[-1]

    stage = Stage(name="train", epochs=1, loss="mse", optimizer=lambda steps: 0)
    rehearse(Recipe(build=build, stages=(stage,)), toy.loader())
    (model,) = built
    for weight in model.trainable_weights:
        values = np.unique(keras.ops.convert_to_numpy(weight))
        assert len(values) == 1, weight.path
        assert np.isfinite(values).all()


@programs.once("jax")
def test_nothing_is_compiled_for_it(caplog):
    import jax

    def compiled(features):
        caplog.clear()
        with caplog.at_level(logging.WARNING), jax.log_compiles():
            weights(features)
        return [m for m in caplog.messages if m.startswith("Compiling")]

    assert compiled(features=91)  # of a shape that no other test has
    with undrawn():
        assert not compiled(features=92)
