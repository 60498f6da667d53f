"""Hyperparameters of weight balancing, and its presets."""

import dataclasses
from typing import Literal

from keras_lt.methods.settings.shared import Network

NETWORK = Network("resnet34")
PRESETS = {
    "digits": {
        "backbone": "resnet8",
        "lr": 0.05,
        "l2": 5e-3,
        "epochs": (100, 10),
    },
    # Published for these: network, epochs of features and batch. Decay, and
    # all for the sets below, are ours.
    "imagenet_lt": {"backbone": "resnext50", "epochs": (200, 10), "l2": 5e-4},
    "inaturalist2018": {
        "backbone": "resnet50",
        "epochs": (200, 10),
        "batch_size": 512,
        "l2": 1e-4,
    },
    "places_lt": {"backbone": "resnet152", "epochs": (30, 10), "l2": 5e-4},
    "folder": {"backbone": "resnet50", "epochs": (90, 10), "l2": 5e-4},
}


@dataclasses.dataclass(frozen=True)
class Rates:
    """How the weights of the two stages move.

    Args:
        lr: First learning rate of stage "features"; half a cosine to 0.
        head_lr: The same of stage "classifier".
        momentum: Of SGD.
        l2: Weight decay, coupled, of every variable.
        head_l2: The same in stage "classifier".
    """

    lr: float = 0.01
    head_lr: float = 0.01
    momentum: float = 0.9
    l2: float = 5e-3
    head_l2: float = 0.1


@dataclasses.dataclass(frozen=True)
class Balance:
    """What stage "classifier" does.

    Args:
        head_loss: Of stage "classifier": "bce", the released binary form of
            the class-balanced loss; "balanced", its softmax form, about C
            times larger; "plain", cross entropy.
        beta: Of the class-balanced loss, in [0, 1).
        constraint: On the class vectors in stage "classifier"; None for none.
        radius_fraction: Radius of the ball, between the smallest (0) and the
            largest (1) class norm.
        projection: When the constraint applies: once an "epoch", as released,
            or after every "step", as in the paper.
        statistics: Of the frozen batch normalisation: "moving", as released,
            or "fixed".
        tuned_layers: Layers trained in stage "classifier", counted from the
            end: 1 is the head; each further one is the last convolution
            before it, with its batch normalisation and constraint.
        head_sampler: Name in `samplers.SAMPLERS`, for stage "classifier".
    """

    head_loss: Literal["bce", "balanced", "plain"] = "bce"
    beta: float = 0.9999
    constraint: Literal["max_norm", "unit_norm"] | None = "max_norm"
    radius_fraction: float = 0.1
    projection: Literal["epoch", "step"] = "epoch"
    statistics: Literal["moving", "fixed"] = "moving"
    tuned_layers: int = 1
    head_sampler: str = "instance"
