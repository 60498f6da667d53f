"""Values that trials may have."""

import dataclasses
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from keras_lt.domains import describe
from keras_lt.hyperparameters import nearest
from keras_lt.methods import Method
from keras_lt.methods.settings.domains import Range, range_of

DIGITS = 3  # of a value that is tried


@dataclasses.dataclass(frozen=True)
class Dimension:
    """One hyperparameter that is looked for.

    Args:
        name: Flat.
        preset: Its value in the first trial.
        range: Of numbers; None for choices.
        whole: Whether they are whole numbers.
        choices: All values, if there are few.
    """

    name: str
    preset: Any
    range: Range | None = None
    whole: bool = False
    choices: tuple[Any, ...] = ()

    @property
    def first(self) -> Any:
        """What the study takes the preset for, within the range."""
        if self.range is None:
            return self.preset
        low, high = self.range.low, self.range.high
        value = min(max(self.preset, low), high)
        return round(value) if self.whole else float(value)

    def ask(self, trial: Any) -> Any:
        """A value for an `optuna.Trial`.

        A study keeps what it said of a trial, so that one that was killed
        asks for the same again.
        """
        if self.range is None:
            return trial.suggest_categorical(self.name, self.choices)
        low, high, log = dataclasses.astuple(self.range)
        if self.whole:
            return trial.suggest_int(self.name, low, high, log=log)
        value = trial.suggest_float(self.name, low, high, log=log)
        return float(f"{value:.{DIGITS}g}")


def space(
    method: Method, names: Sequence[str], values: Mapping[str, Any]
) -> list[Dimension]:
    """What is looked for.

    Args:
        method: With the stages that follow.
        names: Of hyperparameters.
        values: Of all hyperparameters, where nothing is looked for.

    Raises:
        ValueError: for a name that is none, or has no range.
    """
    return [_dimension(method, name, values) for name in dict.fromkeys(names)]


def _dimension(method, name, values):
    if name not in method.hints:
        raise ValueError(
            f"--tune: no hyperparameter {name!r}{nearest(name, method.hints)}"
        )
    kinds = {*(typing.get_args(method.hints[name]) or [method.hints[name]])}
    found, preset = range_of(name, method.after), values[name]
    if choices := _choices(method.hints[name]):
        return Dimension(name, preset, choices=choices)
    number = isinstance(preset, int | float) and {int, float} & kinds
    if found and number:
        return Dimension(name, preset, found, whole=float not in kinds)
    ranged = [
        own
        for own, hint in method.hints.items()
        if _choices(hint) or range_of(own, method.after)
    ]
    raise ValueError(
        f"--tune: {name}, {describe(method.hints[name])} with the value "
        f"{preset!r}, has no range; those with one are {', '.join(ranged)}"
    )


def _choices(hint):
    """All values of a type, if there are few."""
    if hint is bool:
        return (False, True)
    if typing.get_origin(hint) is typing.Literal:
        return typing.get_args(hint)
    options = typing.get_args(hint)
    if type(None) in options:
        (inner,) = {*options} - {type(None)}
        found = _choices(inner)
        return (None, *found) if found else ()
    return ()
