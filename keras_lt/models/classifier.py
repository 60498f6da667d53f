"""One encoder and one linear classifier."""

from functools import partial
from typing import Any

import keras
from keras import layers

from keras_lt.models.resnet import resnet
from keras_lt.models.resnet_cifar import resnet_cifar

BACKBONES = {
    "resnet8": partial(resnet_cifar, depth=8),
    "resnet20": partial(resnet_cifar, depth=20),
    "resnet32": partial(resnet_cifar, depth=32),
    "resnet18": partial(resnet, depth=18),
    "resnet34": partial(resnet, depth=34),
}


def classifier(
    backbone: str, problem: Any, *, width: int | None = None
) -> keras.Model:
    """Raw images to logits: normalisation, "encoder", and dense "head".

    The head has PyTorch's default initial values, U(+-1/sqrt(features)), and
    computes in float32 whatever the precision of the encoder.

    Args:
        backbone: A name in `BACKBONES`.
        problem: Anything with `input_shape`, `num_classes`, `pixel_mean` and
            `pixel_std`, such as a `training.Problem`.
        width: Channels of the encoder's first stage; the published number by
            default.

    Returns:
        A functional model from pixels `(B, H, W, channels)` in 0..255, of any
        dtype, to logits `(B, C)`.

    Raises:
        ValueError: if `backbone` is unknown.

    Example:
        >>> from keras_lt.training import Problem
        >>> problem = Problem((8, 8, 1), class_counts=(30, 10, 3))
        >>> classifier("resnet8", problem).output_shape
        (None, 3)
    """
    if backbone not in BACKBONES:
        raise ValueError(
            f"`backbone` must be one of {[*BACKBONES]}, got {backbone!r}"
        )
    options = {} if width is None else {"width": width}
    encoder = BACKBONES[backbone](problem.input_shape, **options)
    images = keras.Input(tuple(problem.input_shape), name="images")
    # Pixels in 0..255 and statistics on the scale of 0..1.
    normalize = layers.Rescaling(
        [1 / (255 * std) for std in problem.pixel_std],
        [
            -mean / std
            for mean, std in zip(
                problem.pixel_mean, problem.pixel_std, strict=True
            )
        ],
        name="normalize",
    )
    head = linear_head(encoder.output_shape[-1], problem.num_classes)
    logits = head(encoder(normalize(images)))
    return keras.Model(images, logits, name=f"{backbone}_classifier")


def linear_head(features: int, num_classes: int) -> layers.Dense:
    """Dense layer "head" with PyTorch's initial values, in float32."""
    bound = features**-0.5
    return layers.Dense(
        num_classes,
        kernel_initializer=keras.initializers.RandomUniform(-bound, bound),
        bias_initializer=keras.initializers.RandomUniform(-bound, bound),
        dtype="float32",
        name="head",
    )


def last_layers(
    model: keras.Model, number: int
) -> dict[str, list[keras.Layer]]:
    """The last layers with a kernel of a `classifier`, the head first.

    Args:
        model: Made by `classifier`.
        number: How many, >= 1: the head, then the encoder's convolutions from
            its end, without those of the shortcuts.

    Returns:
        By path (`"head"`, `"encoder/stage3_block5_2_conv"`) the layer and,
        for a convolution, its batch normalisation.

    Raises:
        ValueError: if there are not that many.
    """
    encoder = model.get_layer("encoder")
    names = [
        layer.name
        for layer in encoder.layers
        if isinstance(layer, layers.Conv2D) and "shortcut" not in layer.name
    ]
    if not 1 <= number <= len(names) + 1:
        raise ValueError(
            f"`number` must be from 1 to {len(names) + 1}, got {number}"
        )
    last = {"head": [model.get_layer("head")]}
    for name in reversed(names[len(names) - number + 1 :]):
        norm = encoder.get_layer(name.removesuffix("_conv") + "_bn")
        last[f"encoder/{name}"] = [encoder.get_layer(name), norm]
    return last
