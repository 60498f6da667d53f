"""What the programs share: parsing, help, errors, the choice of backend."""

import importlib.util
import logging
import os
import shlex
import sys
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

from absl import flags

from keras_lt import tune_cpu, use_compilation_cache

BACKENDS = ("tensorflow", "jax")


def parse(argv: Sequence[str], names: Sequence[str] = ()) -> list[str]:
    """Parse the flags and return the arguments beside them, as named.

    The last one may stand for several, `NAME...`.

    Raises:
        ValueError: for an unknown flag, a bad value, or a wrong number of
            arguments.
    """
    try:
        rest = flags.FLAGS(argv)[1:]
    except flags.Error as error:
        raise ValueError(str(error)) from error
    several = bool(names) and names[-1].endswith("...")
    if len(rest) < len(names) or len(rest) > len(names) and not several:
        expected = " ".join(names) or "no argument"
        raise ValueError(f"expected {expected} beside --flags, got {rest}")
    return rest


def command(argv: Sequence[str]) -> str:
    """Return the command as it can be typed again."""
    return shlex.join(["python", *argv])


KNOWN = (ValueError, OSError, ImportError)


def checked(function: Callable, *arguments: Any, errors: Any = KNOWN) -> Any:
    """Call a function; a known error ends the program with one line."""
    try:
        return function(*arguments)
    except errors as error:
        line = " ".join(str(error).split())
        print(f"error: {line}", file=sys.stderr)
        sys.exit(2)


def set_backend(wanted: str | None, *, small_steps: bool = False) -> None:
    """Choose the Keras backend and its kernels, before Keras is imported.

    Args:
        wanted: Its name, or None for what is set or installed.
        small_steps: See `keras_lt.tune_cpu`.

    Raises:
        ValueError: if the backend is unknown or not installed.
    """
    wanted = wanted or os.environ.get("KERAS_BACKEND")
    installed = [b for b in BACKENDS if importlib.util.find_spec(b)]
    if wanted is None:
        wanted = installed[0] if installed else BACKENDS[0]
    if wanted not in BACKENDS:
        raise ValueError(f"--backend must be one of {BACKENDS}, got {wanted!r}")
    if wanted not in installed:
        raise ValueError(
            f"--backend: {wanted} is not installed; pip install "
            f"'keras_lt[{wanted}]' brings it"
        )
    os.environ["KERAS_BACKEND"] = wanted
    tune_cpu(small_steps=small_steps)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tensorflow").setLevel("ERROR")
    if wanted == "jax":
        use_compilation_cache()


def wants_help(argv: Sequence[str]) -> bool:
    """Whether the command asks for help."""
    return bool({"--help", "-h"} & set(argv[1:]))


def print_help(description: str, values: flags.FlagValues) -> None:
    """Print a program's description and flags."""
    print(description)
    print("Flags:")
    for flag in values.get_flags_for_module(sys.argv[0]):
        default = "" if flag.default in (None, []) else f" [{_show(flag)}]"
        _print_entry(f"--{flag.name}", flag.help + default)
    sys.stdout.flush()


def print_methods() -> None:
    """Print each method with its hyperparameters; imports Keras."""
    set_backend(None)
    import settings

    from keras_lt.methods import METHODS, PRESETS

    for name, recipe in METHODS.items():
        title = recipe.__doc__.splitlines()[0]
        print(f"\nHyperparameters of --method={name}\n  {title}\n")
        helps = settings.descriptions(recipe)
        for hyperparameter, default in settings.defaults(recipe).items():
            text = f"{helps.get(hyperparameter, '')} [{default}]"
            _print_entry(hyperparameter, text)
        for family, preset in PRESETS[name].items():
            chosen = ", ".join(f"{k}={v}" for k, v in preset.items())
            _print_entry(f"on {family}:", chosen or "these defaults")


def _show(flag) -> str:
    if isinstance(flag.default, list):
        return ",".join(flag.default)
    return str(flag.default).lower() if flag.boolean else str(flag.default)


def _print_entry(name: str, text: str) -> None:
    text = " ".join(text.partition("; repeat this option")[0].split())
    first, rest = f"  {name:<24}", " " * 26
    print(textwrap.fill(text, 79, initial_indent=first, subsequent_indent=rest))
