"""ResLT: residual branches for ever rarer classes, fused by addition."""

import math
from typing import Literal

from keras_lt.losses import ResLTLoss
from keras_lt.metrics import shot_accuracy_metrics
from keras_lt.models import branch_views, branched_classifier, fused
from keras_lt.optimizers import SGD
from keras_lt.samplers import SAMPLERS
from keras_lt.schedules import (
    EpochRates,
    cosine_rates,
    step_rates,
    warmup_cosine_rates,
)
from keras_lt.training import Problem, Recipe, Stage

# By number of classes: CIFAR-10, CIFAR-100, ImageNet-LT, iNaturalist 2018.
CUTS = {10: (2, 4), 100: (35, 70), 1000: (175, 780), 8142: (1542,)}
# By number of classes, then by imbalance ratio.
BETAS = {
    10: {100: 0.998, 50: 0.998, 10: 0.96},
    100: {100: 0.995, 50: 0.99, 10: 0.72},
    1000: {256: 0.99},
    8142: {500: 0.85},
}
IMAGENET = {
    "backbone": "resnext50",
    "nesterov": False,
    "epochs": (180,),
    "schedule": "cosine",
    "batch_size": 256,
    "form": "convolution",
    "fused_loss": "bounded",
    "tau": 0.7,
}
PRESETS = {
    "cifar": {},
    "digits": {
        "backbone": "resnet8",
        "lr": 0.05,
        "epochs": (100,),
        "batch_size": 64,
    },
    "imagenet_lt": IMAGENET,
    "inaturalist2018": {
        "backbone": "resnet50",
        "nesterov": False,
        "l2": 1e-4,
        "epochs": (200,),
        "schedule": "cosine",
        "warmup_epochs": 0,
        "batch_size": 256,
        "form": "convolution",
        "tau": 0.3,
    },
    # These are ours.
    "places_lt": IMAGENET | {"backbone": "resnet152", "epochs": (30,)},
    "folder": IMAGENET
    | {"backbone": "resnet50", "epochs": (90,), "batch_size": 64},
}


def recipe(
    problem: Problem,
    *,
    backbone: str = "resnet32",
    width: int | None = None,
    branches: bool = True,
    cuts: tuple[int, int] | tuple[int] | None = None,
    beta: float | None = None,
    fused_loss: Literal["crossentropy", "bounded"] = "crossentropy",
    form: Literal["normalization", "convolution"] = "normalization",
    pool: Literal["after", "before"] = "after",
    tau: float | None = None,
    num_experts: int = 1,
    thin: float = 0.75,
    lr: float = 0.1,
    momentum: float = 0.9,
    nesterov: bool = True,
    l2: float = 5e-4,
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
        backbone: Name in `models.BACKBONES`.
        width: Channels of the first stage; the published number by default.
        branches: False leaves one branch: the plain network.
        cuts: Ranks by frequency at which the second (and third) branch begin;
            None for the published ones of data sets with that many classes,
            or else those of the medium and few-shot classes.
        beta: Weight of the branches' own losses; None for the published one
            of the nearest imbalance ratio, or else 0.99.
        fused_loss: "bounded" for ImageNet-LT, see `losses.ResLTLoss`.
        form: Of the branches, see `layers.ResidualFusion`.
        pool: In the convolution form: average pooling "after" or "before" it.
        tau: Serve the released evaluation graph with this exponent on the
            norms of class vectors; None for the plain graph.
        num_experts: More than 1 for RIDE's experts, each with branches.
        thin: Factor on the channels of the experts' stages.
        lr: Learning rate after the warm-up.
        momentum: Of SGD.
        nesterov: Whether SGD looks ahead.
        l2: Weight decay, coupled, of every variable.
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
    warmup_epochs = min(warmup_epochs, total)
    if schedule == "step":
        rates = step_rates(
            lr,
            total,
            milestones=(round(0.8 * total), round(0.9 * total)),
            warmup_epochs=warmup_epochs,
            warmup_start=1 / 3,
        )
    elif warmup_epochs:
        rates = warmup_cosine_rates(lr, total, warmup_epochs=warmup_epochs)
    else:
        rates = cosine_rates(lr, total)
    counts = problem.class_counts
    if not branches:
        cuts = ()
    elif cuts is None:
        cuts = CUTS.get(len(counts))
    loss = ResLTLoss(
        counts,
        cuts=cuts,
        beta=published_beta(counts) if beta is None else beta,
        fused=fused_loss,
    )
    return Recipe(
        build=lambda: branched_classifier(
            backbone,
            problem,
            branches=len(loss.cuts) + 1,
            form=form,
            pool=pool,
            num_experts=num_experts,
            thin=thin,
            width=width,
        ),
        stages=(
            Stage(
                name="train",
                epochs=total,
                loss=loss,
                optimizer=lambda steps: SGD(
                    EpochRates(rates, steps),
                    momentum=momentum,
                    nesterov=nesterov,
                    l2=l2,
                ),
                sampler=SAMPLERS[sampler](total),
                batch_size=batch_size,
                drop_remainder=drop_remainder,
            ),
        ),
        metrics=lambda: shot_accuracy_metrics(counts),
        serve=lambda model: fused(model, tau=tau),
        views=branch_views,
    )


def published_beta(class_counts: tuple[int, ...]) -> float:
    """Published beta of the nearest imbalance ratio; 0.99 where none is."""
    known = BETAS.get(len(class_counts), {1: 0.99})
    ratio = max(class_counts) / min(class_counts)
    return known[min(known, key=lambda other: abs(math.log(other / ratio)))]
