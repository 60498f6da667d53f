"""ResLT: residual branches for ever rarer classes, fused by addition."""

import math
from typing import Literal

from keras_lt.losses import ResLTLoss
from keras_lt.methods.method import method
from keras_lt.methods.settings.reslt import (
    BETAS,
    CUTS,
    PRESETS,
    SGD_SETTINGS,
    VARIANTS,
    Branches,
)
from keras_lt.methods.settings.shared import Network, Optimizer, SGDSettings
from keras_lt.methods.stages import supervised
from keras_lt.metrics import shot_accuracy_metrics
from keras_lt.models import branch_views, branched_classifier, fused
from keras_lt.schedules import cosine_rates, warmup_cosine_rates
from keras_lt.training import Problem, Recipe


@method(PRESETS, VARIANTS)
def recipe(
    problem: Problem,
    *,
    network: Network,
    parts: Branches,
    sgd: SGDSettings = SGD_SETTINGS,
    epochs: tuple[int] = (200,),
    schedule: Literal["step", "cosine"] = "step",
    warmup_epochs: int = 5,
    batch_size: int = 128,
    drop_remainder: bool = True,
    sampler: str = "instance",
) -> Recipe:
    """Three branches in one stage: all classes, medium and few, few.

    The published cuts and beta are chosen by the number of classes and the
    imbalance ratio. "step" drops the rate to a tenth after 80 % and again
    after 90 % of the epochs.

    Args:
        problem: Shape and class counts.
        network: See `settings.shared.Network`.
        parts: See `settings.reslt.Branches`.
        sgd: See `settings.shared.SGDSettings`.
        epochs: Epochs of the one stage.
        schedule: "step", or "cosine" as for ImageNet-LT.
        warmup_epochs: Epochs of linear warm-up.
        batch_size: Images a step.
        drop_remainder: Whether an epoch's last partial batch is left out.
        sampler: Name in `samplers.SAMPLERS`.

    Returns:
        A `training.Recipe`.

    Example:
        >>> recipe(Problem((32, 32, 3), class_counts=(500, 50, 5))).epochs
        200

    Source: Cui et al., TPAMI 2023; `jiequancui/ResLT`.
    Differs from the released code: ranks classes of equal counts by id.
    """
    (total,) = epochs
    loss = _loss(parts, problem.class_counts)
    return Recipe(
        build=lambda: branched_classifier(
            network.backbone,
            problem,
            branches=len(loss.cuts) + 1,
            form=parts.form,
            pool=parts.pool,
            num_experts=parts.num_experts,
            thin=parts.thin,
            width=network.width,
        ),
        stages=(
            supervised(
                "train",
                total,
                loss=loss,
                optimizer=_optimizer(sgd, total, schedule, warmup_epochs),
                sampler=sampler,
                batch_size=batch_size,
                drop_remainder=drop_remainder,
            ),
        ),
        metrics=lambda: shot_accuracy_metrics(
            problem.class_counts, groups=problem.groups
        ),
        serve=lambda model: fused(model, tau=parts.tau),
        views=branch_views,
    )


def _loss(parts: Branches, counts: tuple[int, ...]) -> ResLTLoss:
    cuts, beta = parts.cuts, parts.beta
    if not parts.branches:
        cuts = ()
    elif cuts is None:
        cuts = CUTS.get(len(counts))
    if beta is None:
        beta = published_beta(counts)
    return ResLTLoss(counts, cuts=cuts, beta=beta, fused=parts.fused_loss)


def _optimizer(
    sgd: SGDSettings, epochs: int, schedule: str, warmup_epochs: int
) -> Optimizer:
    if schedule == "step":
        return sgd.dropping(
            epochs, warmup_epochs=warmup_epochs, warmup_start=1 / 3
        )
    warmup_epochs = min(warmup_epochs, epochs)
    if not warmup_epochs:
        return sgd.along(cosine_rates(sgd.lr, epochs))
    return sgd.along(
        warmup_cosine_rates(sgd.lr, epochs, warmup_epochs=warmup_epochs)
    )


def published_beta(class_counts: tuple[int, ...]) -> float:
    """Published beta of the nearest imbalance ratio; 0.99 where none is."""
    known = BETAS.get(len(class_counts), {1: 0.99})
    ratio = max(class_counts) / min(class_counts)
    return known[min(known, key=lambda other: abs(math.log(other / ratio)))]
