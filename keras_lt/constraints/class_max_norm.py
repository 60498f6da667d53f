"""The max-norm ball of weight balancing."""

import keras
from keras import ops

from keras_lt.checking import checked


@keras.saving.register_keras_serializable(package="keras_lt")
class ClassMaxNorm(keras.constraints.Constraint):
    """Pull class vectors that are longer than `radius` back onto the ball.

    `w_c <- w_c * min(1, radius / ||w_c||)`, one radius for all classes. As a
    `kernel_constraint` it is projected gradient descent, one projection a
    step; `callbacks.ProjectWeights` projects once an epoch. Unlike
    `keras.constraints.MaxNorm` it leaves vectors inside the ball bit for bit
    as they are.

    Args:
        radius: Largest allowed L2 norm, > 0; see `stats.max_norm_radius`.

    Inputs: a kernel `(..., C)`; the norm is over all axes but the last.
    Returns: a tensor of the same shape and dtype.
    Raises: ValueError: if `radius` is not positive.

    See also: `ClassUnitNorm`; `stats.max_norm_radius`;
        `callbacks.ProjectWeights`.

    Example:
        >>> from keras import ops
        >>> kernel = ops.convert_to_tensor([[3.0, 0.0], [4.0, 0.5]])
        >>> ops.convert_to_numpy(ClassMaxNorm(2.5)(kernel)).round(4)
        array([[1.5, 0. ],
               [2. , 0.5]], dtype=float32)

    Source: Alshammari et al., CVPR 2022, section 4.3.
    Differs from the released code: vectorised; no exponent `tau`.
    """

    @checked
    def __init__(self, radius: float):
        if not radius > 0:
            raise ValueError(f"`radius` must be > 0, got {radius}")
        self.radius = float(radius)

    def __call__(self, w):
        """Return the projected kernel."""
        w = ops.convert_to_tensor(w)
        axes = tuple(range(w.ndim - 1))
        norms = ops.sqrt(ops.sum(ops.square(w), axis=axes, keepdims=True))
        scale = self.radius / ops.maximum(norms, self.radius)  # 1 inside
        return w * ops.where(norms > self.radius, scale, ops.ones_like(scale))

    def get_config(self):
        """Return the arguments."""
        return {"radius": self.radius}
