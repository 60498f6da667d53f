import keras
import numpy as np
import pytest

from keras_lt.training import freeze, unfreeze


def network():
    return keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(4, name="dense"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.Dense(2, name="head"),
        ]
    )


def fit(model):
    keras.utils.set_random_seed(0)
    model.compile(
        keras.optimizers.SGD(0.1),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    x = np.random.default_rng(0).normal(2, 1, (8, 3))
    before = {v.path: np.array(v) for v in model.variables}
    model.fit(x, np.arange(8) % 2, verbose=0)
    after = {v.path: np.array(v) for v in model.variables}
    return {
        "/".join(path.split("/")[-2:])
        for path in before
        if not np.array_equal(before[path], after[path])
    }


HEAD = {"head/kernel", "head/bias"}
MOVING = {"norm/moving_mean", "norm/moving_variance"}


@pytest.mark.parametrize(
    ("statistics", "moved"), [("fixed", HEAD), ("moving", HEAD | MOVING)]
)
def test_only_the_head_and_asked_for_statistics_move(statistics, moved):
    model = network()
    for name in ("dense", "norm"):
        freeze(model.get_layer(name), statistics=statistics)
    assert fit(model) == moved


@pytest.mark.parametrize("statistics", ["fixed", "moving"])
def test_unfreeze_undoes_both_kinds(statistics):
    model = network()
    freeze(model, statistics=statistics)
    assert not model.trainable_variables
    unfreeze(model)
    assert len(model.trainable_variables) == 6
    moved = fit(model)
    assert MOVING | HEAD | {"dense/kernel", "norm/gamma"} <= moved


@pytest.mark.parametrize("statistics", ["fixed", "moving"])
def test_unfreeze_reaches_frozen_parts_of_a_model_that_is_not(statistics):
    model = network()
    freeze(model.get_layer("norm"), statistics=statistics)
    assert model.trainable and len(model.trainable_variables) == 4
    unfreeze(model)
    assert len(model.trainable_variables) == 6
    assert model.get_layer("norm").trainable


def test_statistics_must_be_known():
    with pytest.raises(ValueError, match="statistics"):
        freeze(network(), statistics="batch")
