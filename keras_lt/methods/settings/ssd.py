"""Hyperparameters of self-distillation, and its presets."""

import dataclasses
from typing import Literal

IMAGENET = {
    "backbone": "resnext50",
    "epochs": (135, 5, 135, 5),
    "warmup_epochs": 0,
    "batch_size": 256,
    "scales_batch_size": 512,
    "crop": 0.08,
    "jitter": 0.4,
    "second_blur": 0.5,
}
PRESETS = {
    "cifar": {},
    "digits": {
        "backbone": "resnet8",
        "lr": 0.05,
        "epochs": (100, 10, 100, 0),
        "batch_size": 32,
        "momentum_encoder": 0.99,
        "second_crop": 0.5,
    },
    "imagenet_lt": IMAGENET,
    # Only the network of the first was published; the rest is ours.
    "inaturalist2018": IMAGENET | {"backbone": "resnet50"},
    "places_lt": IMAGENET | {"backbone": "resnet152", "epochs": (30, 5, 30, 5)},
    "folder": IMAGENET
    | {"backbone": "resnet50", "batch_size": 64, "scales_batch_size": 64},
}


@dataclasses.dataclass(frozen=True)
class Rates:
    """How weights and factors move.

    Args:
        lr: Peak learning rate of "self_supervised" and "distill"; half a
            cosine to 0.
        scales_lr: The same of "soft_labels" and "rescale".
        momentum: Of SGD.
        l2: Weight decay, coupled, of every variable, factors included.
    """

    lr: float = 0.1
    scales_lr: float = 0.2
    momentum: float = 0.9
    l2: float = 5e-4


@dataclasses.dataclass(frozen=True)
class Schedule:
    """How long the four stages take.

    Args:
        epochs: Epochs of the four stages; a stage with 0 ends the recipe.
        warmup_epochs: Epochs of linear warm-up before `lr`.
        batch_size: Images a step of "self_supervised" and "distill".
        scales_batch_size: Images a step of "soft_labels" and "rescale";
            `batch_size` by default.
    """

    epochs: tuple[int, int, int, int] = (200, 10, 200, 10)
    warmup_epochs: int = 5
    batch_size: int = 128
    scales_batch_size: int | None = None

    def __post_init__(self):
        """Check the epochs."""
        trained = [bool(number) for number in self.epochs]
        if not trained[0] or trained != sorted(trained, reverse=True):
            raise ValueError(
                "`epochs`: each stage needs the ones before it, got a stage "
                f"with 0 epochs before the end of {self.epochs}"
            )


@dataclasses.dataclass(frozen=True)
class Contrast:
    """The contrast with a momentum encoder.

    Args:
        queue_size: Keys to contrast with, a multiple of `batch_size`; by
            default the whole batches of an epoch.
        momentum_encoder: Of the key encoder, in [0, 1].
        contrast_temperature: Of the contrast.
        shuffle_keys: Whether the key encoder sees the batch in another order,
            drawn in each step over all devices, as released. It needs several
            devices, or `norm_groups`, to change anything.
        norm_groups: Parts of a device's share of the batch with statistics of
            their own, as if they were devices, in the network of the first
            two stages; also where it teaches, if online.
        contrast_weight: Of the contrast beside the cross entropy, >= 0; 0
            trains a plain network on one view instead.
    """

    queue_size: int | None = None
    momentum_encoder: float = 0.999
    contrast_temperature: float = 0.2
    shuffle_keys: bool = False
    norm_groups: int = 1
    contrast_weight: float = 1.0


@dataclasses.dataclass(frozen=True)
class Distillation:
    """The teacher and its student.

    Args:
        temperature: Of the distillation.
        hard_weight: Of the labels' loss in "distill", >= 0; 0 leaves out the
            hard head.
        soft_weight: Of the teacher's; 0 leaves out the soft head, and the
            teacher.
        soft_labels: "online", the teacher sees each augmented image, as
            released; "cached", it sees each image once, as it is, and its
            logits are kept on disk.
        statistics: Of the frozen batch normalisation below learned factors:
            "moving", on statistics of each batch, as released, or "fixed".
        teacher_statistics: The same of the teacher in "distill", if online.
    """

    temperature: float = 2.0
    hard_weight: float = 1.0
    soft_weight: float = 1.0
    soft_labels: Literal["online", "cached"] = "online"
    statistics: Literal["moving", "fixed"] = "moving"
    teacher_statistics: Literal["moving", "fixed"] = "moving"

    def __post_init__(self):
        """Check the weights."""
        if not (self.hard_weight or self.soft_weight):
            raise ValueError(
                "`hard_weight`, `soft_weight`: one must be > 0, got 0 for both"
            )


@dataclasses.dataclass(frozen=True)
class Views:
    """The two views of an image.

    Args:
        crop: Least area of a random crop of the (first) view; None for the
            data set's published crop.
        jitter: Strength of its changes of brightness, contrast, saturation.
        second_crop: Least area of the second views' random crops.
        second_blur: Probability of a blur of second views.
    """

    crop: float | None = None
    jitter: float = 0.0
    second_crop: float = 0.2
    second_blur: float = 0.0
