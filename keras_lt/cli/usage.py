"""Help of a program: a screen, all flags, or one method."""

import dataclasses
import math
import sys
import textwrap
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from keras_lt.domains import ANY, Domain, describe
from keras_lt.hyperparameters import nearest
from keras_lt.runs.flags import name_of

MANY = 10**6  # a bound that nobody meets
EVERYTHING = "all"
WORDS = ("--help", "-h")


def topic_of(argv: Sequence[str]) -> str | None:
    """What help is asked about: `--help=TOPIC`, or "" for all in brief.

    Args:
        argv: The program, then its arguments.

    Returns:
        None if no help is asked for.
    """
    for argument in argv[1:]:
        word, _, topic = argument.partition("=")
        if word in WORDS:
            return topic
    return None


def print_flags(
    description: str, groups: Sequence[type], few: Sequence[str] = ()
) -> None:
    """Print a program's description and its flags, by group.

    Args:
        description: With examples.
        groups: Dataclasses whose fields are flags.
        few: Names of the fields to print; all if there are none.
    """
    print(description.strip())
    for group in groups:
        title = (group.__doc__ or "").splitlines()[0].rstrip(".")
        print(f"\n{title}:")
        hints = typing.get_type_hints(group)
        for field in dataclasses.fields(group):
            if few and field.name not in few:
                continue
            default = field.default
            shown = "" if default in (None, ()) else f" [{_show(default)}]"
            allowed = _allowed(hints[field.name], field.metadata["domain"])
            text = field.metadata["help"] + shown + allowed
            print_entry(f"--{name_of(field)}", text)
    if few:
        print(f"\n--help={EVERYTHING}  every flag")
    sys.stdout.flush()


def print_screen(description: str, flags: Mapping[str, str], end: str) -> None:
    """Print what fits on a screen.

    Args:
        description: With examples.
        flags: Those that people use, with a short text each.
        end: Where to go on.
    """
    print(description.strip())
    print()
    for name, text in flags.items():
        print_entry(f"--{name}", text, 12)
    print(f"\n{end.strip()}", flush=True)


def print_method(name: str) -> None:
    """Print the hyperparameters of a method; imports Keras.

    Args:
        name: Of the method; stages that follow it may come after a +.

    Raises:
        ValueError: if there is no such method.
    """
    from keras_lt.data import DATASETS
    from keras_lt.methods import METHODS
    from keras_lt.methods.settings.domains import domain_of

    first, *then = name.split("+")
    if first not in METHODS:
        raise ValueError(
            f"--help: no method {first!r}{nearest(first, METHODS)}"
        )
    method = METHODS[first].then(then) if then else METHODS[first]
    follow = f" --then={','.join(then)}" if then else ""
    print(f"--method={first}{follow}")
    print(f"  {str(method.__doc__).splitlines()[0]}\n")
    print("Hyperparameters, --set NAME=VALUE [default]:")
    for each, default in method.defaults.items():
        hint, domain = method.hints[each], domain_of(each, method.after)
        text = f"{method.descriptions[each]} [{default}]"
        print_entry(each, text + _allowed(hint, domain))
    families: dict[str, list[str]] = {}
    for dataset, source in DATASETS.items():
        families.setdefault(source.family, []).append(dataset)
    print("\nDefaults that differ on some data sets:")
    for family, preset in method.presets.items():
        title = f"{', '.join(families.get(family, [family]))}:"
        print_entry(title, _listed(preset) or "none")
        for variant in method.variants.get(family, ()):
            there = f"with {_listed(variant.given)}: "
            print_entry("", there + _listed(variant.values))
    sys.stdout.flush()


def print_methods() -> None:
    """Print the methods, each in a line; imports Keras."""
    from keras_lt.methods import METHODS

    print("\nMethods, --help=METHOD shows the hyperparameters of one:")
    for name, method in METHODS.items():
        print_entry(name, str(method.__doc__).splitlines()[0])


def print_entry(name: str, text: str, width: int = 24) -> None:
    """Print a name with its description beside it, or below a long one."""
    first, rest = f"  {name:<{width}}", " " * (width + 2)
    if len(name) >= width:
        print(f"  {name}")
        first = rest
    print(textwrap.fill(text, 79, initial_indent=first, subsequent_indent=rest))


def _allowed(hint: Any, domain: Domain) -> str:
    """Which values there are, where the type alone does not say it."""
    if domain == ANY or domain == Domain(empty=True):
        return "" if hint in (str, str | None) else f" ({describe(hint)})"
    if domain.known:
        return ""  # the text names them
    if domain.high >= MANY:
        domain = dataclasses.replace(domain, high=math.inf)
    bounds = str(domain).removeprefix("finite and ")
    return f" ({describe(hint)}, {bounds})"


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items())


def _show(default: Any) -> str:
    if isinstance(default, tuple):
        return ",".join(default)
    return str(default).lower() if isinstance(default, bool) else str(default)
