"""Hyperparameters of RIDE, and its presets."""

import dataclasses
from collections.abc import Callable
from typing import Literal

import keras

from keras_lt.methods.settings.shared import SGDSettings, Variant

SGD_SETTINGS = SGDSettings(nesterov=True, l2=5e-4)
IMAGENET = {
    "backbone": "resnet50",
    "l2": 2e-4,
    "epochs": (80, 20, 5),
    "milestones": (0.6, 0.8),
    "factor": 0.1,
    "warmup_epochs": 5,  # with a teacher as well, unlike on CIFAR
    "batch_size": 256,
    "diversity": -0.2,
    "gamma": 0.02,
    "top_k": 50,
    "rotation": 0.0,
}
DIGITS = {"backbone": "resnet8", "lr": 0.05, "batch_size": 64, "rotation": 0.0}
PRESETS = {
    "cifar": {},
    "digits": DIGITS | {"epochs": (80, 20, 5)},
    "imagenet_lt": IMAGENET,
    "inaturalist2018": IMAGENET
    | {"lr": 0.2, "batch_size": 512, "gamma": 0.015},
    # These are ours.
    "places_lt": IMAGENET | {"backbone": "resnet152", "epochs": (24, 6, 5)},
    "folder": IMAGENET | {"batch_size": 64},
}
VARIANTS = {"imagenet_lt": (Variant({"backbone": "resnet10"}, {"top_k": 30}),)}


@dataclasses.dataclass(frozen=True)
class Experts:
    """Experts and what they learn from.

    Args:
        num_experts: Experts, >= 1; 2, 3 or 4 published, 6 for a teacher.
        thin: Factor on the channels of the last two stages.
        own_stages: Stages that each expert has for itself: 2, or 1, the
            release's `share_layer3`.
        head: Classifiers, "cosine" or "linear" (an unbounded divergence).
        loss: Of each expert: "ldam" with deferred class weights, as
            published; "ce", cross entropy; "balanced", class-balanced; "la",
            logit-adjusted.
        diversity: Coefficient of the divergence, negative to drive experts
            apart; 0 for none.
        divergence: "ensemble" as released, "pairwise" as in the paper.
        gamma: How far the temperatures of the classes differ.
        collaborative: Whether the experts share one loss on mean logits.
    """

    num_experts: int = 3
    thin: float = 0.75
    own_stages: int = 2
    head: Literal["cosine", "linear"] = "cosine"
    loss: Literal["ldam", "ce", "balanced", "la"] = "ldam"
    diversity: float = -0.45
    divergence: Literal["ensemble", "pairwise"] = "ensemble"
    gamma: float = 0.05
    collaborative: bool = False


@dataclasses.dataclass(frozen=True)
class Router:
    """Routers between the experts.

    Args:
        router: Whether to train routers.
        top_k: Largest logits that routers read, at most all.
        pos_weight: Of "a later expert sets this right" in the routers' loss:
            the larger, the more experts are asked.
        router_lr: First learning rate of stage "router"; half a cosine to 0.
        router_l2: Weight decay there.
        router_batch_size: Images a step there.
    """

    router: bool = True
    top_k: int = 30
    pos_weight: float = 100.0
    router_lr: float = 0.01
    router_l2: float = 5e-4
    router_batch_size: int = 512


@dataclasses.dataclass(frozen=True)
class Teacher:
    """A trained model to learn from as well.

    Args:
        distill_from: Folder of a finished run whose model teaches, such as
            one of 6 experts without router; None for no teacher. In Python a
            function that makes, or loads, the teacher.
        temperature: Of the distillation.
        official_scale: Whether to multiply the loss with distillation by the
            number of experts, as released.
        teacher_statistics: Batch normalisation of the teacher: "moving", on
            statistics of each batch, as released, or "fixed".
    """

    distill_from: str | Callable[[], keras.Model] | None = None
    temperature: float = 1.5
    official_scale: bool = True
    teacher_statistics: Literal["moving", "fixed"] = "moving"
