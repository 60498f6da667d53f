"""The average of the weights of all steps, which a stage ends with."""

import dataclasses
from typing import Any

from keras_lt.checking import checked
from keras_lt.optimizers import AVERAGES

SETTLING = 50  # steps after which half a percent is left, 0.9 ** 50


@checked
@dataclasses.dataclass(frozen=True)
class Average:
    """How the weights of a stage are averaged.

    Trained weights become their averages for the last epoch of a stage, or
    its last 50 steps if those are more, but at most half of it. In that time
    only the statistics of batch normalisation move: to those of the averaged
    network, which differ from an average of those that there were.

    Args:
        kind: "ema" or "swa", see `optimizers.SGD`.
        momentum: Of "ema", in [0, 1).
        start: Share of the stage, in [0, 1), after which the average begins;
            by default 0, and 0.75 of "swa".

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> Average("swa").arguments(1000, 100)["average_steps"]
        (675, 900)
    """

    kind: str
    momentum: float = 0.999
    start: float | None = None

    def __post_init__(self):
        """Check the arguments."""
        if self.kind not in AVERAGES:
            raise ValueError(
                f"`average` must be one of {AVERAGES}, got {self.kind!r}"
            )
        if not 0 <= self.momentum < 1:
            raise ValueError(
                f"`average_momentum` must be in [0, 1), got {self.momentum}"
            )
        if self.start is not None and not 0 <= self.start < 1:
            raise ValueError(
                f"`average_from` must be in [0, 1), got {self.start}"
            )

    def arguments(self, steps: int, last_epoch: int) -> dict[str, Any]:
        """Arguments of `optimizers.SGD`.

        Args:
            steps: All that it takes, of one or more stages.
            last_epoch: Those of the last epoch.

        Raises:
            ValueError: if there are fewer than 2.
        """
        if steps < 2:
            raise ValueError(f"`average` needs at least 2 steps, got {steps}")
        last = steps - min(max(last_epoch, SETTLING), steps // 2)
        start = self.start
        if start is None:
            start = 0.75 if self.kind == "swa" else 0.0
        return {
            "average": self.kind,
            "average_momentum": self.momentum,
            "average_steps": (int(start * last), last),
        }
