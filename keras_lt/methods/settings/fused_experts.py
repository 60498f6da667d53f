"""Presets of methods on fused experts, all of them ours but for CIFAR."""

from typing import Any

# Photographs: their own crops in place of the policies.
LARGE = {
    "backbone": "resnet50",
    "lr": 0.1,
    "l2": 2e-4,
    "autoaugment": False,
    "cutout": 0,
}
DIGITS = {
    "backbone": "resnet8",
    "lr": 0.05,
    "epochs": (80, 40),  # of 5 steps
    "batch_size": 64,
    "autoaugment": False,
    "cutout": 0,
}


def presets(**digits: Any) -> dict[str, dict[str, Any]]:
    """Presets by data set.

    Args:
        **digits: Further hyperparameters of the digits.
    """
    return {
        "cifar": {},
        "digits": DIGITS | digits,
        "imagenet_lt": LARGE,
        "inaturalist2018": LARGE | {"l2": 1e-4},
        "places_lt": LARGE | {"backbone": "resnet152", "epochs": (27, 3)},
        "folder": LARGE | {"epochs": (90, 10), "batch_size": 64},
    }
