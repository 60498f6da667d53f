"""Building blocks of the residual networks."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import layers

from keras_lt.layers import BatchNormalization, ReLU, ZeroPadShortcut
from keras_lt.models import anatomy
from keras_lt.problem import Problem

Tensor = Any


def kaiming(fan: str) -> keras.initializers.Initializer:
    """Kaiming-normal initial values, not truncated, with gain sqrt(2).

    Take a new one for each layer: one that is used twice repeats its draw.

    Args:
        fan: `"fan_in"` or `"fan_out"`.
    """
    return keras.initializers.VarianceScaling(2.0, fan, "untruncated_normal")


def normalize(problem: Problem) -> layers.Layer:
    """Layer "normalize" from pixels in 0..255, by statistics on 0..1.

    Args:
        problem: Has the statistics of its pixels.
    """
    return layers.Rescaling(
        [1 / (255 * std) for std in problem.pixel_std],
        [
            -mean / std
            for mean, std in zip(
                problem.pixel_mean, problem.pixel_std, strict=True
            )
        ],
        name=anatomy.NORMALIZE,
    )


def residual_network(
    input_shape: Sequence[int],
    *,
    stem: Callable,
    block: Callable,
    blocks: Sequence[int],
    width: int,
    part: str,
    thin: float,
    own: int,
    name: str,
) -> keras.Model:
    """Stem, stages of blocks, and average pooling; or a part of that.

    Args:
        input_shape: Without the batch.
        stem: Function from images to the first stage's input.
        block: Function `(x, channels, stride=, name=)` to the block's output.
        blocks: Number of blocks of each stage.
        width: Channels of the first stage, doubled in each later one.
        part: `"whole"`; `"trunk"`, all before the last stages; `"stages"`, the
            same with the maps after each of its stages, in a list; or
            `"expert"`, from there on.
        thin: Factor on the channels of the last two stages.
        own: How many the last stages are, 1 or 2.
        name: Name of the model.

    Raises:
        ValueError: if `part` is unknown, or `own` out of range.
    """
    if own not in (1, 2):
        raise ValueError(f"`own` must be 1 or 2, got {own}")
    end, wide = len(blocks), len(blocks) - 2
    split = end - own
    parts = {"whole": (0, end), "expert": (split, end)}
    parts |= dict.fromkeys(("trunk", "stages"), (0, split))
    if part not in parts:
        raise ValueError(f"`part` must be one of {[*parts]}, got {part!r}")
    inputs, maps = keras.Input(tuple(input_shape)), []
    x = inputs
    if part != "expert":
        x = stem(x)
    for stage in range(*parts[part]):
        channels = width * 2**stage
        for number in range(blocks[stage]):
            x = block(
                x,
                channels if stage < wide else round(thin * channels),
                stride=2 if stage and not number else 1,
                name=anatomy.block_name(stage + 1, number + 1),
            )
        maps.append(x)
    if part == "stages":
        return keras.Model(inputs, maps, name=name)
    if part != "trunk":
        x = layers.GlobalAveragePooling2D(name=anatomy.POOL)(x)
    return keras.Model(inputs, x, name=name)


def conv(
    x: Tensor,
    channels: int,
    kernel_size: int,
    *,
    stride: int = 1,
    groups: int = 1,
    initializer: keras.initializers.Initializer,
    name: str,
) -> Tensor:
    """Convolution without bias, padded on both sides as PyTorch does."""
    if stride > 1 and kernel_size > 1:  # "same" would pad one side only
        pad = kernel_size // 2
        x = layers.ZeroPadding2D(pad, name=f"{name}_pad")(x)
    return layers.Conv2D(
        channels,
        kernel_size,
        strides=stride,
        padding="same" if stride == 1 else "valid",
        groups=groups,
        use_bias=False,
        kernel_initializer=initializer,
        name=f"{name}_{anatomy.CONV}",
    )(x)


def batch_norm(x: Tensor, *, name: str) -> Tensor:
    """Batch normalisation with PyTorch's momentum and epsilon."""
    return BatchNormalization(
        momentum=0.9, epsilon=1e-5, name=f"{name}_{anatomy.NORM}"
    )(x)


def basic_block(
    x: Tensor,
    channels: int,
    *,
    stride: int,
    shortcut: str,
    fan: str,
    name: str,
) -> Tensor:
    """Two 3x3 convolutions and a shortcut; ReLU after the addition.

    Args:
        x: Input `(B, H, W, K)`.
        channels: Channels of the output.
        stride: Of the first convolution.
        shortcut: Where the shape changes: "A", subsampled and zero-padded, or
            "B", a 1x1 convolution with batch normalisation.
        fan: See `kaiming`.
        name: Prefix of the layers' names.
    """
    path = ((channels, 3, stride, 1), (channels, 3, 1, 1))
    return _residual(x, path, shortcut=shortcut, fan=fan, name=name)


def bottleneck_block(
    x: Tensor,
    channels: int,
    *,
    stride: int,
    groups: int = 1,
    base_width: int = 64,
    name: str,
) -> Tensor:
    """1x1, 3x3 and 1x1 convolutions and a shortcut; ReLU at the end.

    Args:
        x: Input `(B, H, W, K)`.
        channels: A quarter of the channels of the output.
        stride: Of the 3x3 convolution.
        groups: Of the 3x3 convolution.
        base_width: Channels of a group where `channels` is 64.
        name: Prefix of the layers' names.
    """
    inner = channels * base_width // 64 * groups
    path = (
        (inner, 1, 1, 1),
        (inner, 3, stride, groups),
        (4 * channels, 1, 1, 1),
    )
    return _residual(x, path, shortcut="B", fan="fan_out", name=name)


def _residual(x, path, *, shortcut, fan, name):
    """Convolutions `(channels, size, stride, groups)`, and a shortcut."""

    def convolve(x, channels, size, stride, groups, name):
        x = conv(
            x,
            channels,
            size,
            stride=stride,
            groups=groups,
            initializer=kaiming(fan),
            name=name,
        )
        return batch_norm(x, name=name)

    y, stride = x, max(step[2] for step in path)
    for number, step in enumerate(path, 1):
        if number > 1:
            y = ReLU(name=f"{name}_{number - 1}_relu")(y)
        y = convolve(y, *step, f"{name}_{number}")
    channels = path[-1][0]
    if stride != 1 or x.shape[-1] != channels:
        side = f"{name}_{anatomy.SHORTCUT}"
        if shortcut == "A":
            x = ZeroPadShortcut(channels, stride=stride, name=side)(x)
        else:
            x = convolve(x, channels, 1, stride, 1, side)
    y = layers.Add(name=f"{name}_add")([y, x])
    return ReLU(name=f"{name}_relu")(y)
