"""Times that can be compared."""

import statistics
import time
from collections.abc import Callable


def medians(
    contenders: dict[str, Callable[[], object]], rounds: int
) -> dict[str, float]:
    """Median seconds of each contender, taken in turn after a first call."""
    times = samples(contenders, rounds)
    return {name: statistics.median(values) for name, values in times.items()}


def samples(
    contenders: dict[str, Callable[[], object]], rounds: int
) -> dict[str, list[float]]:
    """Seconds of each call of each contender, in turn after a first call."""
    for run in contenders.values():
        run()
    times = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    return times
