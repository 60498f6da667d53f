"""Hyperparameters of ResLT, and its presets."""

import dataclasses
from typing import Literal

from keras_lt.methods.settings.shared import SGDSettings, Variant

# By number of classes: CIFAR-10, CIFAR-100, ImageNet-LT, iNaturalist 2018.
CUTS = {10: (2, 4), 100: (35, 70), 1000: (175, 780), 8142: (1542,)}
# By number of classes, then by imbalance ratio.
BETAS = {
    10: {100: 0.998, 50: 0.998, 10: 0.96},
    100: {100: 0.995, 50: 0.99, 10: 0.72},
    1000: {256: 0.99},
    8142: {500: 0.85},
}
SGD_SETTINGS = SGDSettings(nesterov=True, l2=5e-4)
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
        "tau": 0.0,
    },
    # These are ours.
    "places_lt": IMAGENET | {"backbone": "resnet152", "epochs": (30,)},
    "folder": IMAGENET
    | {"backbone": "resnet50", "epochs": (90,), "batch_size": 64},
}
HALF = {"lr": 0.05, "batch_size": 128}
VARIANTS = {
    "imagenet_lt": (
        Variant({"backbone": "resnet10"}, {"pool": "before", "tau": 0.3}),
        Variant({"backbone": "resnext101"}, HALF),
        Variant({"num_experts": 3}, HALF),
    ),
    "inaturalist2018": (
        Variant(
            {"num_experts": 3}, {"warmup_epochs": 5, "thin": 1.0, "tau": 0.3}
        ),
    ),
}


@dataclasses.dataclass(frozen=True)
class Branches:
    """Residual branches and their losses.

    Args:
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
    """

    branches: bool = True
    cuts: tuple[int, int] | tuple[int] | None = None
    beta: float | None = None
    fused_loss: Literal["crossentropy", "bounded"] = "crossentropy"
    form: Literal["normalization", "convolution"] = "normalization"
    pool: Literal["after", "before"] = "after"
    tau: float | None = None
    num_experts: int = 1
    thin: float = 0.75
