"""How a program spreads over devices and processes."""

import contextlib
import os
import sys
import traceback

import keras

from keras_lt.devices import processes

STRATEGIES = ("none", "data_parallel")


def start(flags) -> None:
    """Set up what `--strategy` asks for, before any model is built.

    Raises:
        ValueError: if the flags do not fit each other or the backend.
    """
    names = ("coordinator", "num_processes", "process_id")
    given = [name for name in names if flags[name].value is not None]
    if flags.strategy not in STRATEGIES:
        raise ValueError(
            f"--strategy must be one of {STRATEGIES}, got {flags.strategy!r}"
        )
    if flags.strategy == "none":
        if given:
            raise ValueError(f"--{given[0]} needs --strategy=data_parallel")
        return
    if keras.backend.backend() != "jax":
        raise ValueError("--strategy=data_parallel needs --backend=jax")
    if flags.seeds:
        raise ValueError("--seeds and --strategy exclude each other")
    if flags.coordinator == "auto":
        keras.distribution.initialize()
    elif given:
        _check_processes(flags, [name for name in names if name not in given])
        keras.distribution.initialize(
            flags.coordinator, flags.num_processes, flags.process_id
        )
    keras.distribution.set_distribution(
        keras.distribution.DataParallel(auto_shard_dataset=False)
    )


def _check_processes(flags, missing):
    if missing:
        raise ValueError(f"--{missing[0]} is missing for several processes")
    if not 0 <= flags.process_id < flags.num_processes:
        raise ValueError(
            f"--process_id must be from 0 to {flags.num_processes - 1}, got "
            f"{flags.process_id}"
        )


@contextlib.contextmanager
def lost_processes():
    """End this process soon, with one line, when another one of it ended."""
    try:
        yield
    except Exception as error:
        number, count = processes()
        if count == 1:
            raise
        traceback.print_exc()
        print(
            f"error: process {number} ends, as it failed, or another "
            f"process of the job did ({type(error).__name__}); start all of "
            "them again with the same commands to resume",
            file=sys.stderr,
            flush=True,
        )
        os._exit(1)  # without waiting for the others to say goodbye
