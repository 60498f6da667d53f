"""Images that people name: files, folders of them, arrays."""

import concurrent.futures
import os
import pathlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from keras_lt.array_files import BROKEN, check_regular, reason_of
from keras_lt.cli.asking import read_for
from keras_lt.image_reader import ENDINGS, DataError

CHUNK = 64  # files that are read ahead
Read = tuple[
    str, np.ndarray | DataError
]  # a name; pixels, or why there are none


def find(paths: Iterable[pathlib.Path]) -> list[pathlib.Path]:
    """Find the files of images among paths, and in folders among them.

    Raises:
        ValueError: if a path is missing, or there are none.
    """
    paths = [*paths]
    found = [file for path in paths for file in _files(path)]
    if not found:
        shown = [str(path) for path in paths]
        raise ValueError(f"IMAGES: there are none in {shown}")
    return found


def _files(path):
    if not path.exists():
        raise ValueError(f"IMAGES: {path} is missing")
    if not path.is_dir():
        return [path]
    return [
        file
        for file in sorted(path.rglob("*"))
        if file.name.lower().endswith((*ENDINGS, ".npy"))
        and not any(p.startswith(".") for p in file.relative_to(path).parts)
    ]


def read(
    files: Sequence[pathlib.Path], content: Mapping[str, Any]
) -> Iterator[Read]:
    """Read images one after the other, several threads a few ahead.

    Args:
        files: Images, and arrays of them.
        content: Metadata of the model, see `export`.

    Yields:
        The name of each image, and uint8 `(H, W, channels)` of the model's
        size, or the error, where it cannot be read.
    """
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for start in range(0, len(files), CHUNK):
            chunk = files[start : start + CHUNK]
            images = pool.map(lambda file: _read(file, content), chunk)
            for file, found in zip(chunk, images, strict=True):
                # A name need not be UTF-8.
                name = os.fsencode(file).decode(errors="backslashreplace")
                if isinstance(found, DataError) or found.ndim == 3:
                    yield name, found
                else:
                    for i, image in enumerate(found):
                        yield f"{name}[{i}]", image


def _read(path, content):
    try:
        if path.suffix == ".npy":
            return _read_npy(path, tuple(content["image_shape"]))
        return read_for(content, path)
    except DataError as error:
        return error


def _read_npy(path, shape):
    """Map an array, whose header may claim any size."""
    try:
        check_regular(path)
        # Which compares what is claimed with what is there.
        images = np.load(path, mmap_mode="r", allow_pickle=False)
    except BROKEN as error:
        raise DataError(f"{path} is no array: {reason_of(error)}") from error
    if images.shape[1:] != shape or images.dtype != np.uint8:
        expected = ", ".join(["B", *map(str, shape)])
        raise DataError(
            f"{path} must hold uint8 ({expected}), got {images.dtype} "
            f"{images.shape}"
        )
    return images
