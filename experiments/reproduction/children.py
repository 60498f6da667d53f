"""Processes that end with the one that started them."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
PR_SET_PDEATHSIG = 1  # of Linux: which signal the end of a parent is


def start(command: Sequence[str], **options: Any) -> subprocess.Popen:
    """Start a process that ends with this one.

    It has a process group of its own, so that what it starts ends with it;
    and where this process is killed so that it can do nothing more, the
    system tells the child.

    Args:
        command: The program and its arguments.
        **options: Of `subprocess.Popen`.
    """
    follow = [sys.executable, __file__, str(os.getpid()), *command]
    return subprocess.Popen(follow, process_group=0, **options)


def follow(parent: int, command: Sequence[str]) -> None:
    """Become a program that ends with its parent."""
    with contextlib.suppress(OSError, AttributeError):  # not on Linux
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() == parent:  # else it was killed meanwhile
        os.execvp(command[0], command)


@contextlib.contextmanager
def ending(running: Mapping[Any, tuple[Any, Any]]) -> Iterator[None]:
    """End processes when the context ends, by a signal or otherwise.

    They get time to write a checkpoint.

    Args:
        running: Has each process as the second of a pair.
    """

    def leave(number, frame):
        sys.exit(128 + number)

    before = {number: signal.signal(number, leave) for number in ENDING}
    try:
        yield
    finally:
        for _, process in running.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for _, process in running.values():
            process.wait()
        for number, handler in before.items():
            signal.signal(number, handler)


def reason(status: int) -> str:
    """What a process's status says of its end, for people."""
    if status >= 0:
        return ""
    return f" ({signal.Signals(-status).name} ended it)"


if __name__ == "__main__":
    follow(int(sys.argv[1]), sys.argv[2:])
