"""A bottleneck that learns beside the MLP of a frozen transformer block."""

import keras
from keras import layers, ops

from keras_lt.checking import checked


@keras.saving.register_keras_serializable(package="keras_lt")
class AdaptFormer(layers.Layer):
    """A scaled bottleneck on the residual stream of a transformer block.

    `s * (U relu(V LN(a) + b_V) + b_U)`, added to `a + MLP(LN2(a))`. U starts
    at 0, so the block starts as it was.

    Args:
        rank: Width r of the bottleneck, > 0.
        **kwargs: Of `keras.layers.Layer`, such as `name`.

    Inputs: the residual stream a, `(B, ..., D)`.
    Returns: `(B, ..., D)`, what is added to the block's output.
    Raises: ValueError: if `rank` is not positive.

    See also: `LoRA`; `ScaleAndShift`.

    Example:
        >>> layer = AdaptFormer(2)
        >>> layer(ops.ones((1, 5, 4))).shape == (1, 5, 4)
        True
        >>> layer.count_params()  # 2 D r + r + 3 D + 1
        31

    Source: Chen et al., NeurIPS 2022; Shi et al., ICML 2024 (LIFT).
    """

    @checked
    def __init__(self, rank: int, **kwargs):
        super().__init__(**kwargs)
        if not rank > 0:
            raise ValueError(f"`rank` must be > 0, got {rank}")
        self.rank = int(rank)

    def build(self, input_shape):
        """Make the layers, by the width of the stream."""
        width = input_shape[-1]
        same = {"dtype": self.dtype_policy}
        uniform = keras.initializers.RandomUniform(-(width**-0.5), width**-0.5)
        self.norm = layers.LayerNormalization(epsilon=1e-5, name="norm", **same)
        self.down = layers.Dense(
            self.rank,
            activation="relu",
            kernel_initializer=uniform,
            name="down",
            **same,
        )
        self.up = layers.Dense(
            width, kernel_initializer="zeros", name="up", **same
        )
        self.norm.build(input_shape)
        self.down.build(input_shape)
        self.up.build((*input_shape[:-1], self.rank))
        self.scale = self.add_weight((), initializer="ones", name="scale")

    def call(self, inputs):
        """Return what is added."""
        scale = ops.cast(self.scale, self.compute_dtype)
        return scale * self.up(self.down(self.norm(inputs)))

    def compute_output_shape(self, input_shape):
        """Return the shape of the stream."""
        return input_shape

    def get_config(self):
        """Return the arguments."""
        return {**super().get_config(), "rank": self.rank}
