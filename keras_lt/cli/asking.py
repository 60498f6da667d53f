"""Images of people, read as a model's training read them."""

import pathlib
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

import numpy as np

from keras_lt.cli.quiet import quiet, quiet_tensorflow
from keras_lt.image_reader import read_image, whole_of

IN_MEMORY = ("digits_lt", "cifar10_lt", "cifar100_lt")
Ask = Callable[[np.ndarray], np.ndarray]  # uint8 (B, H, W, channels) to logits


def read_for(
    content: Mapping[str, Any], path: Any, file: BinaryIO | None = None
) -> np.ndarray:
    """Read an image at the size of a model.

    Args:
        content: Metadata of the model, see `export`.
        path: Of the image; with `file` its name.
        file: What to read from instead.

    Returns:
        uint8 `(H, W, channels)`.

    Raises:
        DataError: if it cannot be read.
    """
    size, _, channels = content["image_shape"]
    whole = whole_side(content)
    return read_image(path, size, whole=whole, channels=channels, file=file)


def whole_side(content: Mapping[str, Any]) -> int:
    """Pixels of the shorter side before the centre is cut out."""
    size = content["image_shape"][0]
    if "whole" in content:
        return content["whole"]
    small = content.get("dataset", "digits_lt") in IN_MEMORY
    return size if small else whole_of(size)  # of version 0.1.0


def open_artefact(path: pathlib.Path) -> tuple[Ask, dict[str, Any]]:
    """Open what `export` wrote.

    Returns:
        A function from images to logits, and the metadata.

    Raises:
        ValueError: if it is nothing of the kind.
    """
    from keras_lt.export import answer

    answer.check(path)
    quiet_tensorflow()
    with quiet():  # LiteRT
        return answer.load(path), answer.read_metadata(path)
