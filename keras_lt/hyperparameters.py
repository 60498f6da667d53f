"""Keyword arguments of functions, by flat names, alone and in groups.

A group is a dataclass that a function takes for one keyword argument. Its
fields count as the function's own, each with its line of a docstring.
"""

import dataclasses
import difflib
import inspect
import textwrap
import typing
from collections.abc import Callable, Collection, Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Hyperparameter:
    """One keyword argument, or one field of a group.

    Args:
        name: Flat: its own.
        default: Its value, if nothing else is said.
        hint: Its type.
        description: Its lines of the documentation, as one.
        group: Keyword argument that takes the group it is in, if it is.
    """

    name: str
    default: Any
    hint: Any
    description: str
    group: str | None = None


def of(function: Callable) -> list[Hyperparameter]:
    """Keyword-only arguments of a function, groups field by field.

    What the function's docstring says of a field goes before what the group's
    says. A group without a default has those of its fields.

    Example:
        >>> def step(*, lr: float = 0.1): ...
        >>> [each.default for each in of(step)]
        [0.1]
    """
    hints = typing.get_type_hints(function)
    lines = described(function)
    found = []
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind != parameter.KEYWORD_ONLY:
            continue
        hint, default = hints[name], parameter.default
        if not dataclasses.is_dataclass(hint):
            line = lines.get(name, "")
            found.append(Hyperparameter(name, default, hint, line))
            continue
        group: Any = hint
        default = group() if default is parameter.empty else default
        inner = typing.get_type_hints(hint)
        for field in dataclasses.fields(hint):
            found.append(
                Hyperparameter(
                    field.name,
                    getattr(default, field.name),
                    inner[field.name],
                    (described(hint) | lines).get(field.name, ""),
                    group=name,
                )
            )
    return found


def grouped(function: Callable, values: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword arguments of a function from values of all its flat names."""
    hints = typing.get_type_hints(function)
    arguments, groups = {}, {}
    for each in of(function):
        kept = groups.setdefault(each.group, {}) if each.group else arguments
        kept[each.name] = values[each.name]
    return arguments | {name: hints[name](**v) for name, v in groups.items()}


def described(documented: Any) -> dict[str, str]:
    """Arguments in a Google docstring, with what is said of each."""
    _, _, lines = (inspect.getdoc(documented) or "").partition("Args:\n")
    found, name = {}, ""
    for line in lines.splitlines():
        if not line.startswith("    "):
            break
        if line[4] != " ":
            name, _, line = line.strip().partition(": ")
        found[name] = f"{found.get(name, '')} {line.strip()}".strip()
    return found


def with_arguments(text: str, entries: Mapping[str, str]) -> str:
    """A Google docstring whose arguments are others."""
    lines = [
        textwrap.fill(f"{name}: {line}", 76, subsequent_indent="    ")
        for name, line in entries.items()
    ]
    section = textwrap.indent("\n".join(lines), "    ")
    head, args, rest = text.partition("Args:\n")
    _, blank, tail = rest.partition("\n\n")
    return f"{head}{args}{section}{blank}{tail}" if args else text


def nearest(name: str, known: Collection[str]) -> str:
    """Suggest the nearest known name, as the end of an error message."""
    return f"; did you mean {closest(name, known)!r}? Known: {', '.join(known)}"


def closest(name: str, known: Collection[str]) -> str:
    """The known name that is most like another one."""
    return difflib.get_close_matches(name, [*known], 1, 0.0)[0]
