"""The parameter-free shortcut of the CIFAR ResNets."""

import keras
from keras import ops

from keras_lt.checking import checked


@keras.saving.register_keras_serializable(package="keras_lt")
class ZeroPadShortcut(keras.layers.Layer):
    """Every second row and column, with zero channels added on both sides.

    Option A of the ResNet paper: identity where the shape changes, without
    parameters.

    Args:
        channels: Channels of the output, at least those of the input; the new
            ones are split evenly before and after the old ones.
        stride: Distance of the rows and columns that are kept, >= 1.
        **kwargs: Of `keras.layers.Layer`, such as `name`.

    Inputs: `(B, H, W, K)`.
    Returns: `(B, ceil(H / stride), ceil(W / stride), channels)`.
    Raises: ValueError: when built, if the input has more channels.

    See also: `models.resnet_cifar`.

    Example:
        >>> tuple(ZeroPadShortcut(4)(ops.ones((1, 8, 8, 2))).shape)
        (1, 4, 4, 4)

    Source: He et al., CVPR 2016, section 3.3, option A.
    """

    @checked
    def __init__(self, channels: int, *, stride: int = 2, **kwargs):
        super().__init__(**kwargs)
        self.channels = channels
        self.stride = stride

    def build(self, input_shape):
        """Check the channels."""
        if input_shape[-1] > self.channels:
            raise ValueError(
                f"`channels` must be at least the input's {input_shape[-1]}, "
                f"got {self.channels}"
            )
        self.built = True

    def call(self, inputs):
        """Subsample and pad."""
        added = self.channels - inputs.shape[-1]
        before = added // 2
        kept = inputs[:, :: self.stride, :: self.stride]
        sides = [[0, 0], [0, 0], [0, 0], [before, added - before]]
        return ops.pad(kept, sides)

    def compute_output_shape(self, input_shape):
        """Return the shape of the output."""
        batch, height, width, _ = input_shape
        size = [n and -(-n // self.stride) for n in (height, width)]
        return (batch, *size, self.channels)

    def get_config(self):
        """Return the arguments."""
        return {
            **super().get_config(),
            "channels": self.channels,
            "stride": self.stride,
        }
