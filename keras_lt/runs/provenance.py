"""Where a result comes from: versions, commit, device."""

import importlib.metadata
import os
import pathlib
import subprocess

import keras


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
