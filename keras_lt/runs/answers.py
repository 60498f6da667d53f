"""What the model of a finished run answers, kept in the run's folder."""

import dataclasses
from typing import Any

import numpy as np

from keras_lt.array_files import read_arrays, write_arrays
from keras_lt.runs.config import RunConfig
from keras_lt.runs.folder import RunFolder

NEEDED = {"macs", "test_logits", "test_labels"}
LARGEST = 2**24  # logits that are kept, as 64 MiB


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunAnswers:
    """Logits of a run's test images, and what they are answers to.

    Args:
        test: Logits `(N, C)` and labels `(N,)`.
        validation: The same of its validation images, if there are any.
        images: The test images, if the data set is at hand.
        macs: Operations of one image, see `models.count_macs`.
    """

    test: tuple[np.ndarray, np.ndarray]
    validation: tuple[np.ndarray, np.ndarray] | None
    images: Any
    macs: int


def ask(
    folder: RunFolder, config: RunConfig, data_dir: str | None = None
) -> RunAnswers:
    """Ask the model of a run about its test and validation images.

    What it says is kept in the folder, so that the next time needs neither
    the model nor, but for pictures, the data set.

    Args:
        folder: Of the run.
        config: Of the run.
        data_dir: Of the data set, in place of the run's own.

    Raises:
        ValueError: if nothing was kept and the data set is not at hand, or is
            another one.
    """
    kept = _kept(folder)
    try:
        dataset = config.load_data(data_dir)
    except (ValueError, OSError, ImportError) as error:
        if kept is None:
            raise
        print(f"no pictures: {error}")
        return _answers(kept, None)
    if kept is None:
        kept = _ask(folder, dataset)
    return _answers(kept, dataset.test[0])


def _kept(folder: RunFolder) -> dict[str, np.ndarray] | None:
    """What was said before, unless it is damaged or the model is newer."""
    file, model = folder.answers, folder.model_file
    if not file.exists():
        return None
    if model.exists() and model.stat().st_mtime > file.stat().st_mtime:
        return None
    try:
        said = read_arrays(file)
    except ValueError:
        return None
    return said if NEEDED <= said.keys() else None


def _ask(folder: RunFolder, dataset: Any) -> dict[str, np.ndarray]:
    from keras_lt.models.macs import count_macs
    from keras_lt.training import predict_logits

    model, flip = folder.model(), bool(folder.result()["flip_tta"])
    said = {"macs": np.array(count_macs(model))}
    for split in ("test", "validation"):
        if (found := getattr(dataset, split)) is None:
            continue
        images, labels = found
        print(f"asking about {len(labels):,} {split} images", flush=True)
        said[f"{split}_logits"] = predict_logits(model, images, flip=flip)
        said[f"{split}_labels"] = labels
    if sum(values.size for values in said.values()) <= LARGEST:
        write_arrays(folder.answers, said)
    return said


def _answers(said: dict[str, np.ndarray], images: Any) -> RunAnswers:
    validation = None
    if "validation_logits" in said:
        validation = said["validation_logits"], said["validation_labels"]
    return RunAnswers(
        test=(said["test_logits"], said["test_labels"]),
        validation=validation,
        images=images,
        macs=int(said["macs"]),
    )
