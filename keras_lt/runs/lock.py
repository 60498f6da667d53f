"""One process a folder."""

import contextlib
import json
import os
import pathlib
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

BEAT = 20.0  # seconds between two signs of life
DEAD = 600.0  # seconds without one, after which a process elsewhere is dead


class Locked(ValueError):
    """Another process works on a folder."""


@contextlib.contextmanager
def locked(path: pathlib.Path, what: str) -> Iterator[None]:
    """Hold a lock file while the context is open.

    It is made in one step, so that it also works where several machines see
    the folder. What a process left that was killed does not count: here that
    is seen by its number, elsewhere by its signs of life, the file's time.

    Args:
        path: Of the lock file.
        what: What it is for, for the message.

    Raises:
        Locked: if another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if holder := held_by(path):
        raise Locked(f"{what} is in use by {holder}")
    token = {**_who(os.getpid()), "token": secrets.token_hex(8)}
    _discard(path)
    try:
        _create(path, token)
    except FileExistsError as error:  # somebody was faster
        holder = held_by(path) or "another process"
        raise Locked(f"{what} is in use by {holder}") from error
    stop = threading.Event()
    beat = threading.Thread(target=_beat, args=(path, stop), daemon=True)
    beat.start()
    try:
        yield
    finally:
        stop.set()
        beat.join()
        if _read(path) == token:
            path.unlink(missing_ok=True)


def held_by(path: pathlib.Path) -> str | None:
    """Who holds a lock file, for people; None if nobody does any more."""
    try:
        age = _now_there(path) - path.stat().st_mtime
    except FileNotFoundError:
        return None
    holder = _read(path)
    if not isinstance(holder.get("pid"), int):  # cut off, or being written
        return "a process that begins" if age < BEAT else None
    if holder.get("host") != socket.gethostname():
        alive = age < DEAD
    else:
        alive = _who(holder["pid"])["started"] == holder.get("started")
        alive = alive and holder.get("started") is not None
    if not alive:
        return None
    return f"process {holder['pid']} on {holder.get('host')!r:.60}"


def _who(pid: int) -> dict[str, Any]:
    """What tells a process from a later one with its number."""
    started = None
    with contextlib.suppress(OSError, IndexError):
        boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text()
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text()
        # After the name, in brackets; a zombie is dead.
        state, *rest = fields.rpartition(")")[2].split()
        started = None if state in "ZX" else f"{boot.strip()} {rest[18]}"
    return {"host": socket.gethostname(), "pid": pid, "started": started}


def _create(path, token):
    """Make the file with its content in one step."""
    aside = path.with_name(f"{path.name}.{token['token']}.partial")
    aside.write_text(json.dumps(token))
    try:
        os.link(aside, path)
    except FileExistsError:
        raise
    except OSError:  # no links there
        with open(path, "x") as file:
            file.write(json.dumps(token))
    finally:
        aside.unlink()


def _discard(path):
    """Remove what a dead process left; nothing that a living one made."""
    dead = path.with_name(f"{path.name}.{secrets.token_hex(8)}.partial")
    try:
        os.rename(path, dead)
    except FileNotFoundError:
        return
    if held_by(dead):  # another process has removed it, and made its own
        with contextlib.suppress(OSError):
            os.link(dead, path)
    dead.unlink(missing_ok=True)


def _read(path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _now_there(path):
    """The time by the clock of the file's machine."""
    probe = path.with_name(f"{path.name}.{secrets.token_hex(8)}.partial")
    try:
        probe.touch()
        return probe.stat().st_mtime
    except PermissionError:
        return time.time()
    finally:
        with contextlib.suppress(OSError):
            probe.unlink()


def _beat(path, stop):
    while not stop.wait(BEAT):
        with contextlib.suppress(OSError):
            os.utime(path)
