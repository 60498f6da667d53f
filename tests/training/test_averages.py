"""Every stage ends with the average of its weights."""

import dataclasses

import keras
import numpy as np
import programs
import pytest
import toy

from keras_lt.data import Augment
from keras_lt.layers import BatchNormalization
from keras_lt.optimizers import SGD
from keras_lt.training import Average, Recipe, Stage, rehearse, run

ON_TENSORFLOW = keras.backend.backend() == "tensorflow"


def build():
    images = keras.Input((8, 8, 1))
    x = keras.layers.Flatten()(images / 255)
    x = keras.layers.Dense(4, name="hidden")(x)
    x = BatchNormalization(momentum=0.9, name="norm")(x)
    return keras.Model(images, keras.layers.Dense(3, name="head")(x))


def recipe(average, optimizer=SGD, epochs=(2, 3)):
    """16 steps, and 12 of a stage that carries on with the optimizer."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    first = Stage(
        name="first",
        epochs=epochs[0],
        loss=loss,
        batch_size=4,
        optimizer=lambda steps: optimizer(0.05),
    )
    second = dataclasses.replace(
        first, name="second", epochs=epochs[1], batch_size=8, optimizer=None
    )
    return Recipe(build=build, stages=(first, second), average=average)


class Follow(keras.callbacks.Callback):
    """Keep the weights, and the moving means, of all steps."""

    def __init__(self):
        super().__init__()
        self.kernels, self.means = [], []

    def on_train_batch_end(self, batch, logs=None):
        model = self.model
        self.kernels.append(np.array(model.get_layer("hidden").kernel))
        self.means.append(np.array(model.get_layer("norm").moving_mean))


def train(average, callbacks=lambda stage: (), kind="numpy", **options):
    return run(
        recipe(average),
        toy.loader(kind),
        callbacks=callbacks,
        checkpoint_seconds=0,
        verbose=False,
        jit_compile=False if ON_TENSORFLOW else "auto",
        **options,
    ).model


@pytest.fixture(scope="module")
def trained():
    """A model, the weights on its way, and the same without average."""
    ways = [Follow(), Follow()]
    model = train(Average("swa"), lambda stage: ways[:1])
    train(None, lambda stage: ways[1:])
    return model, ways[0].kernels, ways[1].kernels


def test_ends_with_the_mean_of_the_last_quarter(trained):
    """Of 28 steps the last half leaves weights as they are."""
    model, way, free = trained
    assert len(way) == 28
    np.testing.assert_array_equal(way[:14], free[:14])
    golden = np.mean(free[10:14], axis=0)  # 0.75 * 14 = 10.5
    for kernel in (way[14], way[-1], model.get_layer("hidden").kernel):
        np.testing.assert_allclose(kernel, golden, rtol=1e-5, atol=1e-6)
    assert np.abs(golden - free[-1]).max() > 1e-3


@programs.once("jax")
def test_batch_normalisation_settles_to_the_averaged_network():
    whole = dataclasses.replace(recipe(None).stages[0], batch_size=32)
    whole = dataclasses.replace(whole, epochs=110)
    loader, way = toy.loader(augment=Augment()), Follow()
    model = run(
        Recipe(build=build, stages=(whole,), average=Average("swa")),
        loader,
        callbacks=lambda stage: [way],
        verbose=False,
    ).model
    hidden = keras.Model(model.inputs[0], model.get_layer("hidden").output)
    golden = np.array(hidden(loader.pixels)).mean(0)
    apart = np.abs(np.array(way.means) - golden).max(1)
    assert apart[58] > 1e-2  # one step before the last 50 begin
    np.testing.assert_allclose(apart[-1], 0, atol=0.01 * apart[58])


@programs.once("jax")
def test_resumes_to_the_same_end(tmp_path, trained):
    """After kills before and after weights become their averages."""
    for stage, epoch in (("first", 1), ("second", 2)):

        def kill(now, name=stage, epoch=epoch):
            return [toy.KillIn(epoch)] if now.name == name else []

        with pytest.raises(InterruptedError):
            train(Average("swa"), kill, workdir=tmp_path)
    found = train(Average("swa"), workdir=tmp_path)
    for mine, theirs in zip(
        found.get_weights(), trained[0].get_weights(), strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.slow
def test_two_devices_and_several_steps_at_a_time():
    average = Average("ema", 0.9)
    golden = train(average, sync_batch_norm=True)
    options = {"sync_batch_norm": True, "steps_per_execution": 4}
    kind = "tf.data" if ON_TENSORFLOW else "device"
    with toy.two_devices():
        spread = train(average, kind=kind, **options)
    for mine, theirs in zip(
        spread.get_weights(), golden.get_weights(), strict=True
    ):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5)
    for variable in spread.variables:
        np.testing.assert_array_equal(*toy.copies(variable), variable.path)


def test_says_what_it_needs():
    average = Average("ema")
    theirs = recipe(average, keras.optimizers.SGD)
    with pytest.raises(ValueError, match="`average` needs `optimizers.SGD`"):
        rehearse(theirs, toy.loader())
    single = recipe(average, epochs=(1, 0))
    first = dataclasses.replace(single.stages[0], batch_size=32)
    single = dataclasses.replace(single, stages=(first,))
    with pytest.raises(ValueError, match="at least 2 steps, got 1"):
        rehearse(single, toy.loader())
    for bad in ({"kind": "mean"}, {"momentum": 1.0}, {"start": 1.0}):
        with pytest.raises(ValueError, match="`average"):
            Average(**({"kind": "ema"} | bad))
