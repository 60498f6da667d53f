"""All variables of a model in a file, with how far training has come."""

import pathlib
from collections.abc import Sequence

import keras
import numpy as np

from keras_lt.array_files import DamagedFile, read_arrays, write_arrays
from keras_lt.training.progress import Progress
from keras_lt.training.transfer import set_all

PROGRESS = "__progress__"
METRIC = "__metric__"  # before the number of one, within an epoch


def save_variables(
    path: pathlib.Path,
    model: keras.Model,
    progress: Progress,
    before: pathlib.Path | None = None,
) -> None:
    """Write weights, statistics, random states and the optimizer to a file.

    Args:
        path: Where to; an earlier file is replaced in one step.
        model: A built model, compiled or not.
        progress: Kept with the variables; within an epoch, those of the
            metrics are kept as well.
        before: See `atomic.move`.
    """
    arrays = {
        f"{i}/{variable.path}": keras.ops.convert_to_numpy(variable)
        for i, variable in enumerate(all_variables(model))
    }
    if progress.step:
        arrays |= {
            f"{METRIC}{i}": keras.ops.convert_to_numpy(variable)
            for i, variable in enumerate(model.metrics_variables)
        }
    arrays |= {PROGRESS: np.array(progress.to_json())}
    write_arrays(path, arrays, before)


def read_progress(path: pathlib.Path, stages: Sequence[str]) -> Progress:
    """Read how far training had come.

    Args:
        path: What `save_variables` wrote.
        stages: Names of the stages of the run.

    Raises:
        ValueError: naming the file, if it is damaged, or of another run.
    """
    arrays = read_arrays(path)  # all of them: their checksums count
    if PROGRESS not in arrays:
        raise DamagedFile(f"{path} is no checkpoint")
    try:
        return Progress.from_json(str(arrays[PROGRESS]), stages)
    except (ValueError, RecursionError) as error:
        raise DamagedFile(
            f"{path} is no checkpoint of this run: {error}"
        ) from error


def load_variables(path: pathlib.Path, model: keras.Model) -> None:
    """Set all variables of a model of the same structure.

    Raises:
        ValueError: if the number or a shape of the variables differs, or the
            file is cut off.
    """
    arrays = [
        array
        for key, array in read_arrays(path).items()
        if key != PROGRESS and not key.startswith(METRIC)
    ]
    set_all(all_variables(model), arrays, path)


def load_metrics(path: pathlib.Path, model: keras.Model) -> None:
    """Set what the metrics of a model had seen of an epoch.

    Raises:
        ValueError: as `load_variables`.
    """
    named = read_arrays(path)
    arrays = [named[key] for key in named if key.startswith(METRIC)]
    set_all(model.metrics_variables, arrays, path)


def all_variables(model: keras.Model) -> list[keras.Variable]:
    """Weights, statistics, random states, and those of the optimizer."""
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
