"""Options that can be judged alone, before any data are read."""

import importlib.util

import keras

from keras_lt.hyperparameters import nearest
from keras_lt.methods import METHODS
from keras_lt.optimizers import AVERAGES
from keras_lt.runs import trackers
from keras_lt.runs.request import Request

KNOWN = {
    "average": AVERAGES,
    "precision": ("float32", "mixed_bfloat16", "mixed_float16"),
    "unreadable": ("error", "skip"),
    "lr_scaling": ("none", "linear"),
    "seeds_mode": ("vectorised", "in_turn"),
}
POSITIVE = (
    "epochs_scale",
    "batch_size",
    "accumulate_steps",
    "validation_freq",
    "steps_per_execution",
    "image_size",
    "test_per_class",
)


def check(request: Request) -> None:
    """Check what a request says.

    Raises:
        ValueError: naming the option, what was expected and what came.
    """
    values = request.values()
    for name in request.choice.method:
        if name not in METHODS:
            raise ValueError(
                f"--method: no method {name!r}{nearest(name, METHODS)}"
            )
    for name, known in KNOWN.items():
        if values[name] not in (None, *known):
            raise ValueError(
                f"--{name} must be {_alternatives(known)}, got {values[name]!r}"
            )
    for name in POSITIVE:
        if values[name] is not None and not values[name] > 0:
            raise ValueError(f"--{name} must be > 0, got {values[name]}")
    for name in ("average_momentum", "average_from"):
        if values[name] is not None and not 0 <= values[name] < 1:
            raise ValueError(f"--{name} must be in [0, 1), got {values[name]}")
    if request.conditions.from_stage and not request.conditions.init_from:
        raise ValueError("--from_stage needs --init_from")
    _check_seeds(request)
    _check_tensorboard(request)
    trackers.check_installed(trackers.wanted_by(request.manner))


def _alternatives(known):
    if len(known) == 2:
        return " or ".join(known)
    return f"one of {known}"


def _check_seeds(request):
    if request.choice.seeds and request.choice.seed is not None:
        raise ValueError("--seeds and --seed exclude each other")
    if request.choice.seeds and keras.backend.backend() != "jax":
        raise ValueError(
            "--seeds trains side by side only with --backend=jax; --seed "
            "takes the seeds one after the other"
        )


def _check_tensorboard(request):
    for package in ("tensorflow", "tensorboard"):
        if request.manner.tensorboard and not importlib.util.find_spec(package):
            raise ValueError(
                f"--tensorboard needs {package}, which is not installed; pip "
                "install 'keras_lt[tensorboard]' brings it"
            )
