"""A training of seconds that has all that a checkpoint must bring back."""

import json

import keras
import toy

from keras_lt.optimizers import SGD
from keras_lt.schedules import EpochRates
from keras_lt.training import Recipe, Stage, run

ON_JAX = keras.backend.backend() == "jax"
OFTEN = 1e-9  # seconds between two checkpoints


class Act(keras.callbacks.Callback):
    """Do something once, after some step of an epoch."""

    def __init__(self, action, epoch, step):
        super().__init__()
        self.action, self.when = action, (epoch, step)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch + 1) == self.when:
            self.action()


def recipe(rate=0.1):
    """Random states, statistics, and metrics that an epoch adds up."""

    def build():
        inputs = keras.Input((8, 8, 1))
        x = keras.layers.Dense(6)(keras.layers.Flatten()(inputs) / 255)
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.Dropout(0.3, seed=3)(x)
        return keras.Model(inputs, keras.layers.Dense(3)(x))

    def sgd(steps):
        return SGD(EpochRates([rate, rate / 2], steps), momentum=0.9)

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    options = {"loss": loss, "batch_size": 4, "epochs": 2}
    return Recipe(
        build=build,
        stages=(
            Stage(name="one", optimizer=sgd, **options),
            Stage(name="two", **options),
        ),
        metrics=lambda: [keras.metrics.SparseCategoricalAccuracy("accuracy")],
    )


def train(workdir, kind="numpy", fused=1, *, act=None, stage="two", **options):
    options = {"checkpoint_seconds": OFTEN} | options
    return run(
        options.pop("recipe", None) or recipe(),
        toy.loader(kind),
        workdir=workdir,
        steps_per_execution=fused,
        verbose=False,
        jit_compile="auto" if ON_JAX else False,
        on_stage_end=lambda stage, model: stage.name,
        callbacks=lambda s: [act] if act and s.name == stage else [],
        **options,
    )


def lines(workdir):
    text = (workdir / "metrics.jsonl").read_text()
    return [json.loads(line) | {"seconds": 0} for line in text.splitlines()]
