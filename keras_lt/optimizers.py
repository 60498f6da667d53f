"""The optimizer of the published recipes."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from keras_lt.checking import checked
from keras_lt.keras_internals import variable_index

AVERAGES = ("ema", "swa")


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
        rate_factors: Factors >= 0 on the rate of some variables, by their
            names, such as `{"kernel": 0.2, "bias": 0.2}`.
        accumulate_steps: Steps k whose mean gradient makes one update, in the
            last of them; the rate is that of this step. Unlike Keras's
            `gradient_accumulation_steps`, it works under every tf.distribute
            strategy.
        average: "ema", an exponential moving average of every weight: of its
            t-th value it takes in 1 - min(`average_momentum`, (1 + t) / (10 +
            t)); or "swa", the mean of its values. None for none.
        average_momentum: Of "ema", in [0, 1).
        average_steps: The step, from 0, with which the average begins; and
            the one with which weights become their averages and stay so.
            Steps after it leave nothing to learn but the statistics of batch
            normalisation: those of a network with averaged weights are not
            the average of those that there were.
        name: Name of the optimizer.
        **kwargs: Of `keras.optimizers.Optimizer`, such as `clipnorm`.

    Raises:
        ValueError: if `momentum`, `l2`, a factor, `accumulate_steps` or an
            argument on averages is out of range.

    See also: `schedules`, for its rate; `training.Average`.

    Example:
        >>> optimizer = SGD(0.1, momentum=0.9, l2=5e-4, nesterov=True)
        >>> optimizer.l2
        0.0005

    Source: `torch.optim.SGD`; Izmailov et al., UAI 2018 ("swa").
    """

    @checked
    def __init__(
        self,
        learning_rate: Any = 0.01,
        *,
        momentum: float = 0.9,
        nesterov: bool = False,
        l2: float = 0.0,
        rate_factors: Mapping[str, float] | None = None,
        accumulate_steps: int = 1,
        average: str | None = None,
        average_momentum: float = 0.999,
        average_steps: Sequence[int] = (0, 0),
        name: str = "sgd",
        **kwargs,
    ):
        if not 0 <= momentum < 1:
            raise ValueError(f"`momentum` must be in [0, 1), got {momentum}")
        if l2 < 0:
            raise ValueError(f"`l2` must be >= 0, got {l2}")
        for variable, factor in (rate_factors or {}).items():
            if factor < 0:
                raise ValueError(
                    "`rate_factors` must be >= 0, got "
                    f"{factor} for {variable!r}"
                )
        if accumulate_steps < 1:
            raise ValueError(
                f"`accumulate_steps` must be >= 1, got {accumulate_steps}"
            )
        if average not in (None, *AVERAGES):
            raise ValueError(
                f"`average` must be None or one of {AVERAGES}, got {average!r}"
            )
        if not 0 <= average_momentum < 1:
            raise ValueError(
                f"`average_momentum` must be in [0, 1), got {average_momentum}"
            )
        if average and not 0 <= average_steps[0] < average_steps[1]:
            raise ValueError(
                "`average_steps` must be two steps >= 0, the second one "
                f"later, got {average_steps}"
            )
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.momentum = momentum
        self.nesterov = nesterov
        self.l2 = l2
        self.rate_factors = dict(rate_factors or {})
        self.accumulate_steps = accumulate_steps
        self.average = average
        self.average_momentum = average_momentum
        self.average_steps = tuple(map(int, average_steps))

    def build(self, variables):
        """Create one momentum buffer for each variable."""
        if self.built:
            return
        super().build(variables)
        self.factors = [self.rate_factors.get(v.name, 1.0) for v in variables]
        self.buffers = [
            self.add_variable_from_reference(variable, "momentum")
            for variable in variables
        ]
        if self.accumulate_steps > 1:
            self.sums = [
                self.add_variable_from_reference(variable, "sum")
                for variable in variables
            ]
        if self.average:
            self.averages = [
                self.add_variable_from_reference(variable, "average")
                for variable in variables
            ]

    def update_step(self, gradient, variable, learning_rate):
        """Move one variable."""
        dtype = variable.dtype
        index = variable_index(self, variable)
        buffer, steps = self.buffers[index], self.accumulate_steps
        gradient = ops.cast(gradient, dtype)
        if steps > 1:
            total = ops.add(self.sums[index], gradient)
            moves = ops.equal((self.iterations + 1) % steps, 0)
            self.assign(self.sums[index], ops.where(moves, 0.0, total))
            gradient = total / steps
        gradient = gradient + ops.multiply(self.l2, variable)
        velocity = ops.multiply(self.momentum, buffer) + gradient
        move = velocity
        if self.nesterov:
            move = gradient + ops.multiply(self.momentum, velocity)
        rate = ops.cast(learning_rate, dtype)
        if self.factors[index] != 1:
            rate = self.factors[index] * rate
        move = ops.multiply(rate, move)
        if steps > 1:
            velocity = ops.where(moves, velocity, ops.convert_to_tensor(buffer))
            move = ops.where(moves, move, 0.0)
        self.assign(buffer, velocity)
        self.assign_sub(variable, move)
        if self.average:
            self._take_in(variable, self.averages[index])

    def _take_in(self, variable, average):
        """Move the average of a variable, or make it the variable's value."""
        first, last = self.average_steps
        step, k = self.iterations, self.accumulate_steps
        before = ops.cast((step - first) // k, variable.dtype)
        if self.average == "swa":
            kept = before / (before + 1)
        else:
            kept = ops.minimum(
                self.average_momentum, (1 + before) / (10 + before)
            )
        kept = ops.where(step < first, 0.0, kept)
        mean, value = map(ops.convert_to_tensor, (average, variable))
        takes = ops.logical_and(step < last, (step + 1) % k == 0)
        mean = ops.where(takes, kept * mean + (1 - kept) * value, mean)
        self.assign(average, mean)
        self.assign(variable, ops.where(step < last, value, mean))

    def get_config(self):
        """Return the arguments."""
        return {
            **super().get_config(),
            "momentum": self.momentum,
            "nesterov": self.nesterov,
            "l2": self.l2,
            "rate_factors": self.rate_factors,
            "accumulate_steps": self.accumulate_steps,
            "average": self.average,
            "average_momentum": self.average_momentum,
            "average_steps": list(self.average_steps),
        }
