"""What an encoder from elsewhere does with pixels first."""

import sys
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers

from keras_lt.extras import check_installed
from keras_lt.models import anatomy
from keras_lt.models.foreign import efficientnet_lite
from keras_lt.models.foreign.spec import (
    APPLICATIONS,
    HUB,
    LITE0,
    SCALES,
    call,
    split,
)
from keras_lt.problem import Problem


def preprocess(backbone: Any, problem: Problem) -> keras.Model:
    """Layer "normalize" from pixels in 0..255 to what an encoder reads.

    Grey images become three equal channels. The numbers are those of the
    option `scale`; else those of `keras.applications` or of the preset, and
    none of a saved model, which reads pixels. An encoder of KerasHub with
    random weights reads images by the statistics of the data set.

    Args:
        backbone: See `foreign`.
        problem: Has the shape and statistics of the images.
    """
    images = x = keras.Input(tuple(problem.input_shape), name="images")
    if problem.input_shape[-1] == 1:
        x = layers.Concatenate()([x, x, x])
    order, scale, offset = _numbers(backbone, problem)
    if order is not None:
        x = layers.Concatenate()([x[..., c : c + 1] for c in order])
    x = layers.Rescaling(scale, offset)(x)
    return keras.Model(images, x, name=anatomy.NORMALIZE)


def _numbers(backbone, problem):
    """Order of the channels or None, factors and offsets."""
    name, scale = "", "pixels"
    if isinstance(backbone, str):
        name, reading = split(backbone)
        scale = reading.scale or "own"
    if scale == "own" and name.startswith(APPLICATIONS):
        return _of_application(name)
    if scale == "own" and name == LITE0:
        return None, efficientnet_lite.SCALES, efficientnet_lite.OFFSETS
    if scale == "own" and name.startswith(HUB):
        text = name.removeprefix(HUB)
        if call(text)[1] is None:
            return None, *_of_preset(text)
        scale = "data"
    if scale == "data":
        found = problem.pixel_mean, problem.pixel_std
        mean, std = (_three(values) for values in found)
    else:
        mean, std = SCALES["pixels" if scale == "own" else scale]
    factors = [1 / (255 * s) for s in std]
    return None, factors, [-m / s for m, s in zip(mean, std, strict=True)]


def _three(values: Sequence[float]) -> Sequence[float]:
    return [*values] * 3 if len(values) == 1 else values


def application(name: str) -> tuple[Any, Any]:
    """A function of `keras.applications`, and the module that it is from.

    Raises:
        ValueError: if there is none of that name.
    """
    plain = name.removeprefix(APPLICATIONS).partition(":")[0]
    make = getattr(keras.applications, plain, None)
    if make is None or not callable(make):
        known = [n for n in dir(keras.applications) if n[0].isupper()]
        raise ValueError(
            f"`backbone`: keras.applications has no {plain!r}, but {known}"
        )
    return make, sys.modules[make.__module__]


def _of_application(name):
    """Numbers of `preprocess_input`, which is linear: asked at four pixels."""
    _, module = application(name)
    pixels = np.zeros((4, 1, 1, 3), "float32")
    pixels[[1, 2, 3], 0, 0, [0, 1, 2]] = 255.0
    answers = np.asarray(
        module.preprocess_input(pixels.copy(), data_format="channels_last")
    )[:, 0, 0]
    offset, slopes = answers[0], (answers[1:] - answers[0]) / 255.0
    order = np.abs(slopes).argmax(0)  # the input of each output
    factors = slopes[order, np.arange(3)]
    plain = np.array_equal(order, np.arange(3))
    return (
        None if plain else [int(c) for c in order],
        [float(f) for f in factors],
        [float(o) for o in offset],
    )


def _of_preset(preset):
    """Factors and offsets of a preset's image converter."""
    check_installed(f"`backbone`={HUB}...", "keras_hub", "hub")
    import keras_hub

    converter = keras_hub.layers.ImageConverter.from_preset(preset)
    found = []
    for value, default in ((converter.scale, 1.0), (converter.offset, 0.0)):
        values = np.ravel(default if value is None else value)
        found.append([float(v) for v in np.broadcast_to(values, 3)])
    return found
