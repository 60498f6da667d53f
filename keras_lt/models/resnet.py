"""The wide ResNets, in the form for 32x32 images."""

from collections.abc import Sequence

import keras
from keras import layers

from keras_lt.models.blocks import basic_block, batch_norm, conv

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}


def resnet(
    input_shape: Sequence[int],
    *,
    depth: int = 34,
    width: int = 64,
    name: str = "encoder",
) -> keras.Model:
    """ResNet with four stages, with a stem for small images.

    The 7x7 stem of stride 2 and the max-pool give way to one 3x3 convolution
    of stride 1, so that 32x32 images keep their size in the first stage.

    Args:
        input_shape: `(H, W, channels)`.
        depth: 18 or 34.
        width: Channels of the first stage; doubled in each later one.
        name: Name of the model.

    Returns:
        A functional model from images `(B, H, W, channels)`, already
        normalised, to features `(B, 8 * width)`.

    Raises:
        ValueError: if `depth` is unknown.

    Source: He et al., CVPR 2016; the small stem as in
        `ShadeAlsha/LTR-weight-balancing`. The stem keeps PyTorch's default
        initial values there, the other convolutions have Kaiming's.
    """
    if depth not in BLOCKS:
        raise ValueError(f"`depth` must be one of {[*BLOCKS]}, got {depth}")
    inputs = keras.Input(tuple(input_shape))
    uniform = keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")
    x = conv(inputs, width, 3, initializer=uniform, name="stem")
    x = layers.ReLU(name="stem_relu")(batch_norm(x, name="stem"))
    for stage, blocks in enumerate(BLOCKS[depth]):
        for block in range(blocks):
            x = basic_block(
                x,
                width * 2**stage,
                stride=2 if stage and not block else 1,
                shortcut="B",
                fan="fan_out",
                name=f"stage{stage + 1}_block{block + 1}",
            )
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, x, name=name)
