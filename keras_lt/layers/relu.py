"""A rectifier for residual networks on a CPU."""

import keras

from keras_lt.devices import on_accelerator
from keras_lt.ops import materialized


@keras.saving.register_keras_serializable(package="keras_lt")
class ReLU(keras.layers.ReLU):
    """`max(x, 0)`, whose result XLA on a CPU does not compute again.

    In training with JAX on a CPU the compiler is told to keep the result, which
    a residual network uses more than once; see `ops.materialized`. The values
    are those of `keras.layers.ReLU`, which it is everywhere else.

    Args:
        **kwargs: Of `keras.layers.ReLU`.

    Inputs: any shape; outputs have it.

    See also: `models.resnet`.

    Example:
        >>> float(ReLU()(keras.ops.array(-2.0)))
        0.0
    """

    def call(self, inputs, training=None):
        """Rectify."""
        x = super().call(inputs)
        on_jax = keras.backend.backend() == "jax"
        if training and on_jax and 0 not in x.shape and not on_accelerator():
            return materialized(x)
        return x
