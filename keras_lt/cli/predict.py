r"""Ask an exported model: keras-lt predict ARTEFACT IMAGES...

ARTEFACT is what export wrote, but for model.keras. IMAGES are files, folders of
them, or .npy arrays of pixels `(B, H, W, channels)`. Prints the most probable
classes of each image. Files are read as training reads them.

Examples:
  keras-lt predict RUN/export/saved_model photos/ cat.png

  For traffic in which all classes are equally frequent:
    keras-lt predict RUN/export/model.onnx photos/ --prior=uniform
"""

import dataclasses
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_lt.array_files import BROKEN, check_regular, reason_of
from keras_lt.cli import arguments
from keras_lt.cli.asking import open_artefact, read_for
from keras_lt.domains import COUNT
from keras_lt.runs.flags import option

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".npy", ".png", ".webp")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Question:
    """What to answer."""

    top: int = option(3, "Classes to show.", domain=COUNT)
    prior: str | None = option(
        None,
        "Prior of the classes where the images come from: uniform, or one "
        "number a class, with commas between them. Default: that of the "
        "training images.",
    )


GROUPS = (Question,)
NAMES = ("ARTEFACT", "IMAGES...")


def prepare(argv: Sequence[str]) -> tuple[Any, ...]:
    """Read the artefact and the images."""
    given = arguments.parse(argv, GROUPS, NAMES)
    question = given[Question]
    artefact, *paths = map(pathlib.Path, given.rest)
    ask, content = open_artefact(artefact)
    files = [file for path in paths for file in _files(path)]
    if not files:
        shown = [str(path) for path in paths]
        raise ValueError(f"IMAGES: there are none in {shown}")
    pixels = [_read(file, content) for file in files]
    names = [
        f"{file}[{i}]" if file.suffix == ".npy" else str(file)
        for file, images in zip(files, pixels, strict=True)
        for i in range(len(images))
    ]
    shift = _shift(question.prior, content["class_counts"])
    return ask, content, names, np.concatenate(pixels), shift, question.top


def _files(path: pathlib.Path) -> list[pathlib.Path]:
    if not path.exists():
        raise ValueError(f"IMAGES: {path} is missing")
    if not path.is_dir():
        return [path]
    found = sorted(path.rglob("*"))
    return [file for file in found if file.suffix.lower() in SUFFIXES]


def _read(path: pathlib.Path, content: Mapping[str, Any]) -> np.ndarray:
    """Pixels uint8 `(B, H, W, channels)` of the model's size."""
    shape = tuple(content["image_shape"])
    if path.suffix == ".npy":
        images = _read_npy(path)
        if images.shape[1:] != shape or images.dtype != np.uint8:
            raise ValueError(
                f"IMAGES: {path} must hold uint8 (B, *{shape}), got "
                f"{images.dtype} {images.shape}"
            )
        return images
    try:
        return read_for(content, path)[None]
    except ValueError as error:
        raise ValueError(f"IMAGES: {path} is no image: {error}") from error


def _read_npy(path):
    """Read an array, whose header may claim any size."""
    try:
        check_regular(path)
        # Which compares what is claimed with what is there.
        return np.array(np.load(path, mmap_mode="r", allow_pickle=False))
    except BROKEN as error:
        raise ValueError(
            f"IMAGES: {path} is no array: {reason_of(error)}"
        ) from error


def _shift(prior: str | None, class_counts: Sequence[int]) -> Any:
    """What `--prior` adds to the logits."""
    if prior is None:
        return 0.0
    counts = np.array(class_counts, "float64")
    if prior == "uniform":
        shares = np.ones_like(counts)
    else:
        try:
            shares = np.array([float(x) for x in prior.split(",")])
        except ValueError:
            shares = np.zeros(0)
    if shares.shape != counts.shape or not (shares > 0).all():
        raise ValueError(
            f"--prior must be uniform or {len(counts)} numbers > 0, got "
            f"{prior!r}"
        )
    shares, trained = shares / shares.sum(), counts / counts.sum()
    return np.log(shares) - np.log(trained)


def main(argv: Sequence[str]) -> None:
    """Ask, and print a table."""
    if arguments.wants_help(argv):
        arguments.print_help(__doc__, GROUPS)
        return
    ask, content, names, images, shift, top = arguments.checked(prepare, argv)
    logits = arguments.checked(ask, images) + shift
    logits -= logits.max(1, keepdims=True)
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    width = max(map(len, names))
    for name, share in zip(names, shares, strict=True):
        best = np.argsort(-share)[:top]
        cells = [
            f"{content['class_names'][c]} {100 * share[c]:.1f} %" for c in best
        ]
        print(f"{name:<{width}}  {',  '.join(cells)}")
