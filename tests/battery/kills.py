"""Kills, signals and full disks, in every moment that changes a file."""

import contextlib
import errno
import os
import pathlib
import shutil
import signal
from unittest import mock

import numpy as np
from battery import small

from keras_lt import preemption
from keras_lt.training import Preempted


@contextlib.contextmanager
def pictured(workdir, into):
    """Copy a folder before every event, as a kill then would leave it.

    Events are a file that is synchronised, gets its name, or goes.
    """
    own = {name: getattr(os, name) for name in ("fsync", "replace", "unlink")}
    pictures = []

    def seen(name):
        def event(*arguments, **options):
            if workdir.exists():
                pictures.append(into / str(len(pictures)))
                shutil.copytree(workdir, pictures[-1])
            return own[name](*arguments, **options)

        return event

    with contextlib.ExitStack() as patches:
        for name in own:
            patches.enter_context(mock.patch.object(os, name, seen(name)))
        yield pictures


def same(outcome, workdir, whole):
    """Whether a run ended in the same bits, and says the same of itself."""
    expected, there = whole
    weights = outcome.model.get_weights(), expected.model.get_weights()
    return (
        all(np.array_equal(*pair) for pair in zip(*weights, strict=True))
        and small.lines(workdir) == small.lines(there)
        and outcome.records == expected.records
    )


def kills(folder, every, **how):
    """Kill a run before every n-th event; count those that end equal.

    Returns:
        How many there were, and a line about each that did not.
    """
    folder = pathlib.Path(folder)
    whole = small.train(folder / "whole", **how), folder / "whole"
    workdir = folder / "run"
    with pictured(workdir, folder) as pictures:
        small.train(workdir, **how)
    wrong = []
    tried = pictures[::every]
    for picture in tried:
        try:
            if not same(small.train(picture, **how), picture, whole):
                wrong.append(f"{picture.name}: other bits")
        except Exception as error:
            wrong.append(f"{picture.name}: {error!r}")
    return len(tried), wrong


def full_disks(folder, every, **how):
    """Let every n-th write find the disk full; then there is room again."""
    folder, wrong, tried = pathlib.Path(folder), [], 0
    whole = small.train(folder / "whole", **how), folder / "whole"
    write = pathlib.Path.write_bytes
    number, fails = 0, None

    def full(path, content):
        nonlocal number
        number += 1
        if number == fails:
            write(path, bytes(content)[: len(content) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, content)

    with mock.patch.object(pathlib.Path, "write_bytes", full):
        small.train(folder / "counted", **how)
        writes = number
        for fails in range(1, writes + 1, every):
            number, workdir, tried = 0, folder / f"full{fails}", tried + 1
            with contextlib.suppress(OSError):
                small.train(workdir, **how)
            number = writes + 1
            if not same(small.train(workdir, **how), workdir, whole):
                wrong.append(f"write {fails}: other bits")
    return tried, wrong


def signals(folder, train, places):
    """Send every signal within an epoch; go on, and compare.

    Args:
        folder: Where to.
        train: Function from a folder and maybe a callback to an `Outcome`.
        places: Signal, epoch and step of each trial.
    """
    folder, wrong = pathlib.Path(folder), []
    expected = train(folder / "whole", None)
    for name, epoch, step in places:
        workdir = folder / f"{name}-{epoch}-{step}"
        number = getattr(signal, name)
        act = small.Act(lambda n=number: os.kill(os.getpid(), n), epoch, step)
        try:
            with preemption.heeded():
                train(workdir, act)
            wrong.append(f"{name}: went on")
        except Preempted as end:
            if end.code != preemption.STATUS:
                wrong.append(f"{name}: status {end.code}")
        found = train(workdir, None)
        weights = found.model.get_weights(), expected.model.get_weights()
        if not all(np.array_equal(*p) for p in zip(*weights, strict=True)):
            wrong.append(f"{name} in epoch {epoch}, step {step}: other bits")
    return len(places), wrong
