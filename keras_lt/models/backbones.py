"""Encoders by name, and what comes before them."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import keras

from keras_lt.models import anatomy, blocks, foreign
from keras_lt.models.large_resnets import VARIANTS, resnet_imagenet
from keras_lt.models.narrow_resnets import resnet_cifar
from keras_lt.models.wide_resnets import resnet
from keras_lt.problem import Problem

BACKBONES = {
    "resnet8": partial(resnet_cifar, depth=8),
    "resnet20": partial(resnet_cifar, depth=20),
    "resnet32": partial(resnet_cifar, depth=32),
    "resnet32b": partial(resnet_cifar, depth=32, shortcut="B"),
    "resnet18": partial(resnet, depth=18),
    "resnet34": partial(resnet, depth=34),
    **{name: partial(resnet_imagenet, variant=name) for name in VARIANTS},
}


def linear_head(backbone: str | keras.Model) -> str:
    """Kind of linear head in released code: see `classifier`."""
    if foreign.is_foreign(backbone):
        return "linear"
    narrow = getattr(BACKBONES.get(backbone), "func", None) is resnet_cifar
    return "kaiming" if narrow else "linear"


def normalize(backbone: str | keras.Model, problem: Problem) -> keras.Layer:
    """Layer "normalize" from pixels in 0..255 to what an encoder reads.

    Args:
        backbone: See `encoder`.
        problem: Has the statistics of its pixels, by which an encoder of this
            library reads them.
    """
    if foreign.is_foreign(backbone):
        return foreign.preprocess(backbone, problem)
    return blocks.normalize(problem)


def encoder(
    backbone: str | keras.Model,
    input_shape: Sequence[int],
    *,
    width: int | None = None,
    **options: Any,
) -> keras.Model:
    """Make an encoder, or a part of one, by the name of its backbone.

    Args:
        backbone: A name in `BACKBONES`, or one from elsewhere, see `foreign`.
        input_shape: `(H, W, channels)` of what `normalize` gives.
        width: Channels of the first stage; the published number by default.
        **options: `part`, `thin`, `own` and `name`, see `resnet_cifar`.

    Raises:
        ValueError: if `backbone` is unknown, or is one from elsewhere, which
            is used whole, and a part is asked for.
    """
    if foreign.is_foreign(backbone):
        return _whole(backbone, input_shape, width, **options)
    if backbone not in BACKBONES:
        raise ValueError(
            f"`backbone` must be one of {[*BACKBONES]}, or keras_hub:..., "
            f"keras.applications.NAME or a .keras file, got {backbone!r}"
        )
    if width is not None:
        options["width"] = width
    return BACKBONES[backbone](input_shape, **options)


def check_width(backbone: str | keras.Model, width: int | None) -> None:
    """Refuse another width for a network from elsewhere, which has its own."""
    if width is not None:
        raise ValueError(
            f"`width` must be None with the backbone "
            f"{foreign.label(backbone)!r}, got {width}"
        )


def _whole(backbone, input_shape, width, *, part="whole", **options):
    """An encoder from elsewhere, which has no parts and one width."""
    if part != "whole":
        raise ValueError(
            f"`backbone` must be one of {[*BACKBONES]} where experts have "
            f"stages of their own, got {foreign.label(backbone)!r}, which is "
            "used whole"
        )
    check_width(backbone, width)
    name = options.get("name", anatomy.ENCODER)
    return foreign.open_encoder(backbone, input_shape, name=name)
