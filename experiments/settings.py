"""Hyperparameters from the command line, checked against the recipe."""

import ast
import difflib
import inspect
import re
import types
import typing
from collections.abc import Callable, Sequence


def defaults(recipe: Callable) -> dict:
    """Hyperparameters of a recipe with their default values."""
    parameters = list(inspect.signature(recipe).parameters.values())
    return {p.name: p.default for p in parameters if p.kind == p.KEYWORD_ONLY}


def descriptions(recipe: Callable) -> dict[str, str]:
    """Hyperparameters of a recipe with their lines of its docstring."""
    lines = inspect.getdoc(recipe).split("Args:\n")[1].splitlines()
    found, name = {}, None
    for line in lines:
        if not line.startswith("    "):
            break
        if line[4] != " ":
            name, _, line = line.strip().partition(": ")
        found[name] = f"{found.get(name, '')} {line.strip()}".strip()
    return found


def parse(recipe: Callable, assignments: Sequence[str]) -> dict:
    """Turn `["lr=0.1", "epochs=(20, 5)"]` into checked keyword arguments.

    Raises:
        ValueError: naming the assignment, for a name that the recipe does not
            have (with the nearest one that it has) or a value of a wrong type.
    """
    hints = typing.get_type_hints(recipe)
    values = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise ValueError(f"--set must be NAME=VALUE, got {assignment!r}")
        if name not in defaults(recipe):
            raise ValueError(
                f"--set: no hyperparameter {name!r}"
                + nearest(name, defaults(recipe))
            )
        values[name] = _value(name, text, hints[name])
    return values


def sweep(recipe: Callable, assignment: str) -> list[dict]:
    """Turn `"beta=0,0.5,1"` into one set of keyword arguments a value.

    Values that hold commas themselves stand in brackets: `epochs=(2,2),(4,4)`.
    """
    name, _, text = assignment.partition("=")
    values = re.findall(r"\([^)]*\)|[^,()]+", text)
    if not values:
        raise ValueError(
            f"--sweep must be NAME=VALUE,VALUE,..., got {assignment!r}"
        )
    return [parse(recipe, [f"{name}={value}"]) for value in values]


def nearest(name: str, known: Sequence[str]) -> str:
    """Suggest the nearest known name, as the end of an error message."""
    near = difflib.get_close_matches(name, [*known], 1, 0.0)
    return f"; did you mean {near[0]!r}? Known: {', '.join(known)}"


def scale_epochs(epochs: tuple[int, ...], scale: float) -> tuple[int, ...]:
    """Scale the epochs of every stage; one that is not left out keeps two."""
    return tuple(e and max(round(e * scale), min(e, 2)) for e in epochs)


def _value(name, text, hint):
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = text
    value = _fit(value, hint)
    if value is _MISFIT:
        raise ValueError(
            f"--set: {name} must be {describe(hint)}, got {text!r}"
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
        return float(value)
    return value if type(value) is hint else _MISFIT


def describe(hint) -> str:
    """Name a type as a person would."""
    origin, options = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return " or ".join(describe(option) for option in options)
    if origin is typing.Literal:
        return " or ".join(repr(option) for option in options)
    if origin is tuple:
        inner = ", ".join(describe(option) for option in options)
        return f"({inner}{',' * (len(options) == 1)})"
    return "None" if hint is type(None) else hint.__name__
