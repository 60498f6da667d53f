"""Hyperparameters that methods share."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras

from keras_lt.data import AutoAugment, Cutout, Policy
from keras_lt.optimizers import SGD
from keras_lt.schedules import EpochRates, step_rates

Optimizer = Callable[[int], keras.optimizers.Optimizer]


@dataclasses.dataclass(frozen=True)
class Variant:
    """What was published for some networks on a family of data sets.

    Args:
        given: Values of hyperparameters that tell such a network, by name.
        values: What differs there from the family's preset.
    """

    given: Mapping[str, Any]
    values: Mapping[str, Any]

    def fits(self, asked: Mapping[str, Any]) -> bool:
        """Whether all hyperparameters in `given` have their values."""
        return all(asked[name] == value for name, value in self.given.items())


@dataclasses.dataclass(frozen=True)
class Network:
    """What encodes the images.

    Args:
        backbone: Name in `models.BACKBONES`; or an encoder from elsewhere,
            `keras.applications.NAME[:WEIGHTS]`, `keras_hub:PRESET`,
            `keras_hub:CLASS(...)`, a `.keras` file, or a `keras.Model`.
        width: Channels of the first stage; the published number by default.
    """

    backbone: str | keras.Model = "resnet32"
    width: int | None = None


@dataclasses.dataclass(frozen=True)
class SGDSettings:
    """How the weights move.

    Args:
        lr: Learning rate after the warm-up.
        momentum: Of SGD.
        nesterov: Whether SGD looks ahead.
        l2: Weight decay, coupled, of every variable.
    """

    lr: float = 0.1
    momentum: float = 0.9
    nesterov: bool = False
    l2: float = 2e-4

    def along(self, rates: Sequence[float], **options: Any) -> Optimizer:
        """Optimizer of a stage, by learning rates of its epochs.

        Args:
            rates: One for each epoch.
            **options: Further ones of `optimizers.SGD`.
        """
        return lambda steps: SGD(
            EpochRates(rates, steps),
            momentum=self.momentum,
            nesterov=self.nesterov,
            l2=self.l2,
            **options,
        )

    def dropping(
        self,
        epochs: int,
        *,
        milestones: Sequence[float] = (0.8, 0.9),
        warmup_epochs: int = 0,
        **how: Any,
    ) -> Optimizer:
        """Optimizer whose rate drops after fractions of the epochs.

        Args:
            epochs: How many there are.
            milestones: The fractions.
            warmup_epochs: Epochs of linear warm-up, at most all.
            **how: See `schedules.step_rates`.
        """
        rates = step_rates(
            self.lr,
            epochs,
            milestones=[round(share * epochs) for share in milestones],
            warmup_epochs=min(warmup_epochs, epochs),
            **how,
        )
        return self.along(rates)


@dataclasses.dataclass(frozen=True)
class Policies:
    """What happens to single images after crop and flip.

    Args:
        autoaugment: Whether it is AutoAugment, as found on CIFAR-10.
        cutout: Side of a black square in pixels; 0 for none.
    """

    autoaugment: bool = True
    cutout: int = 16

    @property
    def augment(self) -> dict[str, Any]:
        """Fields of `data.Augment`."""
        found: tuple[Policy, ...] = ()
        if self.autoaugment:
            found += (AutoAugment(),)
        if self.cutout:
            found += (Cutout(self.cutout),)
        return {"policies": found}
