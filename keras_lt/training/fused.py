"""Many training steps as one compiled program."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np


def fuse_steps(
    model: keras.Model, steps: int, *, steps_per_epoch: int | None = None
) -> None:
    """Make `fit` run several steps at a time, as one program.

    Small networks are bound by what a step costs beside its arithmetic. On
    TensorFlow this is Keras's own loop over steps; on JAX, where Keras loops in
    Python, the steps run in one `jax.lax.scan`. Metrics, loss scaling,
    constraints and distribution are those of the model's own step; callbacks
    of batches are called once for all steps that run together, as with
    `steps_per_execution`. Batches that do not fill a program, or differ in
    shape, run one by one.

    Args:
        model: Compiled; call this after each `compile`, before `fit`.
        steps: Steps of a program, >= 1.
        steps_per_epoch: As given to `fit`, where the data set is endless: the
            last program of an epoch then stops there. (On TensorFlow all are
            shortened to a divisor of it.)

    Raises:
        ValueError: if the model is not compiled, `steps` is not positive, or
            the backend is neither.

    Example:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> fuse_steps(model, 4)
        >>> x, y = np.zeros((32, 2)), np.zeros((32, 1))
        >>> history = model.fit(x, y, batch_size=4, verbose=0)
    """
    if steps < 1:
        raise ValueError(f"`steps` must be >= 1, got {steps}")
    if not model.compiled:
        raise ValueError("`model` must be compiled")
    backend = keras.backend.backend()
    if backend not in ("tensorflow", "jax"):
        raise ValueError(f"no fused steps on the backend {backend!r}")
    if backend == "tensorflow":
        # Its loop does not stop at the end of an epoch of endless data.
        whole = steps_per_epoch or steps
        steps = max(n for n in range(1, steps + 1) if whole % n == 0)
    model.steps_per_execution = steps
    if backend == "tensorflow":
        model.make_train_function(force=True)
    else:
        model.train_function = _jax_function(model, steps, steps_per_epoch)


def default_steps() -> int:
    """Steps of a program that suit the device.

    XLA's loops on a CPU run convolutions with less parallelism: 1 there. An
    accelerator waits for the host between short steps: 16 on JAX; 1 on
    TensorFlow, where this was not measured.
    """
    devices = keras.distribution.list_devices()
    on_cpu = all(device.startswith("cpu") for device in devices)
    return 1 if on_cpu or keras.backend.backend() != "jax" else 16


def _jax_function(model, steps, steps_per_epoch) -> Callable:
    functions = []
    number = itertools.count()

    def run(state: Any, iterator: Iterator) -> tuple:
        if not functions:  # now everything is built
            functions.extend(_compiled(model, state))
        one, many = functions
        wanted = steps
        if steps_per_epoch:
            programs = -(-steps_per_epoch // steps)
            done = next(number) % programs * steps
            wanted = min(steps, steps_per_epoch - done)
        batches = list(itertools.islice(iterator, wanted))
        if not batches:
            raise StopIteration
        if len(batches) == steps > 1 and _alike(batches):
            return many(state, _stack_on_host(batches))
        for batch in batches:
            logs, state = one(state, batch)
        return logs, state

    return run


def _compiled(model, state):
    """Functions of one step, and of a list or a stack of batches."""
    import jax

    def many(state, batches):
        if isinstance(batches, list):  # on devices already
            batches = jax.tree.map(lambda *x: jax.numpy.stack(x), *batches)

        def step(state, batch):
            logs, state = model.train_step(state, batch)
            return state, logs

        state, logs = jax.lax.scan(step, state, batches)
        return jax.tree.map(lambda values: values[-1], logs), state

    if model.run_eagerly or not model.jit_compile:
        return model.train_step, many
    options = {"donate_argnums": 0}
    if keras.distribution.distribution() is not None:
        shardings = jax.tree.map(lambda array: array.sharding, state)
        options["out_shardings"] = None, shardings
    return [jax.jit(f, **options) for f in (model.train_step, many)]


def _shapes(batch):
    return [np.shape(array) for array in keras.tree.flatten(batch)]


def _alike(batches) -> bool:
    return all(_shapes(batch) == _shapes(batches[0]) for batch in batches[1:])


def _stack_on_host(batches):
    """One array for each input, so that it travels once."""
    first = keras.tree.flatten(batches[0])
    if not all(isinstance(array, np.ndarray | type(None)) for array in first):
        return batches
    return keras.tree.map_structure(
        lambda *arrays: None if arrays[0] is None else np.stack(arrays),
        *batches,
    )
