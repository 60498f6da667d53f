"""Where a run stands, on disk: written often, read after a kill."""

import json
import pathlib
import time
from typing import Any

import keras
import numpy as np

from keras_lt.array_files import read_arrays, write_arrays
from keras_lt.atomic import make_durable, make_folder, write_atomically
from keras_lt.devices import is_chief
from keras_lt.training.clock import Clock
from keras_lt.training.transfer import (
    restore_weights,
    set_all,
    write_weights,
)
from keras_lt.workdir import Workdir

PROGRESS = "__progress__"


def save_variables(
    path: pathlib.Path, model: keras.Model, progress: Any
) -> None:
    """Write weights, statistics, random states and the optimizer to a file.

    Args:
        path: Where to; an earlier file is replaced in one step.
        model: A built model, compiled or not.
        progress: JSON data to keep with the variables.
    """
    arrays = {
        f"{i}/{variable.path}": keras.ops.convert_to_numpy(variable)
        for i, variable in enumerate(_variables(model))
    }
    write_arrays(path, arrays | {PROGRESS: np.array(json.dumps(progress))})


def load_variables(path: pathlib.Path, model: keras.Model) -> None:
    """Set all variables of a model of the same structure.

    Raises:
        ValueError: if the number or a shape of the variables differs, or the
            file is cut off.
    """
    named = read_arrays(path)
    arrays = [array for key, array in named.items() if key != PROGRESS]
    set_all(_variables(model), arrays, path)


def _variables(model):
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None:
        return list(model.variables)
    optimizer.build(model.trainable_variables)
    return [*model.variables, *optimizer.variables]


def without_optimizer(model: keras.Model) -> keras.Model:
    """Return a functional model that shares the layers, but is not compiled."""
    inputs, outputs = (
        tensors[0] if len(tensors) == 1 else tensors
        for tensors in (model.inputs, model.outputs)
    )
    return keras.Model(inputs, outputs, name=model.name)


class Store:
    """The files of one run, and how far it has come.

    Args:
        workdir: Folder of the run, or None to keep nothing.
        stages: Names of the stages, in order.
        first: Index of the first stage that this run trains.

    Where several processes train together, all read and only the first one
    writes, so the folder must be one that all of them see.

    Attributes:
        index: Stage to train now.
        epoch: Epochs of it that are done.
        seconds: Time spent in training so far.
        records: JSON data kept of each finished stage, by name.
        clock: What the time was spent on so far.
    """

    def __init__(self, workdir: Any, stages: list[str], first: int = 0):
        self.files, self.reads = Workdir(workdir or ""), bool(workdir)
        self.writes = self.reads and is_chief()
        self.stages = stages
        self.first = first
        self.index, self.epoch, self.seconds = first, 0, 0.0
        self.records: dict[str, Any] = {}
        self.spent: dict[str, float] = {}
        if self.writes:
            make_folder(self.files.path)
        if self.reads and self.files.checkpoint.exists():
            found = read_arrays(self.files.checkpoint, PROGRESS)
            self.__dict__.update(json.loads(str(found[PROGRESS])))
        self.clock = Clock(self.spent)
        if self.writes and self.files.metrics.exists():
            self._rewind_metrics()

    @property
    def soft_labels(self) -> pathlib.Path | None:
        """File with what a teacher says of the training images."""
        return self.files.soft_labels if self.reads else None

    def weights(self, index: int) -> pathlib.Path:
        """File with the model's weights at the end of a stage."""
        return self.files.weights(index, self.stages[index])

    def restore(self, index: int, model: keras.Model) -> None:
        """Give a model, set up for stage `index`, what is on disk for it."""
        if index < self.first:
            return
        if index == self.index and self.epoch:
            load_variables(self.files.checkpoint, model)
        elif index == self.index - 1 and not self.epoch:
            load_variables(self.files.checkpoint, model)
        elif index < self.index:
            restore_weights(self.weights(index), model)

    def save(self, model: keras.Model) -> None:
        """Write a checkpoint."""
        progress = ("index", "epoch", "seconds", "records", "spent")
        if self.writes:
            if self.files.metrics.exists():  # as far as the checkpoint says
                make_durable(self.files.metrics)
            state = {name: getattr(self, name) for name in progress}
            save_variables(self.files.checkpoint, model, state)

    def finish_stage(self, model: keras.Model, record: Any) -> None:
        """Keep the weights of the stage and move on to the next one."""
        with self.clock.count("checkpoints"):
            if self.writes:
                write_weights(self.weights(self.index), model)
            self.records[self.stages[self.index]] = record
            self.index, self.epoch = self.index + 1, 0
            self.save(model)

    def _rewind_metrics(self):
        """Drop the lines of epochs that will be trained again."""
        kept = []
        for text in self.files.metrics.read_text().splitlines():
            try:
                line = json.loads(text)
            except json.JSONDecodeError:  # cut off by a kill
                continue
            position = self.stages.index(line["stage"]), line["epoch"]
            if position < (self.index, self.epoch):
                kept.append(text + "\n")
        write_atomically(self.files.metrics, "".join(kept).encode())


class SaveProgress(keras.callbacks.Callback):
    """Write a line of metrics every epoch, and a checkpoint now and then.

    Args:
        store: Files of the run.
        every_seconds: Least time between two checkpoints; 0 saves every epoch.
    """

    def __init__(self, store: Store, every_seconds: float):
        super().__init__()
        self.store = store
        self.every_seconds = every_seconds

    def on_train_begin(self, logs=None):
        """Start the clock."""
        self._clock = self._saved = time.monotonic()

    def on_epoch_begin(self, epoch, logs=None):
        """Read the rate of the first step."""
        rate = self.model.optimizer.learning_rate
        self._rate = float(keras.ops.convert_to_numpy(rate))

    def on_epoch_end(self, epoch, logs=None):
        """Write."""
        now = time.monotonic()
        self.store.seconds += now - self._clock
        self._clock = now
        self.store.epoch = epoch + 1
        if not self.store.writes:
            return
        with self.store.clock.count("checkpoints"):
            self._write(now, epoch, logs)

    def _write(self, now, epoch, logs):
        line = {
            "stage": self.store.stages[self.store.index],
            "epoch": epoch,
            "learning_rate": self._rate,
            **{name: float(value) for name, value in (logs or {}).items()},
            "seconds": round(self.store.seconds, 3),
        }
        with open(self.store.files.metrics, "a") as file:
            file.write(json.dumps(line) + "\n")
        if now - self._saved >= self.every_seconds:
            self.store.save(self.model)
            self._saved = now
