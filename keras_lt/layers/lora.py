"""A low-rank change of a frozen projection."""

import math

import keras
import numpy as np
from keras import ops

from keras_lt.checking import checked


@keras.saving.register_keras_serializable(package="keras_lt")
class LoRA(keras.layers.Layer):
    """A projection, and `(1/r) (h A) B` added to what it says.

    A `(D, r)` is uniform in +-1/sqrt(r), B starts at 0, so the projection
    starts as it was. Where the projection makes several axes, as an
    `EinsumDense` of attention heads does, B makes them all. `folded` gives one
    kernel for both.

    Args:
        layer: A `Dense`, or an `EinsumDense` over the last axis of its input.
        rank: r, > 0.
        **kwargs: Of `keras.layers.Layer`, such as `name`.

    Inputs: h `(B, ..., D)`.
    Returns: What `layer` would say, changed.
    Raises: ValueError: if `rank` is not positive, or `layer` has no kernel.

    See also: `AdaptFormer` and `ScaleAndShift`, which adapt otherwise.

    Example:
        >>> layer = LoRA(keras.layers.Dense(6), 2)
        >>> layer(ops.ones((1, 3, 4))).shape == (1, 3, 6)
        True

    Source: Hu et al., ICLR 2022; Shi et al., ICML 2024 (LIFT: the scale, and
        the initial values of A).
    Differs from `enable_lora` of Keras: there the scale is alpha / r, A has
        one row for each feature and head, and B is one for all heads.
    """

    @checked
    def __init__(self, layer: keras.layers.Layer, rank: int, **kwargs):
        super().__init__(**kwargs)
        if not rank > 0:
            raise ValueError(f"`rank` must be > 0, got {rank}")
        kinds = keras.layers.Dense, keras.layers.EinsumDense
        if not isinstance(layer, kinds):
            raise ValueError(
                f"`layer` must be a Dense or an EinsumDense, got {layer!r}"
            )
        self.layer = layer
        self.rank = int(rank)

    def build(self, input_shape):
        """Make A and B, by the shape of the kernel."""
        if not self.layer.built:
            self.layer.build(input_shape)
        width, *rest = self.layer.kernel.shape
        bound = self.rank**-0.5
        self.down = self.add_weight(
            (width, self.rank),
            initializer=keras.initializers.RandomUniform(-bound, bound),
            name="down",
        )
        self.up = self.add_weight(
            (self.rank, math.prod(rest)), initializer="zeros", name="up"
        )

    def call(self, inputs):
        """Project."""
        plain = self.layer(inputs)
        change = ops.matmul(ops.matmul(inputs, self.down), self.up) / self.rank
        return plain + ops.reshape(change, ops.shape(plain))

    def folded(self) -> np.ndarray:
        """The kernel that does the same without the change."""
        down, up, kernel = (
            ops.convert_to_numpy(each).astype("float64")
            for each in (self.down, self.up, self.layer.kernel)
        )
        change = (down @ up / self.rank).reshape(kernel.shape)
        return (kernel + change).astype("float32")

    def compute_output_shape(self, input_shape):
        """Return the shape of the projection."""
        return self.layer.compute_output_shape(input_shape)

    def get_config(self):
        """Return the arguments."""
        layer = keras.saving.serialize_keras_object(self.layer)
        return {**super().get_config(), "layer": layer, "rank": self.rank}

    @classmethod
    def from_config(cls, config):
        """Make one of what `get_config` gave."""
        layer = keras.saving.deserialize_keras_object(config["layer"])
        return cls(**{**config, "layer": layer})
