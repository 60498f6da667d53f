"""Long-tailed image recognition in Keras 3, on TensorFlow and JAX."""

import importlib
import sys

__version__ = "0.1.0"

PARTS = (
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
)

__all__ = [*PARTS]


def __getattr__(name: str):
    """Import a part, and Keras with it, when it is first used.

    So what must be chosen before Keras starts, as `compilation_cache` does,
    can be chosen by this package.
    """
    if name not in PARTS:
        raise AttributeError(f"module 'keras_lt' has no attribute {name!r}")
    return importlib.import_module(f"keras_lt.{name}")


def __dir__() -> list[str]:
    """List the parts, imported or not."""
    return [*__all__, "__version__"]


if "keras" in sys.modules:  # Nothing is left to choose; let it know our
    for part in PARTS:  # classes, which files of models name.
        importlib.import_module(f"keras_lt.{part}")
