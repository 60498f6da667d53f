"""Trainings whose numbers are none any more."""

import pathlib
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from keras_lt.array_files import DamagedFile
from keras_lt.json_files import read_json, write_json


class Diverged(FloatingPointError):
    """A loss or a weight is no finite number any more.

    Args:
        stage: Name of the stage.
        epoch: Its epoch, from 0; None at the stage's end.
        step: Steps of the epoch that were done, the bad one included; None
            if that is not known.
        rate: Learning rate at the start of the epoch.
        what: What is not finite.
        kept: What is left of the run's finite state, for people.
    """

    def __init__(
        self,
        *,
        stage: str,
        epoch: int | None,
        step: int | None,
        rate: float | None,
        what: str,
        kept: str = "nothing",
    ):
        self.stage, self.epoch, self.step = stage, epoch, step
        self.rate, self.what, self.kept = rate, what, kept
        place = [f"stage {stage}"]
        place += [] if epoch is None else [f"epoch {epoch + 1}"]
        place += [] if step is None else [f"step {step}"]
        at = "" if rate is None else f" at learning rate {rate:g}"
        self.place = (
            f"training diverged in {', '.join(place)}: {what} is not finite{at}"
        )
        super().__init__(
            f"{self.place}; kept: {kept}; try a smaller learning rate"
        )

    def record(self) -> dict[str, Any]:
        """JSON data that tell where it happened."""
        names = ("stage", "epoch", "step", "rate", "what")
        return {name: getattr(self, name) for name in names}


def not_finite(variables: Iterable[keras.Variable]) -> str | None:
    """Path of the first variable with a value that is not finite, or None."""
    for variable in variables:
        if "float" in str(variable.dtype):
            values = keras.ops.convert_to_numpy(variable)
            if not np.isfinite(values.astype("float32", copy=False)).all():
                return variable.path
    return None


def make_finite(model: keras.Model, learner: keras.Model) -> None:
    """Set to 0 what a training that has diverged left, so that it can be kept.

    Args:
        model: Of its stage.
        learner: What of it was trained.
    """
    if hasattr(learner, "jax_state_sync"):  # JAX has all values elsewhere
        learner.jax_state_sync()
    optimizer = getattr(model, "optimizer", None)
    variables = [*model.variables, *(optimizer.variables if optimizer else ())]
    for variable in variables:
        if not_finite([variable]):
            variable.assign(keras.ops.zeros(variable.shape, variable.dtype))


def read_records(path: pathlib.Path) -> list[dict[str, Any]]:
    """Read where a run has diverged so far.

    Args:
        path: Of the file; without it, nowhere.

    Raises:
        ValueError: naming the file, if it is damaged.
    """
    if not path.exists():
        return []
    try:
        found = read_json(path, list)
        if not all(isinstance(each["stage"], str) for each in found):
            raise ValueError("a stage has no name")
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedFile(
            f"{path} is damaged: {error!r}; remove the folder to begin anew"
        ) from error
    return found


def add_record(path: pathlib.Path, error: Diverged) -> None:
    """Note in a file where a run has diverged once more."""
    write_json(path, [*read_records(path), error.record()])
