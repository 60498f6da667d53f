"""Signals that ask a training to end, and what it does then.

While steps run, a checkpoint is written at the next step boundary; at other
times training ends at once, as all that it has done is on the disk. Where
neither comes to pass in time, because the compiler runs or a validation, the
process ends anyway: files are whole at any time.
"""

import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

SIGNALS = tuple(
    getattr(signal, name)
    for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1")
    if hasattr(signal, name)
)
STATUS = 75  # EX_TEMPFAIL: the same command goes on
GRACE = 25.0  # seconds from a signal to the end, whatever happens


class Preempted(SystemExit):
    """Training ended as a signal asked for it.

    Args:
        name: Of the signal.
        where: How far training came, for people.
    """

    def __init__(self, name: str, where: str):
        super().__init__(STATUS)
        self.line = f"{name}: {where}; the same command goes on"


class _State:
    asked: str | None = None  # name of the first signal
    steps = 0  # trainings that reach step boundaries now


def asked() -> str | None:
    """Name of the signal that asked training to end, if one did."""
    return _State.asked


@contextlib.contextmanager
def at_step_boundaries() -> Iterator[None]:
    """Let signals wait for the next step boundary while the context is open."""
    _State.steps += 1
    try:
        yield
    finally:
        _State.steps -= 1


@contextlib.contextmanager
def heeded(grace: float = GRACE) -> Iterator[None]:
    """Heed signals while the context is open; in the main thread only.

    Args:
        grace: Seconds after which the process ends, if nothing else ends it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    before = {number: signal.signal(number, _heed) for number in SIGNALS}
    wakeup = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    watch = threading.Thread(target=_watch, args=(ours, grace), daemon=True)
    watch.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(wakeup)
        for number, handler in before.items():
            signal.signal(number, handler)
        theirs.close()  # which ends the thread
        watch.join()
        ours.close()
        _State.asked = None


def _heed(number: int, frame: Any) -> None:
    """What Python does, when it runs in the main thread."""
    _State.asked = _State.asked or signal.Signals(number).name
    if not _State.steps:
        raise Preempted(_State.asked, "ended while no step ran")


def _watch(wakeup, grace):
    """Wait for a signal, which this sees even while the compiler runs."""
    while content := wakeup.recv(1):
        if content[0] in SIGNALS:
            break
    else:
        return
    first, end = content[0], time.monotonic() + grace
    with contextlib.suppress(TimeoutError):
        while content:
            wakeup.settimeout(max(end - time.monotonic(), 0.001))
            content = wakeup.recv(1)
            if content and first == content[0] == signal.SIGINT:
                break  # somebody is in a hurry
        else:
            return
    name = signal.Signals(first).name
    print(
        f"{name}: ended before the next step; the same command goes on from "
        "the last checkpoint",
        file=sys.stderr,
        flush=True,
    )
    os._exit(STATUS)
