"""What a finished run left in its folder."""

import json
import pathlib
import zipfile
from typing import Any

import command_line

NAMES = ("config.json", "model.keras", "result.json")


def read(
    folder: pathlib.Path, backend: str | None, data_dir: str | None
) -> tuple[Any, Any, dict]:
    """Read data set, serving model and result; choose the Keras backend.

    Args:
        folder: Of the run.
        backend: In place of the run's own.
        data_dir: In place of the run's own.

    Raises:
        ValueError: if a file is missing or damaged, or the data are others.
    """
    for name in NAMES:
        if not (folder / name).exists():
            raise ValueError(f"WORKDIR: {folder / name} is missing")
    try:
        config, result = (
            json.loads((folder / name).read_text())
            for name in ("config.json", "result.json")
        )
        identity = config["identity"]
        chosen = {
            name: identity[name]
            for name in (
                "imbalance_ratio",
                "profile",
                "subset",
                "validation_per_class",
            )
        }
        chosen["data_dir"] = data_dir or config["data_dir"]
        if "image_size" in identity:  # they stay on disk, with their own tail
            del chosen["imbalance_ratio"]
            chosen["image_size"] = identity["image_size"]
            chosen["test_per_class"] = identity["test_per_class"]
        name, split = identity["dataset"], identity["split_sha256"]
        command_line.set_backend(backend or identity["backend"])
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(
            f"WORKDIR: {folder} holds no run: {error!r}"
        ) from error
    import keras

    import keras_lt.data
    import keras_lt.methods  # with all classes that models are made of

    try:
        model = keras.saving.load_model(folder / "model.keras", compile=False)
    except (ValueError, OSError, KeyError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"WORKDIR: {folder / 'model.keras'} is damaged: {error}"
        ) from error
    dataset = keras_lt.data.load(name, **chosen)
    if dataset.split_sha256 != split:
        raise ValueError("--data_dir: these are not the images of the run")
    return dataset, model, result
