"""Runs without a command line."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import keras

from keras_lt.runs.execution import execute
from keras_lt.runs.folder import RunFolder
from keras_lt.runs.manner import Manner
from keras_lt.runs.options import Choice, Conditions, DataOptions
from keras_lt.runs.plan import make_runs
from keras_lt.runs.request import Request, split
from keras_lt.runs.tuning import search
from keras_lt.runs.tuning.options import Tuning

SEVERAL = {"set", "sweep", "seeds", "seeds_mode"}


@dataclasses.dataclass(frozen=True)
class FinishedRun:
    """What a run left.

    Args:
        folder: With all of its files.
        result: Content of `result.json`: accuracies, stages, what it cost.
        model: Images `(B, H, W, channels)` in 0..255 to logits `(B, C)`.
    """

    folder: RunFolder
    result: dict[str, Any]
    model: keras.Model


def train(
    method: str | None = None,
    *,
    hyperparameters: Mapping[str, Any] | None = None,
    seed: int = 0,
    **options: Any,
) -> FinishedRun:
    """Train a method and evaluate it, as `keras-lt train` does.

    Called again with the same arguments it goes on where it was stopped, or
    returns what is there. The backend is the one that Keras runs on.

    Args:
        method: Name in `methods.METHODS`; by default "auto" for "folder" and
            "csv", else "wb".
        hyperparameters: Values in place of the defaults and presets, by name.
        seed: Of initial weights, sampling and augmentation.
        **options: The other flags of `keras-lt train`, but those of several
            runs and of devices: `dataset="folder"`, `data_dir="photos"`,
            `then=("crt",)`, `workdir="run"`, `plots=False`, ...

    Returns:
        A `FinishedRun`.

    Raises:
        TypeError: for an option that does not exist.
        ValueError: for what cannot be trained, before training.
    """
    groups = (Choice, Conditions, DataOptions, Manner, Tuning)
    if several := SEVERAL & options.keys():
        raise TypeError(f"one run is trained here, got {sorted(several)}")
    if not isinstance(then := options.get("then", ""), str):
        options["then"] = ",".join(then)  # one after the other
    own = tuple(f"{k}={v!r}" for k, v in (hyperparameters or {}).items())
    values = {"set": own, "seed": str(seed)}
    values |= {} if method is None else {"method": method}
    given = split(values | options, *groups)
    choice, conditions, images, manner, tuning = given
    shown = ", ".join(f"{k}={v!r}" for k, v in (values | options).items())
    request = Request(
        choice=choice,
        conditions=conditions,
        images=images,
        manner=manner,
        command=f"keras_lt.runs.train({shown})",
        tuning=tuning,
    )
    if tuning.tune:
        (run,) = search.prepare(request).run()
    else:
        (run,) = make_runs(request)
    (result,) = execute([run])
    return FinishedRun(run.folder, result, run.folder.model())
