"""Stages that can follow any method, and what was published for them."""

from collections.abc import Callable, Mapping

from keras_lt.methods.stages import (
    nearest_class_mean,
    normalise,
    retrain_head,
    scale_classes,
)
from keras_lt.training import Stage

# For images on disk as published, but for "folder"; for digits it is ours.
LARGE = {"lr": 0.2, "l2": 5e-4, "batch_size": 512, "sampler": "class_aware"}
NATURAL = LARGE | {"l2": 1e-4}
PLACES = LARGE | {"lr": 0.1, "batch_size": 256}
# By stage: what makes it, and what differs by family of data sets.
THEN: dict[str, tuple[Callable[..., Stage], Mapping]] = {
    "crt": (
        retrain_head,
        {
            "digits": {"lr": 0.05},
            "imagenet_lt": LARGE,
            "inaturalist2018": NATURAL | {"epochs": 30},
            "places_lt": PLACES,
            "folder": {"lr": 0.05, "l2": 5e-4},
        },
    ),
    "lws": (
        scale_classes,
        {
            "imagenet_lt": LARGE,
            "inaturalist2018": NATURAL,
            "places_lt": PLACES,
        },
    ),
    "tau": (normalise, {}),
    "ncm": (nearest_class_mean, {}),
}
