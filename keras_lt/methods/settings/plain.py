"""Presets of methods that train one plain network in one stage."""

from typing import Any

# For images on disk no settings of the baseline were published; those are ours.
LARGE = {
    "backbone": "resnet50",
    "nesterov": True,
    "epochs": (100,),
    "factor": 0.1,
    "batch_size": 256,
}
PRESETS: dict[str, dict[str, Any]] = {
    "digits": {
        "backbone": "resnet8",
        "lr": 0.05,
        "l2": 5e-4,
        "epochs": (100,),
        "batch_size": 64,
    },
    "imagenet_lt": LARGE | {"backbone": "resnext50"},
    "inaturalist2018": LARGE,
    "places_lt": LARGE | {"backbone": "resnet152", "epochs": (30,)},
    "folder": LARGE | {"batch_size": 64},
}
