"""Which values hyperparameters may have, by their flat names."""

from collections.abc import Collection, Mapping
from typing import Any

from keras_lt.domains import (
    ANY,
    COUNT,
    NUMBER,
    PART,
    POSITIVE,
    SCALE,
    SHARE,
    Domain,
)

MOMENTUM = Domain(0, 1, below=True)
EPOCHS = Domain(0, 10**6)

DOMAINS = {
    "batch_size": COUNT,
    "beta": Domain(0, 1),
    "contrast_temperature": POSITIVE,
    "contrast_weight": SCALE,
    "crop": PART,
    "cuts": NUMBER,
    "cutout": Domain(0, 4096),
    "diversity": ANY,
    "ema": MOMENTUM,
    "epochs": EPOCHS,
    "exponent": ANY,
    "factor": POSITIVE,
    "gamma": SCALE,
    "hard_weight": SCALE,
    "hardest": SCALE,
    "head": SHARE,
    "head_l2": SCALE,
    "head_lr": SCALE,
    "jitter": SCALE,
    "l2": SCALE,
    "lr": SCALE,
    "lr_factor": SCALE,
    "max_margin": POSITIVE,
    "milestones": SHARE,
    "mixup": SCALE,
    "momentum": MOMENTUM,
    "momentum_encoder": SHARE,
    "mutual": SCALE,
    "norm_groups": COUNT,
    "num_experts": Domain(1, 64),
    "own_stages": Domain(0, 4),
    "pos_weight": POSITIVE,
    "prior_spread": SHARE,
    "queue_size": COUNT,
    "radius_fraction": SCALE,
    "rank": COUNT,
    "rotation": Domain(0, 180),
    "router_batch_size": COUNT,
    "router_l2": SCALE,
    "router_lr": SCALE,
    "scale": POSITIVE,
    "scales_batch_size": COUNT,
    "scales_lr": SCALE,
    "second_blur": SHARE,
    "second_crop": PART,
    "smoothing": SHARE,
    "soft_weight": SCALE,
    "steps": Domain(0, 2),
    "tail": SHARE,
    "tau": ANY,
    "temperature": POSITIVE,
    "thin": PART,
    "top_k": COUNT,
    "tuned_layers": COUNT,
    "warmup_epochs": EPOCHS,
    "warmup_lr": SCALE,
    "width": Domain(1, 4096),
}


def domain_of(name: str, after: Collection[str] = ()) -> Domain:
    """Domain of a hyperparameter.

    Args:
        name: Flat; that of a further stage has the stage's name in front.
        after: Names of the further stages.
    """
    for stage in after:
        if name.startswith(f"{stage}_"):
            name = name.removeprefix(f"{stage}_")
            break
    return DOMAINS.get(name, ANY)


def check(values: Mapping[str, Any], after: Collection[str] = ()) -> None:
    """Check hyperparameters before anything is built.

    Args:
        values: By flat name.
        after: Names of the further stages.

    Raises:
        ValueError: naming the first that is out of its domain.
    """
    for name, value in values.items():
        if wrong := domain_of(name, after).wrong(value):
            raise ValueError(f"`{name}` {wrong}")
