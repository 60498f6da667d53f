"""The operations of AutoAugment and RandAugment, a few for each image."""

from typing import Any

import numpy as np

from keras_lt.data.transforms import enhancements, points
from keras_lt.data.transforms.rows import change_rows
from keras_lt.data.transforms.warps import (
    shear_x,
    shear_y,
    shifts,
    turns,
    warp,
)

MOVES = ("rotate", "translate_x", "translate_y")
BY_VALUE = {
    "shear_x": shear_x,
    "shear_y": shear_y,
    "color": enhancements.color,
    "contrast": enhancements.contrast,
    "brightness": enhancements.brightness,
    "sharpness": enhancements.sharpness,
    "invert": points.invert,
    "posterize": points.posterize,
    "solarize": points.solarize,
    "autocontrast": points.autocontrast,
    "equalize": points.equalize,
}
NAMES = ("identity", *MOVES, *BY_VALUE)
NUMBER = {name: number for number, name in enumerate(NAMES)}
# What level 1 means: degrees, shares of a side, slopes; what a factor differs
# from 1 by; bits that are lost; by how much a threshold is below 256.
STRONGEST = {
    "rotate": 30.0,
    "translate_x": 150 / 331,
    "translate_y": 150 / 331,
    "shear_x": 0.3,
    "shear_y": 0.3,
    "color": 0.9,
    "contrast": 0.9,
    "brightness": 0.9,
    "sharpness": 0.9,
    "posterize": 4.0,
    "solarize": 256.0,
}
FACTORS = ("color", "contrast", "brightness", "sharpness")
SIGNED = (*MOVES, "shear_x", "shear_y", *FACTORS)


def numbered(names: Any) -> np.ndarray:
    """Numbers of operations, in the form of their names."""
    return np.vectorize(NUMBER.__getitem__, otypes=["int32"])(names)


def prepare(
    operation: np.ndarray, level: np.ndarray, shape: tuple[int, int, int]
) -> dict[str, np.ndarray]:
    """Make of levels what `operate` needs.

    Args:
        operation: Positions in `NAMES`, int32 `(B, N)`.
        level: How strong they are `(B, N)`, from 0 to 1; below 0 for the
            other direction of what has one.
        shape: Height, width and channels of an image.

    Returns:
        `operation`; `value` float32 `(B, N)`: slopes, factors, steps of
        rounding, thresholds; and `matrix` int32 `(B, N, 6)` of `warps.warp`.
    """
    height, width, _ = shape
    strongest = np.array([STRONGEST.get(name, 0.0) for name in NAMES])
    size = level * strongest[operation]
    value = size.copy()
    value[np.isin(operation, numbered(FACTORS))] += 1
    bits, threshold = NUMBER["posterize"], NUMBER["solarize"]
    value = np.where(operation == bits, 2 ** np.rint(size), value)
    value = np.where(operation == threshold, 256 - size, value)

    def only(name):
        return np.where(operation == NUMBER[name], size, 0.0)

    matrix = shifts(width * only("translate_x"), height * only("translate_y"))
    turned = operation == NUMBER["rotate"]
    matrix[turned] = turns(size[turned], height, width)
    return {
        "operation": operation,
        "value": value.astype("float32"),
        "matrix": matrix,
    }


def operate(images: Any, draws: dict[str, Any], ops: Any) -> Any:
    """Do the N operations of each image in turn.

    Args:
        images: uint8 `(B, H, W, channels)`.
        draws: Of `prepare`.
        ops: numpy or `keras.ops`.

    Returns:
        uint8 `(B, H, W, channels)`. Shears and factors depend on the rounding
        of float32 on the device.
    """
    turns = draws["operation"].shape[1]
    if ops is np:
        images = images.copy()
        for turn in range(turns):
            images = _in_turn(images, draws, turn, np)
        return images

    def body(turn, images):
        return _in_turn(images, draws, turn, ops)

    # One program for all, which computes no pixel twice.
    return ops.fori_loop(0, turns, body, images)


def _in_turn(images, draws, turn, ops):
    """Do one operation of each image."""
    operation, value, matrix = (
        ops.take(draws[name], turn, axis=1)
        for name in ("operation", "value", "matrix")
    )
    moved = (operation > 0) & (operation <= len(MOVES))
    changed = _changed(moved, warp, images, images, matrix, ops)
    for name, change in BY_VALUE.items():
        chosen = operation == NUMBER[name]
        changed = _changed(chosen, change, images, changed, value, ops)
    return changed


def _changed(rows, change, images, changed, argument, ops):
    """Change some images that nothing has changed yet."""
    if ops is np:
        return change_rows(rows, change, changed, (argument,), np)
    others = change(images, argument, ops=ops)
    return ops.where(rows[:, None, None, None], others, changed)
