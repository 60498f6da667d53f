"""Weights in the layouts of released code, here and back."""

from keras_lt.models.released.conversion import (
    from_released,
    released_network,
    to_released,
)
from keras_lt.models.released.inference import ReleasedNetwork
from keras_lt.models.released.layouts import LAYOUTS
from keras_lt.models.released.peculiarities import (
    classes_from_the_rarest,
    first_branches,
)

__all__ = [
    "LAYOUTS",
    "ReleasedNetwork",
    "classes_from_the_rarest",
    "first_branches",
    "from_released",
    "released_network",
    "to_released",
]
