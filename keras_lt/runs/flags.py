"""Fields of dataclasses that are flags.

Importing this brings neither Keras nor a backend.
"""

import dataclasses
import typing
from typing import Any

from keras_lt.domains import ANY, Domain, describe, misfits, shown


def option(
    default: Any, help: str, *, commas: bool = False, domain: Domain = ANY
) -> Any:
    """Make a field that is a flag.

    Args:
        default: Value of a flag that is not given.
        help: For people; it names the default where that is None.
        commas: Whether a tuple is typed with commas; else its flag repeats.
        domain: Its values, or those of a tuple.
    """
    metadata = {"help": help, "commas": commas, "domain": domain}
    return dataclasses.field(default=default, metadata=metadata)


def name_of(field: dataclasses.Field) -> str:
    """Name of a field's flag: that of `from_` is a word of Python's."""
    return field.name.rstrip("_")


def check_domains(group: Any) -> None:
    """Check the type and the domain of every option of a group.

    Args:
        group: A dataclass whose fields are made by `option`.

    Raises:
        ValueError: naming the flag, what was expected and what came.
    """
    hints = typing.get_type_hints(type(group))
    for field in dataclasses.fields(group):
        value, domain = getattr(group, field.name), field.metadata["domain"]
        flag = f"--{name_of(field)}"
        if misfits(value, hints[field.name]):
            raise ValueError(
                f"{flag} must be {describe(hints[field.name])}, got "
                f"{shown(value)}"
            )
        if value == () and field.default != ():
            raise ValueError(f"{flag} must not be empty")
        if wrong := domain.wrong(value):
            raise ValueError(f"{flag} {wrong}")
