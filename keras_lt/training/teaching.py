"""What a teacher says of every training image, written once."""

import hashlib
import pathlib
from typing import Any

import keras
import numpy as np

from keras_lt.array_files import DamagedFile, read_arrays, write_arrays
from keras_lt.data import Loader
from keras_lt.devices import is_chief
from keras_lt.training.evaluation import predict_logits
from keras_lt.training.recipe import Recipe, Stage


def soft_labels(
    teacher: keras.Model | None,
    loader: Any,
    path: pathlib.Path | None = None,
    *,
    student: keras.Model | None = None,
    what: str = "soft labels",
    verbose: bool = True,
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Logits of a teacher for the training and the validation images.

    Args:
        teacher: Images to logits `(B, C)`; None for no soft labels.
        loader: Anything with `pixels` and `validation`, see `data.Loader`.
        path: File to keep them in. What it holds is taken if it is whole and
            came from this teacher and these images, and else written anew.
        student: The model in training, if it has begun: a teacher that
            shares weights with it is no longer what it was, so what the file
            holds counts.
        what: What to call them.
        verbose: Whether to say so.

    Returns:
        float32 `(N, C)`, and the same for validation; or None.
    """
    if teacher is None:
        return None, None
    pixels = [loader.pixels]
    if loader.validation is not None:
        pixels.append(loader.validation[0])
    origin = _hash([*teacher.get_weights(), *pixels])
    shared = student is not None and _share_weights(teacher, student)
    kept, why = _read(path, None if shared else origin, pixels)
    if kept is None and shared:
        raise DamagedFile(
            f"{path} is damaged or missing, and the teacher has changed since "
            "it was written: remove the folder to begin anew"
        )
    if kept is None:
        if verbose:
            count = sum(map(len, pixels))
            print(f"{what} of {count:,} images{why}", flush=True)
        kept = [predict_logits(teacher, images) for images in pixels]
        if path and is_chief():
            _write(path, kept, origin)
    return kept[0], kept[1] if len(kept) > 1 else None


def features_loader(
    recipe: Recipe,
    stage: Stage,
    model: keras.Model,
    loader: Any,
    path: pathlib.Path | None = None,
) -> Loader:
    """What gives a stage features, as a loader gives images.

    They are those of the images as they are without augmentation. Where a
    stage trains on them they are kept, as those of validation are.

    Args:
        recipe: Of all stages.
        stage: With `features`.
        model: Of the stage.
        loader: See `soft_labels`.
        path: See `soft_labels`.
    """
    view = stage.features(model)
    if not any(each.on_features for each in recipe.stages):
        return Loader((predict_logits(view, loader.pixels), loader.labels))
    found, held_out = soft_labels(
        view, loader, path, what="features", verbose=False
    )
    assert found is not None, "there is an encoder"
    validation = None
    if held_out is not None:
        validation = held_out, loader.validation[1]
    return Loader((found, loader.labels), validation=validation)


def _share_weights(teacher, student):
    theirs = {id(variable) for variable in student.trainable_variables}
    return any(id(variable) in theirs for variable in teacher.variables)


def _hash(arrays) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.shape} {array.dtype}".encode())
        names = getattr(array, "names", array)  # of images on disk
        digest.update(np.ascontiguousarray(names).data)
    return digest.hexdigest()


def _write(path, arrays, origin):
    named = {f"arr_{number}": array for number, array in enumerate(arrays)}
    hashes = {"origin": np.array(origin), "hash": np.array(_hash(arrays))}
    write_arrays(path, named | hashes)


def _read(path, origin, pixels):
    """Arrays or None, and why there are none; of any teacher without origin."""
    if path is None or not path.exists():
        return None, ""
    again = f" again, as {path} "
    try:
        found = read_arrays(path)
        arrays = [found[name] for name in found if name.startswith("arr_")]
        if str(found["hash"]) != _hash(arrays):
            return None, f"{again}is damaged"
        if [*map(len, arrays)] != [*map(len, pixels)]:
            return None, f"{again}is of other images"
        if origin and str(found["origin"]) != origin:
            return None, f"{again}is of another teacher or other images"
    except (ValueError, KeyError, OSError, TypeError):
        return None, f"{again}is damaged"
    return arrays, ""
