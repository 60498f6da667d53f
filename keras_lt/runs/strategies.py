"""How a program spreads over devices and processes."""

import contextlib
import json
import os
import sys
import traceback
from collections.abc import Iterator

import keras

from keras_lt.devices import processes, tf_strategy
from keras_lt.preemption import STATUS, Preempted, asked
from keras_lt.runs.manner import Devices
from keras_lt.training import Diverged

SCOPES = contextlib.ExitStack()  # which must be kept
STRATEGIES = {
    "none": None,
    "mirrored": "tensorflow",
    "multi_worker": "tensorflow",
    "data_parallel": "jax",
}


def start(devices: Devices, *, side_by_side: bool = False) -> None:
    """Set up what `--strategy` asks for, before any model is built.

    Args:
        devices: Where to run.
        side_by_side: Whether seeds train side by side.

    Raises:
        ValueError: if the options do not fit each other or the backend.
    """
    chosen = devices.strategy
    names = ("coordinator", "num_processes", "process_id")
    given = [name for name in names if getattr(devices, name) is not None]
    if chosen not in STRATEGIES:
        raise ValueError(
            f"--strategy must be one of {(*STRATEGIES,)}, got {chosen!r}"
        )
    if given and chosen != "data_parallel":
        raise ValueError(f"--{given[0]} needs --strategy=data_parallel")
    if chosen == "none":
        return
    if keras.backend.backend() != STRATEGIES[chosen]:
        raise ValueError(
            f"--strategy={chosen} needs --backend={STRATEGIES[chosen]}"
        )
    if side_by_side:
        raise ValueError("--seeds and --strategy exclude each other")
    if chosen == "mirrored":
        _mirrored()
    elif chosen == "multi_worker":
        _multi_worker()
    else:
        _data_parallel(devices, names, given)


def _mirrored():
    """One process, all of its GPUs, or else its logical CPUs."""
    import tensorflow as tf

    devices = tf.config.list_logical_devices("GPU")
    devices = devices or tf.config.list_logical_devices("CPU")
    names = [device.name for device in devices]
    _enter(tf.distribute.MirroredStrategy(names))


def _multi_worker():
    """The processes that the variable TF_CONFIG names."""
    import tensorflow as tf

    try:
        job = json.loads(os.environ.get("TF_CONFIG", ""))
        number, kind = int(job["task"]["index"]), job["task"]["type"]
        job["cluster"][kind][number]
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise ValueError(
            "--strategy=multi_worker needs the variable TF_CONFIG, such as "
            '{"cluster": {"worker": ["HOST:PORT", ...]}, "task": {"type": '
            '"worker", "index": 0}}, got '
            f"{os.environ.get('TF_CONFIG')!r}"
        ) from error
    _enter(tf.distribute.MultiWorkerMirroredStrategy())


def _enter(strategy):
    """Build everything from now on for a strategy of tf.distribute."""
    SCOPES.enter_context(strategy.scope())


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """Keep the strategy while Keras forgets everything else."""
    distribution, strategy = (
        keras.distribution.distribution(),
        tf_strategy(),
    )
    yield
    keras.distribution.set_distribution(distribution)
    if strategy:
        _enter(strategy)


def _data_parallel(devices, names, given):
    """All devices of JAX, and of all processes."""
    if devices.coordinator == "auto":
        keras.distribution.initialize()
    elif given:
        _check_processes(devices, [name for name in names if name not in given])
        keras.distribution.initialize(
            devices.coordinator, devices.num_processes, devices.process_id
        )
    keras.distribution.set_distribution(
        keras.distribution.DataParallel(auto_shard_dataset=False)
    )


def _check_processes(devices, missing):
    if missing:
        raise ValueError(f"--{missing[0]} is missing for several processes")
    if not 0 <= devices.process_id < devices.num_processes:
        raise ValueError(
            f"--process_id must be from 0 to {devices.num_processes - 1}, got "
            f"{devices.process_id}"
        )


@contextlib.contextmanager
def lost_processes() -> Iterator[None]:
    """End this process soon, with one line, when another one of it ended."""
    number, count = processes()
    try:
        yield
    except Preempted as end:
        if count == 1:
            raise
        print(end.line, file=sys.stderr, flush=True)
        os._exit(STATUS)
    except Exception as error:
        if count == 1 or isinstance(error, Diverged):
            raise
        if asked():  # as the others were
            os._exit(STATUS)
        traceback.print_exc()
        print(
            f"error: process {number} ends, as it failed, or another "
            f"process of the job did ({type(error).__name__}); start all of "
            "them again with the same commands to resume",
            file=sys.stderr,
            flush=True,
        )
        os._exit(1)  # without waiting for the others to say goodbye
