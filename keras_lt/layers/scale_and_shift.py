"""One learnable factor and summand for each feature."""

import keras


@keras.saving.register_keras_serializable(package="keras_lt")
class ScaleAndShift(keras.layers.Layer):
    """`h * scale + shift` of features (SSF).

    Args:
        **kwargs: Of `keras.layers.Layer`, such as `name`.

    Inputs: h `(B, ..., D)`.
    Returns: `(B, ..., D)`.

    See also: `LoRA`; `AdaptFormer`.

    Example:
        >>> layer = ScaleAndShift()
        >>> layer.build((None, 3))
        >>> [tuple(weight.shape) for weight in layer.weights]
        [(3,), (3,)]

    Source: Lian et al., NeurIPS 2022; Shi et al., ICML 2024.
    Differs from the released code: it starts as the identity, 1 and 0, not at
        N(1, 0.02) and N(0, 0.02).
    """

    def build(self, input_shape):
        """Make the factors and summands `(D,)`."""
        width = input_shape[-1:]
        self.scale = self.add_weight(width, initializer="ones", name="scale")
        self.shift = self.add_weight(width, initializer="zeros", name="shift")

    def call(self, inputs):
        """Scale and shift."""
        return inputs * self.scale + self.shift
