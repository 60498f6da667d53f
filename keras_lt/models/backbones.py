"""Encoders by name."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import keras

from keras_lt.models.large_resnets import VARIANTS, resnet_imagenet
from keras_lt.models.narrow_resnets import resnet_cifar
from keras_lt.models.wide_resnets import resnet

BACKBONES = {
    "resnet8": partial(resnet_cifar, depth=8),
    "resnet20": partial(resnet_cifar, depth=20),
    "resnet32": partial(resnet_cifar, depth=32),
    "resnet32b": partial(resnet_cifar, depth=32, shortcut="B"),
    "resnet18": partial(resnet, depth=18),
    "resnet34": partial(resnet, depth=34),
    **{name: partial(resnet_imagenet, variant=name) for name in VARIANTS},
}


def linear_head(backbone: str) -> str:
    """Kind of linear head in released code: see `classifier`."""
    narrow = getattr(BACKBONES.get(backbone), "func", None) is resnet_cifar
    return "kaiming" if narrow else "linear"


def encoder(
    backbone: str,
    input_shape: Sequence[int],
    *,
    width: int | None = None,
    **options: Any,
) -> keras.Model:
    """Make an encoder, or a part of one, by the name of its backbone.

    Args:
        backbone: A name in `BACKBONES`.
        input_shape: `(H, W, channels)`.
        width: Channels of the first stage; the published number by default.
        **options: `part`, `thin`, `own` and `name`, see `resnet_cifar`.

    Raises:
        ValueError: if `backbone` is unknown.
    """
    if backbone not in BACKBONES:
        raise ValueError(
            f"`backbone` must be one of {[*BACKBONES]}, got {backbone!r}"
        )
    if width is not None:
        options["width"] = width
    return BACKBONES[backbone](input_shape, **options)
