import functools
import json

import keras
import numpy as np
import pytest
import toy

from keras_lt.data import Loader
from keras_lt.optimizers import SGD
from keras_lt.samplers import ClassBalanced
from keras_lt.schedules import EpochRates
from keras_lt.training import (
    Recipe,
    Stage,
    copy_weights,
    freeze,
    read_weights,
    run,
)


class Killed(Exception):
    pass


class KillAt(keras.callbacks.Callback):
    """Raise in a stage, at the first batch after some epochs."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.now == self.epoch:
            raise Killed


def build(units=8):
    inputs = keras.Input((8, 8, 1))
    x = keras.layers.Flatten()(inputs)
    x = keras.layers.Dense(units, name="hidden")(x / 255)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.Dropout(0.2, seed=3)(x)
    return keras.Model(inputs, keras.layers.Dense(3, name="head")(x))


def recipe():
    """Three stages: train, carry on with the optimizer, halve and tune."""
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def halve(model):
        freeze(model.get_layer("hidden"), statistics="fixed")
        kernel = model.get_layer("head").kernel
        kernel.assign(keras.ops.convert_to_numpy(kernel) / 2)
        return model

    def sgd(steps):
        return SGD(EpochRates([0.1, 0.05], steps), momentum=0.9)

    settings = {"loss": loss, "batch_size": 16}
    return Recipe(
        build=build,
        stages=(
            Stage(name="first", epochs=2, optimizer=sgd, **settings),
            Stage(name="second", epochs=2, sampler=ClassBalanced(), **settings),
            Stage(name="nothing", epochs=0),
            Stage(
                name="last", epochs=2, optimizer=sgd, setup=halve, **settings
            ),
        ),
        metrics=lambda: [keras.metrics.SparseCategoricalAccuracy("accuracy")],
    )


def kills(stage, epoch):
    """Kill a run in an epoch of a stage."""
    return lambda of: [KillAt(epoch)] if of.name == stage else []


def train(workdir, **options):
    return run(
        recipe(),
        toy.loader(),
        workdir=workdir,
        checkpoint_seconds=0,
        verbose=False,
        on_stage_end=lambda stage, model: {"stage": stage.name},
        **options,
    )


def lines(workdir):
    text = (workdir / "metrics.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """Folder and outcome; what a kill in an epoch leaves lies beside."""
    workdir = tmp_path_factory.mktemp("uninterrupted") / "run"

    def copies(stage):
        return [
            toy.CopyIn(
                epoch, workdir, workdir.with_name(f"{stage.name}{epoch}")
            )
            for epoch in range(stage.epochs)
        ]

    return workdir, train(workdir, callbacks=copies)


@pytest.mark.parametrize("epoch", [0, 1])
@pytest.mark.parametrize("stage", ["first", "second", "last"])
def test_resumes_to_the_same_end_after_a_kill(uninterrupted, stage, epoch):
    workdir, expected = uninterrupted
    killed = workdir.with_name(f"{stage}{epoch}")
    outcome = train(killed)
    for mine, theirs in zip(
        outcome.model.get_weights(), expected.model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)
    assert outcome.records == expected.records
    assert outcome.images == expected.images
    for mine, theirs in zip(lines(killed), lines(workdir), strict=True):
        assert {**mine, "seconds": 0} == {**theirs, "seconds": 0}


def test_a_finished_run_does_not_train_again(uninterrupted):
    workdir, expected = uninterrupted
    before = lines(workdir)
    outcome = train(workdir, callbacks=kills("first", 0))
    assert lines(workdir) == before
    np.testing.assert_array_equal(
        outcome.model.get_weights()[0], expected.model.get_weights()[0]
    )


def test_leaves_weights_of_every_stage_and_a_line_for_every_epoch(
    uninterrupted,
):
    workdir, outcome = uninterrupted
    names = sorted(path.name for path in (workdir / "stages").iterdir())
    assert names == [
        "0-first.npz",
        "1-second.npz",
        "2-nothing.npz",
        "3-last.npz",
    ]
    model = build()
    copy_weights(read_weights(workdir / "stages" / names[-1]), model)
    np.testing.assert_array_equal(
        model.get_weights()[0], outcome.model.get_weights()[0]
    )
    found = [(line["stage"], line["epoch"]) for line in lines(workdir)]
    assert found == [
        (stage, epoch)
        for stage in ("first", "second", "last")
        for epoch in (0, 1)
    ]
    rates = [round(line["learning_rate"], 4) for line in lines(workdir)]
    assert rates == [0.1, 0.05, 0.05, 0.05, 0.1, 0.05]
    assert outcome.seconds > 0
    assert outcome.images == 6 * sum(toy.COUNTS)


def test_same_seed_same_weights_and_other_seed_others(uninterrupted):
    _, expected = uninterrupted
    again = train(None)
    other = train(None, seed=1)
    mine = again.model.get_weights()[0]
    np.testing.assert_array_equal(mine, expected.model.get_weights()[0])
    assert not np.allclose(mine, other.model.get_weights()[0])


@pytest.mark.slow
def test_half_a_line_of_metrics_is_dropped(tmp_path):
    with pytest.raises(Killed):
        train(tmp_path, callbacks=kills("first", 1))
    with open(tmp_path / "metrics.jsonl", "a") as file:
        file.write('{"stage": "first", "ep')
    train(tmp_path)
    assert len(lines(tmp_path)) == 6


def test_a_checkpoint_of_another_model_is_refused(tmp_path, monkeypatch):
    with pytest.raises(Killed):
        train(tmp_path, callbacks=kills("first", 1))

    wider = functools.partial(build, units=9)
    monkeypatch.setitem(globals(), "build", wider)
    with pytest.raises(ValueError, match="hidden.*has shape"):
        train(tmp_path)


def test_validation_appears_in_the_metrics(tmp_path):
    loader = Loader(
        toy.images(toy.COUNTS, 0), validation=toy.images((5, 5, 5), 2)
    )
    run(recipe(), loader, workdir=tmp_path, verbose=False, validation_freq=2)
    found = ["val_accuracy" in line for line in lines(tmp_path)]
    assert found == [False, True] * 3


def test_stages_need_names_of_their_own():
    stage = Stage(name="a", epochs=1)
    with pytest.raises(ValueError, match="stages"):
        Recipe(build=build, stages=(stage, stage))
