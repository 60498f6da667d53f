"""The folder of a run: its configuration, its result, its model."""

import importlib.metadata
import json
import os
import pathlib
import subprocess
from typing import Any

import keras

from keras_lt.keras_internals import without_tensorflow
from keras_lt.training import without_optimizer
from keras_lt.training.files import write_atomically


def read_json(path: pathlib.Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text())


def write_json(path: pathlib.Path, content: Any) -> None:
    """Write a JSON file so that a kill leaves no half of it."""
    text = json.dumps(content, indent=2) + "\n"
    write_atomically(path, text.encode())


def claim(folder: pathlib.Path, identity: dict, resume: bool) -> None:
    """Check that a folder is free, or holds a run of the same configuration.

    Args:
        folder: Of the run; may be missing.
        identity: All that decides the result of the run.
        resume: Whether going on with an earlier run is welcome.

    Raises:
        ValueError: if the folder holds another run, naming the first
            difference, or any run where `resume` is off.
    """
    path = folder / "config.json"
    if not path.exists():
        if folder.exists() and any(folder.iterdir()):
            raise ValueError(
                f"--workdir: {folder} is not empty and holds no run"
            )
        return
    if not resume:
        raise ValueError(
            f"--workdir: {folder} holds a run already; choose another folder, "
            "or go on with it by --resume"
        )
    # Through JSON and back: tuples become lists, as in the file.
    mine = _flat(json.loads(json.dumps(identity)))
    theirs = _flat(read_json(path)["identity"])
    for name in sorted(mine.keys() | theirs.keys()):
        if mine.get(name) != theirs.get(name):
            raise ValueError(
                f"--workdir: {folder} holds a run of a different "
                f"configuration: {name} is {theirs.get(name)!r} there, "
                f"{mine.get(name)!r} here"
            )


def _flat(identity: dict) -> dict:
    own = identity["hyperparameters"]
    rest = {k: v for k, v in identity.items() if k != "hyperparameters"}
    return rest | {f"hyperparameter {name}": own[name] for name in own}


def versions() -> dict[str, str]:
    """Versions of the packages that decide a result, where installed."""
    found = {}
    for package in ("keras_lt", "keras", "tensorflow", "jax", "numpy"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def commit() -> str | None:
    """Commit of this program, where it lies in a clone."""
    try:
        return subprocess.run(
            ["git", "describe", "--always", "--abbrev=40", "--dirty"],
            cwd=pathlib.Path(__file__).parent,
            capture_output=True,
            check=True,
            text=True,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def device() -> str:
    """Name of the accelerator, or else the number of CPU cores."""
    if keras.backend.backend() == "jax":
        import jax

        kinds = [d.device_kind for d in jax.devices() if d.platform != "cpu"]
    else:
        import tensorflow as tf

        kinds = [
            tf.config.experimental.get_device_details(gpu)["device_name"]
            for gpu in tf.config.list_physical_devices("GPU")
        ]
    if kinds:
        return f"{len(kinds)} x {kinds[0]}"
    return f"CPU, cores: {len(os.sched_getaffinity(0))}"


def save_model(folder: pathlib.Path, model: keras.Model) -> None:
    """Write `model.keras`, without an optimizer."""
    partial = folder / "partial.keras"
    with without_tensorflow():
        without_optimizer(model).save(partial)
    partial.replace(folder / "model.keras")
