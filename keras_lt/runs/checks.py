"""Options that can be judged alone, before any data are read."""

import keras

from keras_lt.devices import processes
from keras_lt.extras import check_installed
from keras_lt.hyperparameters import nearest
from keras_lt.methods import METHODS
from keras_lt.runs import trackers
from keras_lt.runs.flags import check_domains
from keras_lt.runs.request import Request


def check(request: Request) -> None:
    """Check what a request says.

    Raises:
        ValueError: naming the option, what was expected and what came.
    """
    for name in request.choice.method or ():
        if name not in METHODS:
            raise ValueError(
                f"--method: no method {name!r}{nearest(name, METHODS)}"
            )
    for group in request.groups():
        check_domains(group)
    if request.conditions.from_stage and not request.conditions.init_from:
        raise ValueError("--from_stage needs --init_from")
    images = request.images
    if images.validation_per_class and images.validation_share:
        raise ValueError(
            "--validation_per_class and --validation_share exclude each other"
        )
    _check_seeds(request)
    if request.manner.on_divergence == "restart" and processes()[1] > 1:
        raise ValueError("--on_divergence=restart needs a single process")
    _check_watchers(request.manner)


def _check_seeds(request):
    if request.choice.seeds and request.choice.seed is not None:
        raise ValueError("--seeds and --seed exclude each other")
    if request.choice.seeds and keras.backend.backend() != "jax":
        raise ValueError(
            "--seeds trains side by side only with --backend=jax; --seed "
            "takes the seeds one after the other"
        )


def _check_watchers(manner):
    if manner.tensorboard:
        for package in ("tensorflow", "tensorboard"):
            check_installed("--tensorboard", package, "tensorboard")
    for name in trackers.wanted_by(manner):
        check_installed(f"--{name}", name, name)
