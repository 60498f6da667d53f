"""The fastest kernels that a CPU has, chosen before a backend starts."""

import importlib.metadata
import os
import sys

ONEDNN = "TF_ENABLE_ONEDNN_OPTS"
# jaxlib sends convolutions to a library that computes gradients of kernels on
# a single core. Where the option is unknown, it would end the process.
YNN = "xla_cpu_experimental_ynn_fusion_type"
KNOWS_YNN = (0, 8, 3), (0, 11)


def tune_cpu(*, small_steps: bool = False) -> dict[str, str]:
    """Let TensorFlow and JAX compute convolutions on a CPU as fast as they can.

    It sets variables of the environment that they read when they start, so
    call it before Keras is imported. A variable, or an option in it, that is
    set already stays as it is, and `KERAS_LT_CPU=off` leaves all as they are:

    * `TF_ENABLE_ONEDNN_OPTS`: TensorFlow has the kernels of oneDNN, but does
      not take them on many CPUs without AVX-512.
    * `XLA_FLAGS`: JAX no longer takes those convolutions that use one core.

    Args:
        small_steps: Whether a training step is so small that what counts is
            how many operations it has: fewer than about 8,192 pixels in a
            batch. oneDNN is then left off.

    Returns:
        The variables that it set; none where Keras or a backend has started.

    Example:
        >>> import keras_lt
        >>> sorted(keras_lt.tune_cpu())  # Keras is here already
        []
    """
    found = {}
    started = {"keras", "tensorflow", "jax"} & sys.modules.keys()
    if started or os.environ.get("KERAS_LT_CPU") == "off":
        return found
    if ONEDNN not in os.environ:
        found[ONEDNN] = "0" if small_steps else "1"
    options = os.environ.get("XLA_FLAGS", "")
    if YNN not in options and _knows_ynn():
        chosen = f"--{YNN}=-individual_convolution"
        found["XLA_FLAGS"] = f"{options} {chosen}".strip()
    os.environ.update(found)
    return found


def _knows_ynn() -> bool:
    """Whether the option was tried with the jaxlib that is installed."""
    try:
        text = importlib.metadata.version("jaxlib")
    except importlib.metadata.PackageNotFoundError:
        return False
    numbers = text.split(".")[:3]
    if not all(number.isdecimal() for number in numbers):
        return False
    first, end = KNOWS_YNN
    return first <= tuple(map(int, numbers)) < end
