"""Hyperparameters from the command line, checked against the method."""

import ast
import re
import types
import typing
from collections.abc import Sequence
from typing import Any

from keras_lt.domains import describe, shown
from keras_lt.hyperparameters import nearest
from keras_lt.methods import Method
from keras_lt.methods.settings.domains import domain_of

# What `ast.literal_eval` raises: also for `{[]: 1}` and for deep nesting.
UNREADABLE = (ValueError, SyntaxError, TypeError, MemoryError, RecursionError)


def parse(method: Method, assignments: Sequence[str]) -> dict[str, Any]:
    """Turn `["lr=0.1", "epochs=(20, 5)"]` into checked keyword arguments.

    Raises:
        ValueError: naming the assignment, for a name that the method does not
            have (with the nearest one that it has) or a value of a wrong type.
    """
    values = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise ValueError(
                f"--set must be NAME=VALUE, got {shown(assignment)}"
            )
        if name not in method.hints:
            raise ValueError(
                f"--set: no hyperparameter {shown(name)}"
                + nearest(name, method.hints)
            )
        values[name] = _value(name, text, method.hints[name])
        if wrong := domain_of(name, method.after).wrong(values[name]):
            raise ValueError(f"--set: {name} {wrong}")
    return values


def sweep(method: Method, assignment: str) -> list[dict[str, Any]]:
    """Turn `"beta=0,0.5,1"` into one set of keyword arguments a value.

    Values that hold commas themselves stand in brackets: `epochs=(2,2),(4,4)`.
    """
    name, _, text = assignment.partition("=")
    values = re.findall(r"\([^)]*\)|[^,()]+", text)
    if not values:
        raise ValueError(
            f"--sweep must be NAME=VALUE,VALUE,..., got {shown(assignment)}"
        )
    return [parse(method, [f"{name}={value}"]) for value in values]


def _value(name, text, hint):
    try:
        value = ast.literal_eval(text)
    except UNREADABLE:
        value = text
    value = _fit(value, hint)
    if value is _MISFIT:
        raise ValueError(
            f"--set: {name} must be {describe(hint)}, got {shown(text)}"
        )
    return value


_MISFIT = object()


def _fit(value, hint):
    """Return `value` as the hinted type, or `_MISFIT`."""
    origin, options = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        fits = [_fit(value, option) for option in options]
        return next((fit for fit in fits if fit is not _MISFIT), _MISFIT)
    if origin is typing.Literal:
        return value if value in options else _MISFIT
    if origin is tuple:
        if isinstance(value, int | float):
            value = (value,)
        if not isinstance(value, tuple | list) or len(value) != len(options):
            return _MISFIT
        fits = [_fit(v, o) for v, o in zip(value, options, strict=True)]
        return _MISFIT if _MISFIT in fits else tuple(fits)
    if hint is float and type(value) is int:
        try:
            return float(value)
        except OverflowError:
            return _MISFIT
    return value if type(value) is hint else _MISFIT
