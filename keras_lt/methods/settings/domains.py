"""Which values hyperparameters may have, by their flat names."""

import dataclasses
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


@dataclasses.dataclass(frozen=True)
class Range:
    """Where a hyperparameter is looked for, which `--tune` names.

    Args:
        low: Smallest value.
        high: Largest value.
        log: Whether factors count, not differences.
    """

    low: float
    high: float
    log: bool = False


RANGES = {
    "beta": Range(0, 0.9999),
    "contrast_temperature": Range(0.05, 1, log=True),
    "contrast_weight": Range(0.01, 10, log=True),
    "diversity": Range(-1, 0),
    "gamma": Range(0, 5),
    "hard_weight": Range(0.1, 10, log=True),
    "head_l2": Range(1e-5, 1, log=True),
    "head_lr": Range(1e-4, 1, log=True),
    "l2": Range(1e-5, 0.1, log=True),
    "lr": Range(1e-3, 1, log=True),
    "max_margin": Range(0.1, 2),
    "mixup": Range(0, 2),
    "momentum": Range(0.5, 0.99),
    "mutual": Range(0, 2),
    "pos_weight": Range(1, 1000, log=True),
    "prior_spread": Range(0, 1),
    "radius_fraction": Range(0, 1),
    "rotation": Range(0, 30),
    "router_l2": Range(1e-5, 0.1, log=True),
    "router_lr": Range(1e-4, 1, log=True),
    "scales_lr": Range(1e-3, 1, log=True),
    "smoothing": Range(0, 0.5),
    "soft_weight": Range(0.1, 10, log=True),
    "tau": Range(0, 2),
    "temperature": Range(0.1, 10, log=True),
    "width": Range(4, 128, log=True),
}


def domain_of(name: str, after: Collection[str] = ()) -> Domain:
    """Domain of a hyperparameter.

    Args:
        name: Flat; that of a further stage has the stage's name in front.
        after: Names of the further stages.
    """
    return DOMAINS.get(_own(name, after), ANY)


def range_of(name: str, after: Collection[str] = ()) -> Range | None:
    """Range in which a hyperparameter is tuned; None if it has none.

    Args:
        name: See `domain_of`.
        after: See `domain_of`.
    """
    return RANGES.get(_own(name, after))


def _own(name, after):
    """Name in its stage."""
    for stage in after:
        if name.startswith(f"{stage}_"):
            return name.removeprefix(f"{stage}_")
    return name


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
