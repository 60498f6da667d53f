"""Which values an option or a hyperparameter may have, declared once."""

import dataclasses
import math
import types
import typing
from typing import Any

LONGEST = 4096  # characters of a text; paths have no more
SHOWN = 80  # characters of a bad value


@dataclasses.dataclass(frozen=True)
class Domain:
    """Values that make sense; numbers are always finite.

    Args:
        low: Smallest number.
        high: Largest number.
        above: Whether numbers must be larger than `low`.
        below: Whether numbers must be smaller than `high`.
        known: Texts, if there are no others.
        empty: Whether an empty text means something.

    Example:
        >>> Domain(0, 1, below=True).wrong(1.0)
        'must be < 1, got 1.0'
    """

    low: float = -math.inf
    high: float = math.inf
    above: bool = False
    below: bool = False
    known: tuple[str, ...] = ()
    empty: bool = False

    def wrong(self, value: Any) -> str | None:
        """What is wrong with a value, in words; None if nothing is.

        Args:
            value: A number, a text, a truth value, None, or a tuple of them.
        """
        if isinstance(value, tuple | list):
            return next(filter(None, map(self.wrong, value)), None)
        expected = str(self)
        holds = True
        if isinstance(value, int | float) and not isinstance(value, bool):
            expected = self._bound(value) or expected
            holds = self._holds(value)
        elif isinstance(value, str) and not self.known:
            if self._reads(value):
                return None
            return f"must be a text of 1 to {LONGEST} signs, got {shown(value)}"
        elif isinstance(value, str):
            holds = value in self.known
        return None if holds else f"must be {expected}, got {shown(value)}"

    def _bound(self, number):
        """The bound that a number breaks."""
        least, most = self._bounds()
        if number < self.low or self.above and number == self.low:
            return least
        if number > self.high or self.below and number == self.high:
            return most
        return None

    def _bounds(self):
        least = f"{'>' if self.above else '>='} {self.low:,.15g}"
        most = f"{'<' if self.below else '<='} {self.high:,.15g}"
        return least, most

    def _holds(self, number):
        try:
            number = float(number)
        except OverflowError:
            return False
        low = self.low < number if self.above else self.low <= number
        high = number < self.high if self.below else number <= self.high
        return math.isfinite(number) and low and high

    def _reads(self, text):
        return (
            "\0" not in text
            and (self.empty or bool(text))
            and (len(text) <= LONGEST)
        )

    def __str__(self) -> str:
        """As it stands in messages."""
        if len(self.known) == 2:
            return " or ".join(self.known)
        if self.known:
            return f"one of {self.known}"
        ends = math.isfinite(self.low), math.isfinite(self.high)
        parts = [p for p, end in zip(self._bounds(), ends, strict=True) if end]
        return " and ".join(["finite", *parts])


ANY = Domain()
POSITIVE = Domain(0, above=True)
COUNT = Domain(0, 2**31, above=True)  # at least one
NUMBER = Domain(0, 2**31)
SHARE = Domain(0, 1)
PART = Domain(0, 1, above=True)  # of something, not nothing
SCALE = Domain(0)  # not negative


def shown(value: Any) -> str:
    """A value in a message, cut where it is long."""
    try:
        text = repr(value)
    except ValueError:  # thousands of digits
        text = f"a {type(value).__name__} with thousands of digits"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def misfits(value: Any, hint: Any) -> bool:
    """Whether a value is of another type than a hint says.

    Args:
        value: Of an option.
        hint: A type, `X | None`, or a tuple of texts.
    """
    options = (hint,)
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        options = typing.get_args(hint)
    for option in options:
        if typing.get_origin(option) is tuple:
            inner = typing.get_args(option)[0]
            if isinstance(value, tuple) and all(
                isinstance(each, inner) for each in value
            ):
                return False
        elif option is float and type(value) is int:
            return False
        elif type(value) is option:
            return False
    return True


def describe(hint: Any) -> str:
    """Name a type as a person would."""
    origin, options = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return " or ".join(describe(option) for option in options)
    if origin is typing.Literal:
        return " or ".join(repr(option) for option in options)
    if origin is tuple and Ellipsis in options:
        return f"a tuple of {describe(options[0])}"
    if origin is tuple:
        inner = ", ".join(describe(option) for option in options)
        return f"({inner}{',' * (len(options) == 1)})"
    return (
        "None" if hint is type(None) else getattr(hint, "__name__", str(hint))
    )
