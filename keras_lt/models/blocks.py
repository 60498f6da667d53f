"""Building blocks of the residual networks."""

import keras
from keras import layers

from keras_lt.layers import ZeroPadShortcut


def kaiming(fan: str) -> keras.initializers.Initializer:
    """Kaiming-normal initial values, not truncated, with gain sqrt(2).

    Take a new one for each layer: one that is used twice repeats its draw.

    Args:
        fan: `"fan_in"` or `"fan_out"`.
    """
    return keras.initializers.VarianceScaling(2.0, fan, "untruncated_normal")


def conv(x, channels, kernel_size, *, stride=1, initializer, name):
    """Convolution without bias, padded on both sides as PyTorch does."""
    if stride > 1 and kernel_size > 1:  # "same" would pad one side only
        pad = kernel_size // 2
        x = layers.ZeroPadding2D(pad, name=f"{name}_pad")(x)
    return layers.Conv2D(
        channels,
        kernel_size,
        strides=stride,
        padding="same" if stride == 1 else "valid",
        use_bias=False,
        kernel_initializer=initializer,
        name=f"{name}_conv",
    )(x)


def batch_norm(x, *, name):
    """Batch normalisation with PyTorch's momentum and epsilon."""
    return layers.BatchNormalization(
        momentum=0.9, epsilon=1e-5, name=f"{name}_bn"
    )(x)


def basic_block(x, channels, *, stride, shortcut, fan, name):
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

    def convolve(x, size, stride, name):
        return conv(
            x,
            channels,
            size,
            stride=stride,
            initializer=kaiming(fan),
            name=name,
        )

    y = convolve(x, 3, stride, f"{name}_1")
    y = layers.ReLU(name=f"{name}_1_relu")(batch_norm(y, name=f"{name}_1"))
    y = batch_norm(convolve(y, 3, 1, f"{name}_2"), name=f"{name}_2")
    if stride != 1 or x.shape[-1] != channels:
        path = f"{name}_shortcut"
        if shortcut == "A":
            x = ZeroPadShortcut(channels, stride=stride, name=path)(x)
        else:
            x = batch_norm(convolve(x, 1, stride, path), name=path)
    y = layers.Add(name=f"{name}_add")([y, x])
    return layers.ReLU(name=f"{name}_relu")(y)
