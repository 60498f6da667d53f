"""What the time of a run goes into."""

import collections
import contextlib
import statistics
import time
from collections.abc import Iterator
from typing import Any

import keras

USUAL = 1000  # last calls of a step that say how long one takes


class Clock:
    """Adds up seconds by what they were spent on.

    Args:
        seconds: What has been spent before; it is changed in place.
    """

    def __init__(self, seconds: dict[str, float]):
        self.seconds = seconds

    def add(self, part: str, seconds: float) -> None:
        """Count seconds."""
        self.seconds[part] = self.seconds.get(part, 0.0) + seconds

    @contextlib.contextmanager
    def count(self, part: str) -> Iterator[None]:
        """Count the time in which the context is open."""
        start = time.monotonic()
        try:
            yield
        finally:
            self.add(part, time.monotonic() - start)


class TimeFit(keras.callbacks.Callback):
    """Count what `fit` does: set-up, compile, input, validation, and steps.

    Make it just before `fit`.

    The first call of the step traces and compiles it; so do later ones that
    took over three times the median, and 0.2 seconds more. What they took
    beyond the median is `compile`, and `steps` is what remains of an epoch.

    Args:
        clock: A `Clock`.
        feed: Has the seconds for which training waited so far, `waited`.
    """

    def __init__(self, clock: Clock, feed: Any):
        super().__init__()
        self.clock = clock
        self.feed = feed
        self._made = time.monotonic()
        self._first = None  # seconds of the first call
        self._calls = collections.deque(maxlen=USUAL)  # of later ones
        self._unjudged = []  # those that may be compilations

    def on_epoch_begin(self, epoch, logs=None):
        """Start the clock."""
        self._began, self._waited = time.monotonic(), self.feed.waited
        if self._made is not None:  # `fit` has prepared itself
            self.clock.add("set_up", self._began - self._made)
            self._made = None
        self._validation = 0.0

    def on_train_batch_begin(self, batch, logs=None):
        """Start the clock of a call."""
        self._call = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        """Stop the clock of a call."""
        seconds = time.monotonic() - self._call
        self._unjudged.append((seconds, self._first is None))
        if self._first is None:
            self._first = seconds
        else:
            self._calls.append(seconds)

    def on_test_begin(self, logs=None):
        """Start the clock of the validation."""
        self._test = time.monotonic()

    def on_test_end(self, logs=None):
        """Stop the clock of the validation."""
        self._validation += time.monotonic() - self._test

    def on_epoch_end(self, epoch, logs=None):
        """Count."""
        whole = time.monotonic() - self._began
        parts = {
            "input": self.feed.waited - self._waited,
            "validation": self._validation,
            "compile": self._compilation(),
        }
        parts["steps"] = whole - sum(parts.values())
        for part, seconds in parts.items():
            self.clock.add(part, seconds)

    def _compilation(self):
        if not self._calls:
            return 0.0
        usual = statistics.median(self._calls)
        excess = [
            seconds - usual
            for seconds, first in self._unjudged
            if first or seconds > 3 * usual + 0.2
        ]
        self._unjudged = []
        return sum(max(seconds, 0.0) for seconds in excess)
