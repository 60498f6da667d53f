"""How far a run has come: the part of a checkpoint that is no array."""

import dataclasses
import json
import math
from collections.abc import Sequence
from typing import Any


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far a run has come.

    Args:
        index: Stage to train now.
        epoch: Epochs of it that are done.
        step: Steps of the epoch after those that are done.
        rate: Learning rate at the start of that epoch, if a step is done.
        lines: Epochs in `metrics.jsonl`; None in a file of an earlier version.
        seconds: Time spent in training so far.
        records: JSON data kept of each finished stage, by name.
        spent: What the time was spent on, by the names of `Outcome.spent`.
    """

    index: int
    epoch: int
    seconds: float
    records: dict[str, Any]
    spent: dict[str, float]
    step: int = 0
    rate: float | None = None
    lines: int | None = None

    def to_json(self) -> str:
        """As text."""
        return json.dumps(vars(self))

    @classmethod
    def from_json(cls, text: str, stages: Sequence[str]) -> "Progress":
        """Read what `to_json` wrote, here or in an earlier version.

        The text may come from anybody: every field is checked, and there are
        no others.

        Args:
            text: JSON data.
            stages: Names of the stages of the run.

        Raises:
            ValueError: naming the field.
        """
        found = json.loads(text, parse_constant=_no_number)
        known = {field.name for field in dataclasses.fields(cls)}
        if not isinstance(found, dict) or not found.keys() <= known:
            raise ValueError(f"expected {sorted(known)}, found {found!r:.80}")
        checks = {
            "index": lambda v: _count(v) and v <= len(stages),
            "epoch": _count,
            "step": _count,
            "lines": lambda v: v is None or _count(v),
            "rate": lambda v: v is None or _number(v),
            "seconds": _number,
            "records": lambda v: isinstance(v, dict) and v.keys() <= {*stages},
            "spent": lambda v: (
                isinstance(v, dict) and all(map(_finite, v.values()))
            ),  # what is left of a total may be less than nothing
        }
        for name, value in found.items():
            if not checks[name](value):
                raise ValueError(f"`{name}` cannot be {value!r:.80}")
        try:
            return cls(**found)
        except TypeError as error:
            raise ValueError(f"a field is missing: {error}") from error


def _count(value):
    return type(value) is int and value >= 0


def _finite(value):
    return type(value) in (int, float) and math.isfinite(value)


def _number(value):
    return _finite(value) and value >= 0


def _no_number(text):
    raise ValueError(f"{text} is no number")
