"""A classifier by angle."""

import keras
from keras import ops

from keras_lt.checking import checked
from keras_lt.ops import unit_length


@keras.saving.register_keras_serializable(package="keras_lt")
class CosineClassifier(keras.layers.Layer):
    """Scaled cosine of the features and each class vector, without bias.

    `logits[c] = scale * <f / ||f||, w[c] / ||w[c]||>`. The norms of class
    vectors, which grow with class frequency in a linear classifier, have no
    say.

    Args:
        num_classes: Number of classes C.
        scale: Factor s on the cosines, > 0.
        **kwargs: Of `keras.layers.Layer`, such as `name`.

    Inputs: features `(B, D)`.
    Returns: logits `(B, C)` in [-scale, scale]; 0 for a zero feature.
    Raises: ValueError: if `num_classes` or `scale` is not positive.

    See also: `losses.LDAMLoss`; `NearestClassMean`;
        `constraints.ClassUnitNorm`.

    Example:
        >>> layer = CosineClassifier(3)
        >>> layer.build((None, 2))
        >>> _ = layer.kernel.assign(ops.array([[1.0, 0, 2], [0, 2, 2]]))
        >>> logits = layer(ops.array([[3.0, 4.0]]))
        >>> [round(float(logit), 2) for logit in logits[0]]
        [18.0, 24.0, 29.7]

    Source: `kaidic/LDAM-DRW:models/resnet_cifar.py`, `NormedLinear`.
    """

    @checked
    def __init__(self, num_classes: int, *, scale: float = 30.0, **kwargs):
        super().__init__(**kwargs)
        for argument, value in (("num_classes", num_classes), ("scale", scale)):
            if not value > 0:
                raise ValueError(f"`{argument}` must be > 0, got {value}")
        self.num_classes = num_classes
        self.scale = scale

    def build(self, input_shape):
        """Make the kernel `(D, C)`, with class vectors of length 1."""
        self.kernel = self.add_weight(
            (input_shape[-1], self.num_classes),
            initializer=_unit_vectors,
            name="kernel",
        )

    def call(self, inputs):
        """Return the logits."""
        cosines = ops.matmul(unit_length(inputs), unit_length(self.kernel, 0))
        return ops.cast(self.scale * cosines, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        """Return the shape of the logits."""
        return (*input_shape[:-1], self.num_classes)

    def get_config(self):
        """Return the arguments."""
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "scale": self.scale,
        }


def _unit_vectors(shape, dtype=None):
    return unit_length(keras.initializers.RandomUniform(-1, 1)(shape, dtype), 0)
