"""For the record: what helps without further data, together."""

import dataclasses
from typing import Any

import numpy as np

from keras_lt.losses import (
    LabelAwareSmoothing,
    LogitAdjustedLoss,
    SHIKELoss,
)
from keras_lt.methods.fused_experts import (
    NETWORK,
    FusedExperts,
    at_class_means,
    relearned,
)
from keras_lt.methods.method import method
from keras_lt.methods.settings.record import PRESETS, VARIANTS, Lessons, Second
from keras_lt.methods.settings.shared import Network, Policies, SGDSettings
from keras_lt.methods.stages import supervised, tuned
from keras_lt.schedules import cosine_rates
from keras_lt.training import Average, Problem, Recipe, Stage

SGD_SETTINGS = SGDSettings(lr=0.1, l2=5e-4)


@method(PRESETS, VARIANTS)
def recipe(
    problem: Problem,
    *,
    network: Network = NETWORK,
    experts: FusedExperts,
    sgd: SGDSettings = SGD_SETTINGS,
    warmup_epochs: int = 5,
    epochs: tuple[int, int] = (180, 20),
    batch_size: int = 128,
    lessons: Lessons,
    second: Second,
    ema: float = 0.999,
    policies: Policies,
) -> Recipe:
    """Join SHIKE's experts, adjusted logits, lessons, averages and policies.

    Stage "experts" trains experts of different depth, each on logits that are
    adjusted a little differently, and lets those that are right teach the
    others. Stage "heads" trains their classifiers alone, on a frozen rest, from
    the class means that stage "means" finds. Both end with averaged weights.
    Each ingredient is a hyperparameter that can be turned off: `tau=0`,
    `prior_spread=0`, `mutual=0`, `gated=False`, `hardest=0`, `ema=0`,
    `autoaugment=False`, `cutout=0`, `epochs=(200,0)`.

    On CIFAR there are two sizes: 1.26 million parameters; with `width=64`
    20 million, and settings that suit them.

    Args:
        problem: Shape and class counts.
        network: See `settings.shared.Network`.
        experts: See `fused_experts.FusedExperts`.
        sgd: See `settings.shared.SGDSettings`.
        warmup_epochs: Epochs of linear warm-up of stage "experts", before
            half a cosine to 0.
        epochs: Epochs of the two stages; one with 0 is left out.
        batch_size: Images a step.
        lessons: See `settings.record.Lessons`.
        second: See `settings.record.Second`.
        ema: Momentum of the average of all weights, see `training.Average`;
            0 for none.
        policies: See `settings.shared.Policies`.

    Returns:
        A `training.Recipe`.

    Source: ours, of Jin et al., CVPR 2023 (experts); Menon et al., ICLR 2021;
        Zhou & Luo, CVPR 2026 (differences and gates); Alshammari et al., CVPR
        2022, and Sun et al., ICLR 2025 (the large size).
    """
    rates = cosine_rates(
        sgd.lr, epochs[0], warmup_epochs=min(warmup_epochs, epochs[0])
    )
    first = supervised(
        "experts",
        epochs[0],
        loss=_loss(problem, experts.num_experts, lessons),
        optimizer=sgd.along(rates),
        batch_size=batch_size,
    )
    tuning = dataclasses.replace(sgd, lr=second.head_lr, l2=second.head_l2)
    options: dict[str, Any] = {
        "optimizer": tuning.along(cosine_rates(second.head_lr, epochs[1])),
        "batch_size": batch_size,
        "statistics": "moving",
    }
    stages = (first, *_heads(problem, experts.head, second, epochs[1], options))
    return experts.recipe(
        problem,
        network,
        *stages,
        average=Average("ema", ema) if ema else None,
        augment=policies.augment,
    )


def _heads(
    problem: Problem, head: str, second: Second, epochs: int, options: dict
) -> list[Stage]:
    if not epochs:
        return []
    if second.second == "over_smoothed":
        share = second.smoothing
        loss = LabelAwareSmoothing(problem.class_counts, head=share, tail=share)
        return [tuned("heads", epochs, loss=loss, **options)]
    if head == "linear":
        return [relearned(problem, "heads", epochs, **options)]
    loss = LogitAdjustedLoss(problem.class_counts)
    return [
        at_class_means(),
        tuned("heads", epochs, loss=loss, **options),
    ]


def _loss(problem: Problem, experts: int, lessons: Lessons) -> SHIKELoss:
    spread = lessons.prior_spread if experts > 1 else 0.0
    taus = lessons.tau * np.linspace(1 - spread, 1 + spread, experts)
    return SHIKELoss(
        base=LogitAdjustedLoss(problem.class_counts, tau=taus.tolist()),
        mutual=lessons.mutual * problem.num_classes,
        hardest=lessons.hardest * problem.num_classes,
        gated=lessons.gated,
        target_fill=-30.0,
        teacher_gradient=False,
    )
