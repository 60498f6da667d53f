"""The optimizer of the published recipes."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_lt")
class SGD(keras.optimizers.Optimizer):
    """SGD as published recipes mean it: coupled L2, rate outside the buffer.

    With gradient g, weight w, momentum buffer b and learning rate r:

        g <- g + l2 * w;  b <- momentum * b + g;  w <- w - r * b

    (`g + momentum * b` in place of the last `b` with `nesterov`). Keras's own
    SGD decouples `weight_decay` from the momentum, which makes it about ten
    times weaker, and keeps the rate inside the buffer, so that large steps go
    on after a drop of the rate. Every trainable variable decays, batch
    normalisation and biases included.

    Args:
        learning_rate: Float, or schedule from the step to a rate.
        momentum: Decay of the buffer, in [0, 1).
        nesterov: Whether to look ahead.
        l2: Weight of `0.5 * ||w||^2` in the gradient, >= 0.
        name: Name of the optimizer.
        **kwargs: Of `keras.optimizers.Optimizer`, such as `clipnorm`.

    Raises:
        ValueError: if `momentum` or `l2` is out of range.

    Example:
        >>> optimizer = SGD(0.1, momentum=0.9, l2=5e-4, nesterov=True)
        >>> optimizer.l2
        0.0005

    Source: `torch.optim.SGD`.
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        *,
        momentum: float = 0.9,
        nesterov: bool = False,
        l2: float = 0.0,
        name: str = "sgd",
        **kwargs,
    ):
        if not 0 <= momentum < 1:
            raise ValueError(f"`momentum` must be in [0, 1), got {momentum}")
        if l2 < 0:
            raise ValueError(f"`l2` must be >= 0, got {l2}")
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.momentum = momentum
        self.nesterov = nesterov
        self.l2 = l2

    def build(self, variables):
        """Create one momentum buffer for each variable."""
        if self.built:
            return
        super().build(variables)
        self.buffers = [
            self.add_variable_from_reference(variable, "momentum")
            for variable in variables
        ]

    def update_step(self, gradient, variable, learning_rate):
        """Move one variable."""
        dtype = variable.dtype
        buffer = self.buffers[self._get_variable_index(variable)]
        gradient = ops.cast(gradient, dtype) + ops.multiply(self.l2, variable)
        velocity = ops.multiply(self.momentum, buffer) + gradient
        self.assign(buffer, velocity)
        if self.nesterov:
            velocity = gradient + ops.multiply(self.momentum, velocity)
        rate = ops.cast(learning_rate, dtype)
        self.assign_sub(variable, ops.multiply(rate, velocity))

    def get_config(self):
        """Return the arguments."""
        return {
            **super().get_config(),
            "momentum": self.momentum,
            "nesterov": self.nesterov,
            "l2": self.l2,
        }
