"""Where a result comes from: versions, commit, device."""

import importlib.metadata
import os
import pathlib
import platform
import subprocess
from typing import Any

import keras

THREADS = (  # variables that say how many, and how they share the work
    *("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"),
    *("TF_ENABLE_ONEDNN_OPTS", "XLA_FLAGS"),
)


def versions() -> dict[str, str]:
    """Versions of the packages that decide a result, where installed."""
    found = {}
    for package in ("keras_lt", "keras", "tensorflow", "jax", "numpy"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def surroundings() -> dict[str, Any]:
    """What else may decide the last bits of a result."""
    known = {name: os.environ[name] for name in THREADS if name in os.environ}
    return {
        **versions(),
        "python": platform.python_version(),
        "cores": len(os.sched_getaffinity(0)),
        "device": device(),
        **known,
    }


def commit() -> str | None:
    """Commit of this package, where it lies in a clone of its own."""
    try:
        _git(
            "ls-files", "--error-unmatch", pathlib.Path(__file__).name
        )  # not another's clone
        return _git("describe", "--always", "--abbrev=40", "--dirty")
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(*arguments):
    return subprocess.run(
        ["git", *arguments],
        cwd=pathlib.Path(__file__).parent,
        capture_output=True,
        check=True,
        text=True,
    ).stdout.strip()


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
