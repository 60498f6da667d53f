"""Arguments that are what their type hints say."""

import collections.abc
import functools
import inspect
import math
import numbers
import types
import typing
from collections.abc import Callable
from typing import Any, TypeVar

from keras_lt.domains import describe, shown

SEVERAL = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
SEQUENCES = (tuple, list, collections.abc.Sequence)
Function = TypeVar("Function", bound=Callable)


def checked(function: Function) -> Function:
    """Check arguments by the hints of a function, before it is called.

    A number must be finite, one that counts a whole one; a truth value is no
    number, and a text no sequence. Hints that say no more than `Any`, or what
    a mapping or function is made of, are not checked. What numbers make sense
    is up to the function.

    Args:
        function: With type hints; also an `__init__`, or a class, for its own.

    Returns:
        The same; when called, it may raise ValueError, which names the
        argument, what was expected, and what came.

    Example:
        >>> @checked
        ... def double(number: float):
        ...     return 2 * number
        >>> double(number="two")
        Traceback (most recent call last):
            ...
        ValueError: `number` must be a finite number, got 'two'
    """
    if isinstance(function, type):
        made = typing.cast(Any, function)
        made.__init__ = checked(made.__init__)
        return function
    signature = inspect.signature(function)

    @functools.cache
    def hints():
        found = typing.get_type_hints(function)
        return {
            name: found[name]
            for name, parameter in signature.parameters.items()
            if name in found and parameter.kind not in SEVERAL
        }

    @functools.wraps(function)
    def call(*args, **kwargs):
        given = signature.bind(*args, **kwargs).arguments
        for name, hint in hints().items():
            if name in given and not _fits(given[name], hint):
                raise ValueError(
                    f"`{name}` must be {_describe(hint)}, "
                    f"got {shown(given[name])}"
                )
        return function(*args, **kwargs)

    vars(call)["__signature__"] = signature  # which Keras asks for
    return typing.cast(Function, call)


def _options(hint):
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return typing.get_args(hint)
    return (hint,)


def _fits(value, hint):
    return any(_fits_one(value, option) for option in _options(hint))


def _fits_one(value, hint):
    origin = typing.get_origin(hint)
    if hint is int or hint is float:
        kind = numbers.Integral if hint is int else numbers.Real
        number = isinstance(value, kind) and not isinstance(value, bool)
        return number and math.isfinite(value)
    if origin is typing.Literal:
        return any(
            type(value) is type(known) and value == known
            for known in typing.get_args(hint)
        )
    if origin in SEQUENCES and isinstance(value, list | tuple):
        inner = typing.get_args(hint)[0]
        return all(_fits_within(each, inner) for each in value)
    if origin in SEQUENCES:
        several = isinstance(value, collections.abc.Iterable)
        return several and not isinstance(value, str | bytes | dict)
    module = getattr(hint, "__module__", "").partition(".")[0]
    if isinstance(hint, type) and module in ("builtins", "keras"):
        return isinstance(value, hint)
    return True


def _fits_within(value, hint):
    """Whether one of several fits; where a number is due, any finite one."""
    if any(option in (int, float) for option in _options(hint)):
        return isinstance(value, numbers.Real) and math.isfinite(value)
    return _fits(value, hint)


def _describe(hint):
    words = {int: "a whole number", float: "a finite number"}
    return " or ".join(
        words.get(option) or describe(option) for option in _options(hint)
    )
