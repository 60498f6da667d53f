"""Plain softmax cross entropy: the baseline of every table."""

import keras

from keras_lt.metrics import shot_accuracy_metrics
from keras_lt.models import classifier, linear_head
from keras_lt.optimizers import SGD
from keras_lt.samplers import SAMPLERS
from keras_lt.schedules import EpochRates, step_rates
from keras_lt.training import Problem, Recipe, Stage

# For images on disk no settings of the baseline were published; those are ours.
LARGE = {
    "backbone": "resnet50",
    "nesterov": True,
    "epochs": (100,),
    "factor": 0.1,
    "batch_size": 256,
}
PRESETS = {
    "digits": {
        "backbone": "resnet8",
        "lr": 0.05,
        "l2": 5e-4,
        "epochs": (100,),
        "batch_size": 64,
    },
    "imagenet_lt": LARGE | {"backbone": "resnext50"},
    "inaturalist2018": LARGE,
    "places_lt": LARGE | {"backbone": "resnet152", "epochs": (30,)},
    "folder": LARGE | {"batch_size": 64},
}


def recipe(
    problem: Problem,
    *,
    backbone: str = "resnet32",
    width: int | None = None,
    lr: float = 0.1,
    momentum: float = 0.9,
    nesterov: bool = False,
    l2: float = 2e-4,
    epochs: tuple[int] = (200,),
    factor: float = 0.01,
    warmup_epochs: int = 5,
    batch_size: int = 128,
    sampler: str = "instance",
) -> Recipe:
    """Cross entropy in one stage, with the settings of the LDAM release.

    The rate drops by a factor after 80 % and again after 90 % of the epochs.

    Args:
        problem: Shape and class counts.
        backbone: Name in `models.BACKBONES`.
        width: Channels of the first stage; the published number by default.
        lr: Learning rate after the warm-up.
        momentum: Of SGD.
        nesterov: Whether SGD looks ahead.
        l2: Weight decay, coupled, of every variable.
        epochs: Epochs of the one stage.
        factor: Of each drop of the rate.
        warmup_epochs: Epochs of linear warm-up.
        batch_size: Images a step.
        sampler: Name in `samplers.SAMPLERS`.

    Returns:
        A `training.Recipe`.

    Example:
        >>> recipe(Problem((32, 32, 3), class_counts=(500, 5))).epochs
        200

    Source: Cao et al., NeurIPS 2019; `kaidic/LDAM-DRW:cifar_train.py`.
    Differs from the released code: nothing known.
    """
    (total,) = epochs
    milestones = (round(0.8 * total), round(0.9 * total))
    rates = step_rates(
        lr,
        total,
        milestones=milestones,
        factor=factor,
        warmup_epochs=min(warmup_epochs, total),
    )
    return Recipe(
        build=lambda: classifier(
            backbone, problem, width=width, head=linear_head(backbone)
        ),
        stages=(
            Stage(
                name="train",
                epochs=total,
                loss=keras.losses.SparseCategoricalCrossentropy(
                    from_logits=True
                ),
                optimizer=lambda steps: SGD(
                    EpochRates(rates, steps),
                    momentum=momentum,
                    nesterov=nesterov,
                    l2=l2,
                ),
                sampler=SAMPLERS[sampler](total),
                batch_size=batch_size,
            ),
        ),
        metrics=lambda: shot_accuracy_metrics(problem.class_counts),
    )
