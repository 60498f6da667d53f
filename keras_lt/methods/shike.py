"""SHIKE: experts of different depth that teach each other."""

from typing import Literal

from keras_lt.losses import SHIKELoss
from keras_lt.methods.fused_experts import NETWORK, FusedExperts, relearned
from keras_lt.methods.method import method
from keras_lt.methods.settings.shared import Network, Policies, SGDSettings
from keras_lt.methods.settings.shike import (
    PRESETS,
    SGD_SETTINGS,
    Lessons,
    Rates,
)
from keras_lt.methods.stages import supervised
from keras_lt.schedules import cosine_rates
from keras_lt.training import Problem, Recipe


@method(PRESETS)
def recipe(
    problem: Problem,
    *,
    network: Network = NETWORK,
    experts: FusedExperts,
    sgd: SGDSettings = SGD_SETTINGS,
    rates: Rates,
    epochs: tuple[int, int] = (180, 20),
    batch_size: int = 128,
    lessons: Lessons,
    statistics: Literal["moving", "fixed"] = "moving",
    policies: Policies,
) -> Recipe:
    """Let experts fuse maps of different depth, and teach each other.

    Stage "experts" trains them on the labels and on two lessons from one
    another. Stage "balanced" freezes everything and learns new classifiers
    with the balanced softmax, on all images alike. A stage with 0 epochs is
    left out. Served is the mean of the experts' logits.

    Args:
        problem: Shape and class counts.
        network: See `settings.shared.Network`.
        experts: See `fused_experts.FusedExperts`.
        sgd: See `settings.shared.SGDSettings`.
        lr: Largest learning rate of stage "experts".
        rates: See `settings.shike.Rates`.
        epochs: Epochs of the two stages.
        batch_size: Images a step.
        lessons: See `settings.shike.Lessons`.
        statistics: Of the frozen batch normalisation: "moving", on statistics
            of each batch, as released, or "fixed".
        policies: See `settings.shared.Policies`.

    Returns:
        A `training.Recipe`.

    Source: Jin et al., CVPR 2023; `jinyan-06/SHIKE`, CIFAR-100-LT.
    Differs from the released code: what is frozen does not decay; float32.
    """
    loss = SHIKELoss(
        mutual=lessons.mutual,
        hardest=lessons.hardest,
        target_fill={"zero": 0.0, "none": -30.0}[lessons.target_fill],
    )
    first = supervised(
        "experts",
        epochs[0],
        loss=loss,
        optimizer=sgd.along(_rates(rates, sgd.lr, epochs[0])),
        batch_size=batch_size,
    )
    second = relearned(
        problem,
        "balanced",
        epochs[1],
        optimizer=sgd.along(_rates(rates, rates.head_lr, epochs[1])),
        batch_size=batch_size,
        statistics=statistics,
    )
    return experts.recipe(
        problem, network, first, second, augment=policies.augment
    )


def _rates(rates: Rates, peak: float, epochs: int) -> list[float]:
    step = (peak - rates.warmup_lr) / 4
    ramp = [
        max(rates.warmup_lr + step * (epoch - 1), 0.0)
        for epoch in range(min(rates.warmup_epochs, epochs))
    ]
    return ramp + cosine_rates(peak, epochs - len(ramp))
