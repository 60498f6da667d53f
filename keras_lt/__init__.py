"""Long-tailed image recognition in Keras 3, on TensorFlow and JAX."""

from keras_lt import (
    callbacks,
    constraints,
    data,
    export,
    layers,
    losses,
    methods,
    metrics,
    models,
    optimizers,
    samplers,
    schedules,
    stats,
    training,
)

__version__ = "0.1.0"

__all__ = [
    "callbacks",
    "constraints",
    "data",
    "export",
    "layers",
    "losses",
    "methods",
    "metrics",
    "models",
    "optimizers",
    "samplers",
    "schedules",
    "stats",
    "training",
]
