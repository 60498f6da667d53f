"""The narrow ResNets of the CIFAR tables."""

from collections.abc import Sequence
from functools import partial

import keras

from keras_lt.layers import ReLU
from keras_lt.models import anatomy
from keras_lt.models.blocks import (
    basic_block,
    batch_norm,
    conv,
    kaiming,
    residual_network,
)


def resnet_cifar(
    input_shape: Sequence[int],
    *,
    depth: int = 32,
    width: int = 16,
    shortcut: str = "A",
    part: str = "whole",
    thin: float = 1.0,
    own: int = 2,
    name: str = anatomy.ENCODER,
) -> keras.Model:
    """CIFAR ResNet with three stages.

    Args:
        input_shape: `(H, W, channels)`.
        depth: Layers with weights, classifier included: 6 * blocks + 2.
        width: Channels of the first stage; the others have 2 and 4 times as
            many.
        shortcut: Where the shape changes: "A", without parameters, or "B", a
            1x1 convolution, see `blocks.basic_block`.
        part: `"whole"`; `"trunk"`, all before the last stages; `"stages"`,
            with the maps after each of them; or `"expert"`, from there on,
            for the trunk's output.
        thin: Factor on the channels of the last two stages.
        own: How many stages an expert has: 2, or the very last one.
        name: Name of the model.

    Returns:
        A functional model from images `(B, H, W, channels)`, already
        normalised, to features `(B, 4 * width)`; a trunk ends, and an expert
        begins, with a feature map.

    Raises:
        ValueError: if `depth` is not 6 * blocks + 2 with blocks >= 1, or
            `own` is not 1 or 2.

    Example:
        >>> resnet_cifar((32, 32, 3)).count_params() - 2 * 1136
        463504

    Source: He et al., CVPR 2016, section 4.2; as in
        `kaidic/LDAM-DRW:models/resnet_cifar.py`.
    """
    blocks, rest = divmod(depth - 2, 6)
    if rest or blocks < 1:
        raise ValueError(f"`depth` must be 8, 14, 20, ..., got {depth}")

    def stem(x):
        x = conv(x, width, 3, initializer=kaiming("fan_in"), name=anatomy.STEM)
        return ReLU(name="stem_relu")(batch_norm(x, name=anatomy.STEM))

    return residual_network(
        input_shape,
        stem=stem,
        block=partial(basic_block, shortcut=shortcut, fan="fan_in"),
        blocks=(blocks,) * 3,
        width=width,
        part=part,
        thin=thin,
        own=own,
        name=name,
    )
