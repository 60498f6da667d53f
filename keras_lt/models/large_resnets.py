"""The residual networks for images of 224x224 pixels."""

from collections.abc import Callable, Sequence
from functools import partial

import keras
from keras import layers

from keras_lt.layers import ReLU
from keras_lt.models import anatomy
from keras_lt.models.blocks import (
    basic_block,
    batch_norm,
    bottleneck_block,
    conv,
    kaiming,
    residual_network,
)

BASIC = partial(basic_block, shortcut="B", fan="fan_out")
GROUPED = partial(bottleneck_block, groups=32, base_width=4)
VARIANTS: dict[str, tuple[Callable, tuple[int, ...]]] = {
    "resnet10": (BASIC, (1, 1, 1, 1)),
    "resnet50": (bottleneck_block, (3, 4, 6, 3)),
    "resnet101": (bottleneck_block, (3, 4, 23, 3)),
    "resnet152": (bottleneck_block, (3, 8, 36, 3)),
    "resnext50": (GROUPED, (3, 4, 6, 3)),
    "resnext101": (GROUPED, (3, 4, 23, 3)),
    "resnext152": (GROUPED, (3, 8, 36, 3)),
}


def resnet_imagenet(
    input_shape: Sequence[int],
    *,
    variant: str = "resnet50",
    width: int = 64,
    part: str = "whole",
    thin: float = 1.0,
    own: int = 2,
    name: str = anatomy.ENCODER,
) -> keras.Model:
    """ResNet or ResNeXt (32x4d) with a 7x7 stem and max-pooling.

    Args:
        input_shape: `(H, W, channels)`.
        variant: `"resnet10"`, `"resnet50"`, `"resnet101"`, `"resnet152"`,
            `"resnext50"`, `"resnext101"` or `"resnext152"`.
        width: Channels of the stem and (by four with bottlenecks) of the
            first stage; doubled in each later one.
        part: `"whole"`; `"trunk"`, all before the last stages; `"stages"`,
            with the maps after each of them; or `"expert"`, from there on,
            for the trunk's output.
        thin: Factor on the channels of the last two stages.
        own: How many stages an expert has: 2, or the very last one.
        name: Name of the model.

    Returns:
        A functional model from images `(B, H, W, channels)`, already
        normalised, to features `(B, 8 * width)`, or 32 * width with
        bottlenecks; a trunk ends, and an expert begins, with a feature map.

    Raises:
        ValueError: if `variant` is unknown, or `own` is not 1 or 2.

    Source: He et al., CVPR 2016; Xie et al., CVPR 2017; stride on the 3x3
        convolution as in torchvision.
    """
    if variant not in VARIANTS:
        raise ValueError(
            f"`variant` must be one of {[*VARIANTS]}, got {variant!r}"
        )
    block, blocks = VARIANTS[variant]

    def stem(x):
        fan_out = kaiming("fan_out")
        x = conv(x, width, 7, stride=2, initializer=fan_out, name=anatomy.STEM)
        x = ReLU(name="stem_relu")(batch_norm(x, name=anatomy.STEM))
        x = layers.ZeroPadding2D(1, name="stem_pool_pad")(x)
        return layers.MaxPooling2D(3, 2, name="stem_pool")(x)

    return residual_network(
        input_shape,
        stem=stem,
        block=block,
        blocks=blocks,
        width=width,
        part=part,
        thin=thin,
        own=own,
        name=name,
    )
