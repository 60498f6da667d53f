"""Class vectors of length one."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_lt")
class ClassUnitNorm(keras.constraints.Constraint):
    """Scale every class vector to L2 norm 1; a zero vector stays zero.

    `w_c <- w_c / ||w_c||`. The "L2norm" rows of weight balancing train the
    classifier under it.

    Inputs: a kernel `(..., C)`; the norm is over all axes but the last.
    Returns: a tensor of the same shape and dtype.

    See also: `ClassMaxNorm`; `layers.CosineClassifier`.

    Example:
        >>> from keras import ops
        >>> kernel = ClassUnitNorm()(ops.convert_to_tensor([[0.0], [2.0]]))
        >>> ops.convert_to_numpy(kernel).round(4).tolist()
        [[0.0], [1.0]]

    Source: Alshammari et al., CVPR 2022, table 4 ("L2norm").
    Differs from the released code: nothing known.
    """

    def __call__(self, w):
        """Return the normalised kernel."""
        w = ops.convert_to_tensor(w)
        axes = tuple(range(w.ndim - 1))
        norms = ops.sqrt(ops.sum(ops.square(w), axis=axes, keepdims=True))
        return w / ops.where(norms > 0, norms, ops.ones_like(norms))

    def get_config(self):
        """Return no arguments."""
        return {}
