"""Command lines, made of dataclasses: parsing, help, errors in one line."""

import dataclasses
import os
import re
import shlex
import sys
import typing
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from absl import flags

from keras_lt.domains import LONGEST, shown
from keras_lt.runs.flags import check_domains, name_of
from keras_lt.runs.manner import Manner
from keras_lt.runs.options import Choice, Conditions, DataOptions

T = TypeVar("T")
KNOWN = (ValueError, OSError, ImportError)
OPTIONS = (Choice, Conditions, DataOptions, Manner)
TYPED = {"kind": "input"}  # arguments that flags call otherwise
LONGEST_LINE = 2000  # signs of an error


class Arguments:
    """A parsed command line.

    Args:
        groups: Its dataclasses, by their type.
        rest: Arguments beside the flags.
    """

    def __init__(self, groups: dict[type, Any], rest: list[str]):
        self._groups = groups
        self.rest = rest

    def __getitem__(self, group: type[T]) -> T:
        """The values of a group of flags."""
        return self._groups[group]


def parse(
    argv: Sequence[str], groups: Sequence[type], names: Sequence[str] = ()
) -> Arguments:
    """Parse a command line.

    Args:
        argv: The program, then its arguments.
        groups: Dataclasses whose fields are flags, see `runs.options`.
        names: Of the arguments beside the flags. The last one may stand for
            several, `NAME...`.

    Raises:
        ValueError: for an unknown flag, a bad value, or a wrong number of
            arguments.
    """
    values = flags.FlagValues()
    for group in groups:
        _declare(values, group)
    try:
        rest = values([argv[0], *map(_underscored, argv[1:])])[1:]
    except flags.Error as error:
        raise ValueError(_short(error)) from error
    several = bool(names) and names[-1].endswith("...")
    if len(rest) < len(names) or len(rest) > len(names) and not several:
        expected = " ".join(names) or "no argument"
        images = names == () and any(map(os.path.isdir, rest))
        own = "; own images: --dataset=folder --data_dir=FOLDER"
        raise ValueError(
            f"expected {expected} beside --flags, got {rest}{own * images}"
        )
    found = {group: _read(values, group) for group in groups}
    for each in found.values():
        check_domains(each)
    if any("\0" in text or len(text) > LONGEST for text in rest):
        raise ValueError(f"{names[0]} must be a path, got {shown(rest[0])}")
    return Arguments(found, rest)


def checked(function: Callable, *arguments: Any, errors: Any = KNOWN) -> Any:
    """Call a function; a known error ends the program with one line."""
    try:
        return function(*arguments)
    except errors as error:
        line = _flagged(_short(error))
        print(f"error: {line}", file=sys.stderr)
        sys.exit(2)


def command(argv: Sequence[str]) -> str:
    """Return the command as it can be typed again."""
    program, *rest = argv
    if program.endswith(".py"):
        program = f"python {shlex.quote(program)}"
    return " ".join([program, *map(shlex.quote, rest)])


def flag_names(groups: Sequence[type]) -> set[str]:
    """Names of all flags, with those that turn a switch off."""
    found = set()
    for group in groups:
        hints = typing.get_type_hints(group)
        for field in dataclasses.fields(group):
            found.add(name_of(field))
            if hints[field.name] is bool:
                found.add(f"no{name_of(field)}")
    return found


def _short(error):
    """One line of what an error says."""
    line = " ".join(str(error).split())
    cut = len(line) > LONGEST_LINE
    return f"{line[:LONGEST_LINE]}..." if cut else line


def _flagged(line):
    """A line that names options as they are typed."""
    fields = {f.name for g in OPTIONS for f in dataclasses.fields(g)}

    def flag(found):
        name = TYPED.get(found[1], found[1])
        return f"--{name}" if name in fields else found[0]

    return re.sub(r"`(\w+)`", flag, line)


def _underscored(argument):
    """`--data-dir=a-b` as `--data_dir=a-b`."""
    name, equals, value = argument.partition("=")
    if name.startswith("--"):
        name = "--" + name[2:].replace("-", "_")
    return name + equals + value


def _declare(values, group):
    hints = typing.get_type_hints(group)
    for field in dataclasses.fields(group):
        define = _definition(hints[field.name], field.metadata["commas"])
        default = field.default
        if isinstance(default, tuple):
            default = [*default]
        text = field.metadata["help"]
        define(name_of(field), default, text, flag_values=values)


def _definition(hint, commas):
    """The function of absl that declares a flag of a type."""
    kinds = {
        str: flags.DEFINE_string,
        int: flags.DEFINE_integer,
        float: flags.DEFINE_float,
        bool: flags.DEFINE_bool,
    }
    options = typing.get_args(hint) or (hint,)
    for kind, define in kinds.items():
        if hint is kind or (kind in options and type(None) in options):
            return define
    return flags.DEFINE_list if commas else flags.DEFINE_multi_string


def _read(values, group):
    own = {}
    for field in dataclasses.fields(group):
        value = values[name_of(field)].value
        own[field.name] = tuple(value) if isinstance(value, list) else value
    return group(**own)
