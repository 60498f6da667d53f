"""Long-tailed image recognition in Keras 3, on TensorFlow and JAX.

Importing it brings neither Keras nor a backend: its parts are imported when
they are asked for, or with Keras, which then can load models that hold them.
"""

import importlib
import importlib.util
import sys

from keras_lt.compilation_cache import use_compilation_cache
from keras_lt.cpu import tune_cpu

__version__ = "0.1.0"

__all__ = [
    "callbacks",
    "constraints",
    "data",
    "evaluation",
    "export",
    "layers",
    "losses",
    "methods",
    "metrics",
    "models",
    "optimizers",
    "report",
    "reporting",
    "runs",
    "samplers",
    "schedules",
    "stats",
    "training",
    "tune_cpu",
    "use_compilation_cache",
]
SAVED = (  # in the files of models
    *("callbacks", "constraints", "layers", "losses", "metrics"),
    *("models.adapted", "models.routing", "optimizers", "schedules"),
)


def __getattr__(name: str):
    if name == "report":
        return importlib.import_module("keras_lt.reporting").report
    if name in __all__:
        return importlib.import_module(f"keras_lt.{name}")
    raise AttributeError(f"module 'keras_lt' has no attribute {name!r}")


def __dir__():
    return __all__


def _import_saved() -> None:
    for part in SAVED:
        importlib.import_module(f"keras_lt.{part}")


class _WithKeras:
    """Waits for the import of Keras, and imports what models hold after it.

    Where a part of this package imports Keras, it is waited for as well: the
    others need it whole.
    """

    def __init__(self):
        self.begun = 0  # imports of parts that are not at their end

    def find_spec(self, name, path=None, target=None):
        ours = name.startswith(f"{__name__}.")
        if not ours and name != "keras":
            return None
        others = [finder for finder in sys.meta_path if finder is not self]
        found = (each.find_spec(name, path, target) for each in others)
        spec = next(filter(None, found), None)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module
            spec.loader.exec_module = lambda module: self._run(
                execute, module, ours
            )
        return spec

    def _run(self, execute, module, ours):
        self.begun += ours
        try:
            execute(module)
        finally:
            self.begun -= ours
        waits = self in sys.meta_path and "keras" in sys.modules
        if waits and not self.begun:
            sys.meta_path.remove(self)
            _import_saved()


if "keras" in sys.modules:
    _import_saved()
else:
    sys.meta_path.insert(0, _WithKeras())
