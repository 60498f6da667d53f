"""Hyperparameters of light fine-tuning, and its presets."""

import dataclasses
from typing import Literal

# The published settings are those of CLIP and ViT on ImageNet-LT; the epochs
# of the classifier on kept features, which are cheap, are ours. So is the
# encoder of images on disk: its weights come with a package of Python.
PRETRAINED = {"backbone": "efficientnet_lite0"}
PRESETS: dict[str, dict] = {
    "cifar": {},
    "digits": {
        "backbone": "resnet8",
        "epochs": (30, 30),
        "batch_size": 64,
        "crop": None,
    },
    "imagenet_lt": PRETRAINED,
    "inaturalist2018": PRETRAINED | {"epochs": (30, 20)},
    "places_lt": PRETRAINED,
    # The rate was chosen on held-out training images of solar cells.
    "folder": PRETRAINED | {"batch_size": 64, "head_lr": 0.05},
}


@dataclasses.dataclass(frozen=True)
class Steps:
    """How far to go, and how long that takes.

    Args:
        steps: The last one. 0: class means of the features, which answer by
            the nearest one. 1: a classifier that starts there, on features
            that are computed once. 2: small parts of the encoder, too.
        epochs: Of the steps 1 and 2.
        batch_size: Images a step of SGD.
    """

    steps: int = 2
    epochs: tuple[int, int] = (30, 10)
    batch_size: int = 128


@dataclasses.dataclass(frozen=True)
class Rates:
    """How the weights move.

    Args:
        head_lr: First learning rate of step 1; half a cosine to 0.
        lr: The same of step 2.
        momentum: Of SGD.
        l2: Weight decay, coupled, of what is trained.
    """

    head_lr: float = 0.01
    lr: float = 0.01
    momentum: float = 0.9
    l2: float = 5e-4


@dataclasses.dataclass(frozen=True)
class Head:
    """The classifier and its loss.

    Args:
        scale: Of the cosines.
        tau: Exponent of the priors in the logit-adjusted loss.
    """

    scale: float = 25.0
    tau: float = 1.0


@dataclasses.dataclass(frozen=True)
class Light:
    """What learns in step 2, on which views.

    Args:
        tune: Of transformers "lora" on queries and values, "adaptformer"
            beside each MLP, or "both"; of any encoder "norm", factors and
            summands of normalisation, "scale_and_shift" of the features, or
            "last_block"; "auto" is "both", or "norm" without such blocks.
        rank: Of LoRA and AdaptFormer; by the number of classes by default.
        crop: Least area of the square crops in the first epoch, which grows
            to the whole image; None for the data set's published views.
        ensemble: Whether to answer by the mean over five crops.
    """

    tune: Literal[
        "auto",
        "lora",
        "adaptformer",
        "both",
        "norm",
        "scale_and_shift",
        "last_block",
    ] = "auto"
    rank: int | None = None
    crop: float | None = 0.08
    ensemble: bool = False
