"""The narrow ResNets of the CIFAR tables."""

from collections.abc import Sequence

import keras
from keras import layers

from keras_lt.models.blocks import basic_block, batch_norm, conv, kaiming


def resnet_cifar(
    input_shape: Sequence[int],
    *,
    depth: int = 32,
    width: int = 16,
    name: str = "encoder",
) -> keras.Model:
    """CIFAR ResNet with three stages and parameter-free shortcuts.

    Args:
        input_shape: `(H, W, channels)`.
        depth: Layers with weights, classifier included: 6 * blocks + 2.
        width: Channels of the first stage; the others have 2 and 4 times as
            many.
        name: Name of the model.

    Returns:
        A functional model from images `(B, H, W, channels)`, already
        normalised, to features `(B, 4 * width)`.

    Raises:
        ValueError: if `depth` is not 6 * blocks + 2 with blocks >= 1.

    Example:
        >>> resnet_cifar((32, 32, 3)).count_params() - 2 * 1136
        463504

    Source: He et al., CVPR 2016, section 4.2, with option A shortcuts; as in
        `kaidic/LDAM-DRW:models/resnet_cifar.py`.
    """
    blocks, rest = divmod(depth - 2, 6)
    if rest or blocks < 1:
        raise ValueError(f"`depth` must be 8, 14, 20, ..., got {depth}")
    inputs = keras.Input(tuple(input_shape))
    x = conv(inputs, width, 3, initializer=kaiming("fan_in"), name="stem")
    x = layers.ReLU(name="stem_relu")(batch_norm(x, name="stem"))
    for stage in range(3):
        for block in range(blocks):
            x = basic_block(
                x,
                width * 2**stage,
                stride=2 if stage and not block else 1,
                shortcut="A",
                fan="fan_in",
                name=f"stage{stage + 1}_block{block + 1}",
            )
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, x, name=name)
