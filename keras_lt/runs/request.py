"""All that a command, or a call, asks for."""

import dataclasses
import typing
from collections.abc import Mapping
from typing import Any

from keras_lt.hyperparameters import nearest
from keras_lt.runs.manner import Manner
from keras_lt.runs.options import Choice, Conditions, DataOptions
from keras_lt.runs.tuning.options import Tuning


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """All that a command, or a call, asks for.

    Args:
        choice: Which runs.
        conditions: What else decides their results.
        images: Which images.
        manner: How the runs are carried out.
        command: As it can be typed again; kept beside the results.
        tuning: Which hyperparameters are looked for.
    """

    choice: Choice
    conditions: Conditions
    images: DataOptions
    manner: Manner
    command: str
    tuning: Tuning = Tuning()

    def groups(self) -> tuple[Any, ...]:
        """All options, in their groups."""
        return (
            *(self.choice, self.conditions, self.images),
            *(self.manner, self.tuning),
        )


def split(values: Mapping[str, Any], *groups: type) -> list[Any]:
    """Make one object of each group out of values by their names.

    A single value stands for a tuple of it where a tuple is expected.

    Raises:
        TypeError: for a name that is none of theirs, with the nearest one.
    """
    known = {f.name for group in groups for f in dataclasses.fields(group)}
    for name in values:
        if name not in known:
            raise TypeError(f"no option {name!r}{nearest(name, sorted(known))}")
    return [_made(group, values) for group in groups]


def _made(group, values):
    hints = typing.get_type_hints(group)
    own = {}
    for field in dataclasses.fields(group):
        if field.name in values:
            value = values[field.name]
            many = "tuple" in str(hints[field.name])
            if many and value is not None and not isinstance(value, tuple):
                value = tuple(value) if isinstance(value, list) else (value,)
            own[field.name] = value
    return group(**own)
