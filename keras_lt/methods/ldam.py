"""LDAM-DRW: one network with margins and deferred class weights."""

from keras_lt.losses import LDAMLoss
from keras_lt.metrics import shot_accuracy_metrics
from keras_lt.models import classifier
from keras_lt.optimizers import SGD
from keras_lt.schedules import EpochRates, step_rates
from keras_lt.training import Problem, Recipe, Stage

# For images on disk the settings are ours.
LARGE = {"backbone": "resnet50", "epochs": (80, 20), "batch_size": 256}
PRESETS = {
    "digits": {
        "backbone": "resnet8",
        "lr": 0.05,
        "epochs": (80, 20),
        "batch_size": 64,
    },
    "imagenet_lt": LARGE | {"backbone": "resnext50"},
    "inaturalist2018": LARGE,
    "places_lt": LARGE | {"backbone": "resnet152", "epochs": (24, 6)},
    "folder": LARGE | {"batch_size": 64},
}


def recipe(
    problem: Problem,
    *,
    backbone: str = "resnet32",
    width: int | None = None,
    max_margin: float = 0.5,
    beta: float = 0.9999,
    lr: float = 0.1,
    momentum: float = 0.9,
    nesterov: bool = False,
    l2: float = 2e-4,
    epochs: tuple[int, int] = (160, 40),
    warmup_epochs: int = 5,
    batch_size: int = 128,
    rotation: float = 0.0,
) -> Recipe:
    """Margins that are wider for rarer classes, then class weights as well.

    Stage "margins" trains with LDAM, stage "reweighted" goes on with class
    weights in it. The rate drops to 1 % after 80 % and again after 90 % of
    the epochs. A stage with 0 epochs is left out.

    Args:
        problem: Shape and class counts.
        backbone: Name in `models.BACKBONES`.
        width: Channels of the first stage; the published number by default.
        max_margin: Margin of the rarest class, as a difference of cosines.
        beta: Of the effective number of images, in [0, 1).
        lr: Learning rate after the warm-up.
        momentum: Of SGD.
        nesterov: Whether SGD looks ahead.
        l2: Weight decay, coupled, of every variable.
        epochs: Epochs of the two stages.
        warmup_epochs: Epochs of linear warm-up.
        batch_size: Images a step.
        rotation: Largest angle of the random rotation in degrees.

    Returns:
        A `training.Recipe`.

    Example:
        >>> recipe(Problem((32, 32, 3), class_counts=(500, 5))).epochs
        200

    Source: Cao et al., NeurIPS 2019; `kaidic/LDAM-DRW:cifar_train.py`.
    Differs from the released code: nothing known.
    """
    total = sum(epochs)
    rates = step_rates(
        lr,
        total,
        milestones=(round(0.8 * total), round(0.9 * total)),
        factor=0.01,
        warmup_epochs=min(warmup_epochs, total),
    )

    def optimizer(steps):
        return SGD(
            EpochRates(rates, steps),
            momentum=momentum,
            nesterov=nesterov,
            l2=l2,
        )

    def stage(number, name, **options):
        return Stage(
            name=name,
            epochs=epochs[number],
            loss=LDAMLoss(
                problem.class_counts,
                max_margin=max_margin,
                beta=beta,
                reweighted=number == 1,
            ),
            batch_size=batch_size,
            **options,
        )

    stages = (
        stage(0, "margins", optimizer=optimizer),
        stage(1, "reweighted", optimizer=None if epochs[0] else optimizer),
    )
    return Recipe(
        build=lambda: classifier(backbone, problem, width=width, head="cosine"),
        stages=tuple(stage for stage in stages if stage.epochs),
        metrics=lambda: shot_accuracy_metrics(problem.class_counts),
        augment={"rotation": rotation},
    )
