"""The wide ResNets, in the form for 32x32 images."""

from collections.abc import Sequence
from functools import partial

import keras

from keras_lt.layers import ReLU
from keras_lt.models import anatomy
from keras_lt.models.blocks import (
    basic_block,
    batch_norm,
    conv,
    residual_network,
)

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}


def resnet(
    input_shape: Sequence[int],
    *,
    depth: int = 34,
    width: int = 64,
    part: str = "whole",
    thin: float = 1.0,
    own: int = 2,
    name: str = anatomy.ENCODER,
) -> keras.Model:
    """ResNet with four stages, with a stem for small images.

    The 7x7 stem of stride 2 and the max-pool give way to one 3x3 convolution
    of stride 1, so that 32x32 images keep their size in the first stage.

    Args:
        input_shape: `(H, W, channels)`.
        depth: 18 or 34.
        width: Channels of the first stage; doubled in each later one.
        part: `"whole"`; `"trunk"`, all before the last stages; `"stages"`,
            with the maps after each of them; or `"expert"`, from there on,
            for the trunk's output.
        thin: Factor on the channels of the last two stages.
        own: How many stages an expert has: 2, or the very last one.
        name: Name of the model.

    Returns:
        A functional model from images `(B, H, W, channels)`, already
        normalised, to features `(B, 8 * width)`; a trunk ends, and an expert
        begins, with a feature map.

    Raises:
        ValueError: if `depth` is unknown, or `own` is not 1 or 2.

    Source: He et al., CVPR 2016; the small stem as in
        `ShadeAlsha/LTR-weight-balancing`. The stem keeps PyTorch's default
        initial values there, the other convolutions have Kaiming's.
    """
    if depth not in BLOCKS:
        raise ValueError(f"`depth` must be one of {[*BLOCKS]}, got {depth}")

    def stem(x):
        uniform = keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")
        x = conv(x, width, 3, initializer=uniform, name=anatomy.STEM)
        return ReLU(name="stem_relu")(batch_norm(x, name=anatomy.STEM))

    return residual_network(
        input_shape,
        stem=stem,
        block=partial(basic_block, shortcut="B", fan="fan_out"),
        blocks=BLOCKS[depth],
        width=width,
        part=part,
        thin=thin,
        own=own,
        name=name,
    )
