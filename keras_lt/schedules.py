"""Learning rates: a list with one rate an epoch, read by the step.

A recipe writes its rates as plain numbers (`cosine_rates`, `step_rates`, or
any list), which can be printed and plotted; `EpochRates` gives them to an
optimizer.
"""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from keras_lt.checking import checked


@checked
def cosine_rates(
    peak: float, epochs: int, *, shift: int = 0, warmup_epochs: int = 0
) -> list[float]:
    """Half a cosine from `peak` to 0, constant inside an epoch.

    Epoch e gets `peak / 2 * (1 + cos(pi * (e + shift) / epochs))`, and during
    the warm-up that times `(e + 1) / warmup_epochs`.

    Args:
        peak: Largest rate, > 0.
        epochs: Number of epochs E.
        shift: 1 for code that steps its scheduler before the epoch (the last
            epoch then has rate 0), 0 for code that steps after it.
        warmup_epochs: Epochs of linear warm-up.

    Returns:
        E floats.

    Example:
        >>> [round(rate, 4) for rate in cosine_rates(0.01, 4, shift=1)]
        [0.0085, 0.005, 0.0015, 0.0]
    """
    epoch = np.arange(epochs)
    rates = peak / 2 * (1 + np.cos(np.pi * (epoch + shift) / epochs))
    return _warm_up(rates, warmup_epochs)


@checked
def step_rates(
    peak: float,
    epochs: int,
    *,
    milestones: Sequence[int],
    factor: float = 0.1,
    warmup_epochs: int = 0,
    warmup_start: float = 0.0,
) -> list[float]:
    """Constant rates that drop by `factor` at each milestone.

    During the warm-up, with f = (e + 1) / warmup_epochs in epoch e, the rate
    is multiplied by `(1 - f) * warmup_start + f`.

    Args:
        peak: Rate before the first milestone, > 0.
        epochs: Number of epochs E.
        milestones: First epoch (from 0) of each lower rate.
        factor: Factor of each drop.
        warmup_epochs: Epochs of linear warm-up.
        warmup_start: Where it starts, as a fraction of the full rate.

    Returns:
        E floats.

    Example:
        >>> rates = step_rates(1.0, 4, milestones=[2, 3], warmup_epochs=2)
        >>> [round(rate, 4) for rate in rates]
        [0.5, 1.0, 0.1, 0.01]
    """
    drops = np.searchsorted(sorted(milestones), np.arange(epochs), "right")
    rates = peak * factor ** drops.astype(float)
    return _warm_up(rates, warmup_epochs, warmup_start)


@checked
def warmup_cosine_rates(
    peak: float, epochs: int, *, warmup_epochs: int
) -> list[float]:
    """Linear warm-up to `peak`, and from there half a cosine towards 0.

    With W warm-up epochs, epoch e < W gets `peak * (e + 1) / W`, a later one
    `peak / 2 * (1 + cos(pi * (e - W + 1) / (epochs - W + 1)))`: the last one
    is above 0.

    Args:
        peak: Largest rate, > 0.
        epochs: Number of epochs E.
        warmup_epochs: W, from 1 to E.

    Returns:
        E floats.

    Source: `jiequancui/ResLT`, ImageNet-LT.
    """
    epoch = np.arange(epochs)
    turn = (epoch - warmup_epochs + 1) / (epochs - warmup_epochs + 1)
    rates = peak / 2 * (1 + np.cos(np.pi * np.maximum(turn, 0)))
    return _warm_up(rates, warmup_epochs)


def _warm_up(
    rates: np.ndarray, warmup_epochs: int, start: float = 0.0
) -> list[float]:
    ramp = (np.arange(len(rates)) + 1) / max(warmup_epochs, 1)
    ramp = np.minimum(ramp, 1)
    return (rates * ((1 - ramp) * start + ramp)).tolist()


@keras.saving.register_keras_serializable(package="keras_lt")
class EpochRates(keras.optimizers.schedules.LearningRateSchedule):
    """Learning rate of a step, from a list with one rate an epoch.

    Args:
        rates: Learning rate of epoch 0, 1, ...; the last one stays in force
            after the end.
        steps_per_epoch: Optimizer steps in an epoch, > 0.

    Raises:
        ValueError: if `rates` is empty or `steps_per_epoch` is not positive.

    Example:
        >>> schedule = EpochRates([0.1, 0.01], steps_per_epoch=10)
        >>> round(float(schedule(9)), 6), round(float(schedule(10)), 6)
        (0.1, 0.01)
    """

    @checked
    def __init__(self, rates: Sequence[float], steps_per_epoch: int):
        if not len(rates):
            raise ValueError("`rates` must hold at least one rate, got none")
        if steps_per_epoch < 1:
            raise ValueError(
                f"`steps_per_epoch` must be >= 1, got {steps_per_epoch}"
            )
        self.rates = [float(rate) for rate in rates]
        self.steps_per_epoch = int(steps_per_epoch)

    def __call__(self, step):
        """Return the rate of optimizer step `step` (from 0)."""
        epoch = ops.cast(step, "int32") // self.steps_per_epoch
        last = len(self.rates) - 1
        rates = ops.convert_to_tensor(self.rates, "float32")
        return ops.take(rates, ops.minimum(epoch, last))

    def get_config(self):
        """Return the arguments."""
        return {"rates": self.rates, "steps_per_epoch": self.steps_per_epoch}
