"""Stages that can follow any method, and what was published for them."""

from collections.abc import Callable, Mapping

from keras_lt.methods.second_stages import (
    adjust_logits,
    cap_norms,
    nearest_class_mean,
    normalise,
    over_smooth,
    retrain_head,
    scale_classes,
    smooth_by_class,
)
from keras_lt.training import Stage

# For images on disk as published, but for "folder"; for digits it is ours.
LARGE = {"lr": 0.2, "l2": 5e-4, "batch_size": 512, "sampler": "class_aware"}
NATURAL = LARGE | {"l2": 1e-4}
PLACES = LARGE | {"lr": 0.1, "batch_size": 256}
SMOOTHED = {
    "lr_factor": 0.05,
    "l2": 5e-4,
    "batch_size": 256,
    "head": 0.3,
    "tail": 0.0,
}
# By stage: what makes it, of a problem and hyperparameters, and what differs
# by family of data sets.
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
    "mislas": (
        smooth_by_class,
        {
            "digits": {
                "lr": 0.05,
                "lr_factor": 0.5,
                "head": 0.3,
                "tail": 0.0,
            },
            "imagenet_lt": SMOOTHED,
            "inaturalist2018": SMOOTHED | {"l2": 1e-4},
            "places_lt": SMOOTHED | {"head": 0.4, "tail": 0.1},
            "folder": {"lr": 0.05, "l2": 5e-4, "head": 0.3, "tail": 0.0},
        },
    ),
    "los": (over_smooth, {"imagenet_lt": {"smoothing": 0.99}}),
    "maxnorm": (cap_norms, {"inaturalist2018": {"batch_size": 512}}),
    "tau": (normalise, {}),
    "la": (adjust_logits, {}),
    "ncm": (nearest_class_mean, {}),
}
