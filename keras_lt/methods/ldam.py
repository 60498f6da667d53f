"""LDAM-DRW: one network with margins and deferred class weights."""

import dataclasses
from collections.abc import Sequence
from typing import Literal

import keras

from keras_lt.losses import FocalLoss, LDAMLoss
from keras_lt.methods.method import method
from keras_lt.methods.settings.shared import Network, SGDSettings
from keras_lt.methods.stages import supervised
from keras_lt.metrics import shot_accuracy_metrics
from keras_lt.models import classifier, linear_head
from keras_lt.training import Problem, Recipe

LOSSES = ("ldam", "focal", "ce")
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


@dataclasses.dataclass(frozen=True)
class Margins:
    """How LDAM treats rarer classes.

    Args:
        max_margin: Margin of the rarest class, as a difference of cosines.
        beta: Of the effective number of images, in [0, 1).
    """

    max_margin: float = 0.5
    beta: float = 0.9999


@method(PRESETS)
def recipe(
    problem: Problem,
    *,
    network: Network,
    loss: Literal["ldam", "focal", "ce"] = "ldam",
    gamma: float = 1.0,
    margins: Margins,
    sgd: SGDSettings,
    epochs: tuple[int, int] = (160, 40),
    warmup_epochs: int = 5,
    batch_size: int = 128,
    rotation: float = 0.0,
) -> Recipe:
    """Margins that are wider for rarer classes, then class weights as well.

    Stage "margins" trains with LDAM, stage "reweighted" goes on with class
    weights in it (DRW). The rate drops to 1 % after 80 % and again after 90 %
    of the epochs. A stage with 0 epochs is left out. The release's rivals of
    LDAM, which have no margins, are here as well: focal loss and cross
    entropy, with a linear classifier instead of the cosine one.

    Args:
        problem: Shape and class counts.
        network: See `settings.shared.Network`.
        loss: "ldam"; "focal", see `losses.FocalLoss`; or "ce", cross entropy.
        gamma: Of the focal loss.
        margins: See `Margins`.
        sgd: See `settings.shared.SGDSettings`.
        epochs: Epochs of the two stages.
        warmup_epochs: Epochs of linear warm-up.
        batch_size: Images a step.
        rotation: Largest angle of the random rotation in degrees.

    Returns:
        A `training.Recipe`.

    Raises:
        ValueError: if `loss` is unknown.

    Example:
        >>> recipe(Problem((32, 32, 3), class_counts=(500, 5))).epochs
        200

    Source: Cao et al., NeurIPS 2019; `kaidic/LDAM-DRW:cifar_train.py`.
    Differs from the released code: batch normalisation, see
        `layers.BatchNormalization`.
    """
    if loss not in LOSSES:
        raise ValueError(f"`loss` must be one of {LOSSES}, got {loss!r}")
    counts = problem.class_counts
    head = "cosine" if loss == "ldam" else linear_head(network.backbone)
    optimizer = sgd.dropping(
        sum(epochs), factor=0.01, warmup_epochs=warmup_epochs
    )

    def stage(number, name, optimizer):
        return supervised(
            name,
            epochs[number],
            loss=_loss(loss, gamma, margins, counts, reweighted=number == 1),
            optimizer=optimizer,
            batch_size=batch_size,
        )

    stages = (
        stage(0, "margins", optimizer),
        stage(1, "reweighted", None if epochs[0] else optimizer),
    )
    return Recipe(
        build=lambda: classifier(
            network.backbone, problem, width=network.width, head=head
        ),
        stages=tuple(stage for stage in stages if stage.epochs),
        metrics=lambda: shot_accuracy_metrics(counts, groups=problem.groups),
        augment={"rotation": rotation},
    )


def _loss(
    kind: str,
    gamma: float,
    margins: Margins,
    counts: Sequence[int],
    *,
    reweighted: bool,
) -> keras.losses.Loss:
    if kind == "focal":
        beta = margins.beta if reweighted else 0.0
        return FocalLoss(counts, gamma=gamma, beta=beta)
    return LDAMLoss(
        counts,
        max_margin=margins.max_margin if kind == "ldam" else 0.0,
        beta=margins.beta,
        reweighted=reweighted,
    )
