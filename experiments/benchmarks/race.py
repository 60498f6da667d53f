"""Contenders take turns; what is known so far is told at once."""

import contextlib
import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping

from benchmarks.child import Absent

LEAST, MOST = 3, 15  # rounds, where time decides


class Race:
    """Measure contenders in turn, and print a line of JSON after each turn.

    Each contender is built and compiled when its time comes, in the order of
    the entries, and has one turn at once, beside one of the first contender.
    So a run that is cut off has told something of all that came so far.
    Rounds follow, in which each has a turn; only these count in the end.

    Args:
        entries: By name, functions that make a contender: a function that
            returns the seconds of a turn. Either may raise `Absent`.
        value: Function from a name and seconds to what is told of them.
        unit: Of that value.
        trace: Context in which the first contender takes one turn more.
    """

    def __init__(
        self,
        entries: Mapping[str, Callable[[], Callable[[], float]]],
        value: Callable[[str, float], float],
        unit: str,
        trace: contextlib.AbstractContextManager | None = None,
    ):
        self.entries = entries
        self.value = value
        self.unit = unit
        self.trace = trace
        self.turns = {}  # function of each contender
        self.times = {}  # its seconds in each round

    def run(self, rounds: int | None, minutes: float) -> dict[str, float]:
        """Return the median of each contender's values.

        Args:
            rounds: Number of them; None for as many as there is time for.
            minutes: For everything, if `rounds` is None and they suffice for
                three rounds.

        Raises:
            ValueError: if no contender takes part.
        """
        end = time.monotonic() + 60 * minutes
        for name, make in self.entries.items():
            self._enter(name, make)
        if not self.turns:
            raise ValueError("no contender takes part")
        gc.collect()
        gc.freeze()  # or one would wait for what belongs to the others
        done, longest = 0, 0.0
        while done < (rounds or MOST):
            begin = time.monotonic()
            if not rounds and done >= LEAST and begin + longest > end:
                break
            for name in [*self.turns]:
                if (seconds := self._turn(name)) is not None:
                    self.times[name].append(seconds)
                    self._tell(name, self.times)
            longest = max(longest, time.monotonic() - begin)
            done += 1
        return {name: self._median(name, self.times) for name in self.turns}

    def _enter(self, name, make):
        """Build and compile a contender, and take a first look at it."""
        print(f"{name}: is built and compiled", file=sys.stderr, flush=True)
        first = next(iter(self.turns), name)
        try:
            self.turns[name] = make()
        except Absent as reason:
            self._leave(name, reason)
            return
        if self._turn(name) is None:
            return
        if self.trace and name == first:
            with self.trace:
                self._turn(name)
        self.times[name] = []
        looks = {who: [self._turn(who)] for who in dict.fromkeys((first, name))}
        if [None] not in looks.values():
            self._tell(name, looks, rounds=0)

    def _turn(self, name):
        try:
            return self.turns[name]()
        except Absent as reason:
            self._leave(name, reason)

    def _leave(self, name, reason):
        self.turns.pop(name, None)
        print(f"{name} does not take part: {reason}", flush=True)

    def _median(self, name, times):
        return self.value(name, statistics.median(times[name]))

    def _tell(self, name, times, **more):
        first = next(iter(self.turns))
        value = self._median(name, times)
        line = {
            "contender": name,
            "value": float(f"{value:.5g}"),
            "unit": self.unit,
            "ratio": float(f"{value / self._median(first, times):.4g}"),
            "rounds": len(times[name]),
        }
        print(json.dumps(line | more), flush=True)
