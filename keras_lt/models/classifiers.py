"""One encoder and one classifier."""

import keras
from keras import layers

from keras_lt.checking import checked
from keras_lt.layers import CosineClassifier
from keras_lt.models import anatomy
from keras_lt.models.backbones import encoder, normalize
from keras_lt.models.blocks import kaiming
from keras_lt.models.foreign import label
from keras_lt.problem import Problem

HEADS = ("linear", "kaiming", "cosine")


@checked
def classifier(
    backbone: str | keras.Model,
    problem: Problem,
    *,
    width: int | None = None,
    head: str = "linear",
    scale: float = 30.0,
) -> keras.Model:
    """Raw images to logits: normalisation, "encoder", and layer "head".

    The head computes in float32 whatever the precision of the encoder. Linear
    ones have PyTorch's default initial values, U(+-1/sqrt(features)), or, with
    "kaiming", a normal kernel, N(0, 2/features), as in the CIFAR code of LDAM
    and RIDE.

    Args:
        backbone: A name in `BACKBONES`, or see `foreign`.
        problem: Shape and class counts.
        width: Channels of the encoder's first stage; the published number by
            default.
        head: `"linear"`, `"kaiming"`, or `"cosine"`, a
            `layers.CosineClassifier`.
        scale: Of the cosine head.

    Returns:
        A functional model from pixels `(B, H, W, channels)` in 0..255, of any
        dtype, to logits `(B, C)`.

    Raises:
        ValueError: if `backbone` or `head` is unknown.

    Example:
        >>> from keras_lt.problem import Problem
        >>> problem = Problem((8, 8, 1), class_counts=(30, 10, 3))
        >>> classifier("resnet8", problem).output_shape
        (None, 3)
    """
    images = keras.Input(tuple(problem.input_shape), name="images")
    x = normalize(backbone, problem)(images)
    features = encoder(backbone, x.shape[1:], width=width)(x)
    made = make_head(head, features.shape[-1], problem.num_classes, scale=scale)
    logits = made(features)
    return keras.Model(images, logits, name=f"{label(backbone)}_classifier")


def make_head(
    kind: str,
    features: int,
    num_classes: int,
    name: str = anatomy.HEAD,
    scale: float = 30.0,
) -> keras.Layer:
    """Classifier layer of a kind in `HEADS`, in float32.

    Raises:
        ValueError: if `kind` is unknown.
    """
    if kind not in HEADS:
        raise ValueError(f"`head` must be one of {HEADS}, got {kind!r}")
    if kind == "cosine":
        return CosineClassifier(
            num_classes, scale=scale, dtype="float32", name=name
        )

    def uniform():
        bound = features**-0.5
        return keras.initializers.RandomUniform(-bound, bound)

    return layers.Dense(
        num_classes,
        kernel_initializer=uniform() if kind == "linear" else kaiming("fan_in"),
        bias_initializer=uniform(),
        dtype="float32",
        name=name,
    )


def last_layers(
    model: keras.Model, number: int
) -> dict[str, list[keras.Layer]]:
    """The last layers with a kernel, the head first, of each classifier.

    Args:
        model: Made by `classifier`, or by `multi_expert`, where each expert
            has its own.
        number: How many, >= 1: the head, then the encoder's convolutions from
            its end, without those of the shortcuts.

    Returns:
        By path (`"head"`, `"encoder/stage3_block5_2_conv"`) the layer and,
        for a convolution, its batch normalisation.

    Raises:
        ValueError: if there are not that many.
    """
    last = {}
    for encode, head in anatomy.classifiers(model):
        convolutions = anatomy.convolutions(encode)
        most = len(convolutions) + 1
        if not 1 <= number <= most:
            raise ValueError(f"`number` must be from 1 to {most}, got {number}")
        last[head.name] = [head]
        for conv, norm in reversed(convolutions[most - number :]):
            last[f"{encode.name}/{conv.name}"] = [conv, norm]
    return last
