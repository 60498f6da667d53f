"""The compiled programs that train on JAX: one step, many, many models."""

import functools
import itertools
import logging
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

from keras_lt.devices import on_accelerator, replicas
from keras_lt.training.engine.constants import constants
from keras_lt.training.engine.together import current

# Where a CPU took as long for 8 steps in a loop as for 8 steps alone: with a
# ResNet-8 and a ResNet-32 on 4x4 images, between batches of 2 and 8.
FLOPS_OF_A_CONVOLUTION = 150_000


def jax_function(
    model: keras.Model, steps: int, steps_per_epoch: int | None, data: Any
) -> Callable:
    """Make what takes the place of `model.train_function`, see `fuse_steps`."""
    programs = []
    number = itertools.count()
    baked_in = constants(model)  # later, `fit` holds the variables

    def run(state: Any, iterator: Iterator) -> tuple:
        if not programs:  # now everything is built
            programs.append(_Program(model, state, data, baked_in))
        wanted = steps
        if steps_per_epoch:
            in_epoch = -(-steps_per_epoch // steps)
            done = next(number) % in_epoch * steps
            wanted = min(steps, steps_per_epoch - done)
        batches = list(itertools.islice(iterator, wanted))
        if not batches:
            raise StopIteration
        if data is not None:  # what came through Keras is empty
            batches = data.take(len(batches))
        program, many = programs[0], len(batches) == steps > 1
        if many and _alike(batches) and program.loops_well(state, batches[0]):
            return program.run(state, _stack_on_host(batches), many=True)
        for batch in batches:
            logs, state = program.run(state, batch, many=False)
        return logs, state

    return run


class _Program:
    """The step of a model, alone or in a loop, compiled for JAX."""

    def __init__(self, model, state, data, baked_in):
        import jax

        self.data = data
        self.model = model
        self.kind = str(_shapes(state)), baked_in
        # Where scalars lie, all that is not split over devices can lie.
        self.place = jax.tree.leaves(state)[-1].sharding
        self.placed = {}
        self.joint = {}
        self.loops = None
        self.plain = {False: self._one, True: self._many}
        self.functions = self.plain
        self.compile = not model.run_eagerly and model.jit_compile
        if not self.compile:
            return
        options = {"donate_argnums": 0}
        if keras.distribution.distribution() is not None:
            shardings = jax.tree.map(lambda array: array.sharding, state)
            options["out_shardings"] = None, shardings
        self.functions = {
            many: jax.jit(step, **options) for many, step in self.plain.items()
        }

    def loops_well(self, state, batch) -> bool:
        """Whether steps in a loop are as fast as one by one.

        In a loop XLA's CPU compiler gives up its fast convolutions.
        """
        if self.loops is None:
            self.loops = on_accelerator() or self._has_tiny_ops(state, batch)
            if not self.loops:
                _say_that_steps_run_one_by_one()
        return self.loops

    def _has_tiny_ops(self, state, batch):
        import jax

        lowered = jax.jit(self._one).lower(state, self.arrays(), batch)
        convolutions = lowered.as_text().count("stablehlo.convolution")
        flops = lowered.cost_analysis()["flops"]
        return (
            flops <= FLOPS_OF_A_CONVOLUTION * convolutions or not convolutions
        )

    def run(self, state, batch, *, many):
        hub = current()
        if hub is not None:
            key = many, str(_shapes(batch)), self.kind
            run = functools.partial(_run_together, vectorised=hub.vectorised)
            return hub.meet(key, (self, state, batch, many), run)
        return self.functions[many](state, self.arrays(), batch)

    def arrays(self, first=None):
        """Arrays on the device, of `first` those that are the same."""
        import jax

        if self.data is not None and not self.placed:
            theirs = {} if first in (None, self) else first.arrays()
            self.placed = {
                name: theirs[name]
                if name in theirs and first.data.arrays[name] is array
                else jax.device_put(array, self.place)
                for name, array in self.data.arrays.items()
            }
        return self.placed

    def _one(self, state, arrays, batch):
        import jax

        if self.data is not None:
            # In float32 as on the host, not in fewer bits for speed.
            with jax.default_matmul_precision("highest"):
                batch = self.data(arrays, batch, keras.ops)
            batch = jax.tree.map(self._split, batch)
        return self.model.train_step(state, batch)

    def _split(self, array):
        """Split a batch over the devices of a distribution, if it can be."""
        import jax

        distribution = keras.distribution.distribution()
        if distribution is None or len(array) % replicas():
            return array
        layout = distribution.get_data_layout(array.shape).backend_layout
        return jax.lax.with_sharding_constraint(array, layout)

    def _many(self, state, arrays, batches):
        import jax

        if isinstance(batches, list):  # on devices already
            batches = jax.tree.map(lambda *x: jax.numpy.stack(x), *batches)

        def step(state, batch):
            logs, state = self._one(state, arrays, batch)
            return state, logs

        state, logs = jax.lax.scan(step, state, batches)
        return jax.tree.map(lambda values: values[-1], logs), state


def _run_together(requests, vectorised):
    """Run the same program for several models, as one or in turn."""
    programs, states, batches, (many, *_) = zip(*requests, strict=True)
    first = programs[0]
    if not vectorised or len(requests) == 1:
        step = first.functions[many]
        return [
            step(state, program.arrays(first), batch)
            for program, state, batch in zip(
                programs, states, batches, strict=True
            )
        ]
    key = many, *map(id, programs)
    if key not in first.joint:
        first.joint[key] = _joint(programs, many)
    run, arrays = first.joint[key]
    return run(states, arrays, batches)


def _joint(programs, many):
    """A function of all states and batches, and the arrays it needs."""
    import jax

    first = programs[0]
    arrays, axes = dict(first.arrays()), {}
    for name in first.arrays():
        theirs = [program.data.arrays[name] for program in programs]
        shared = all(array is theirs[0] for array in theirs)
        axes[name] = None if shared else 0
        if not shared:
            each = [program.arrays(first)[name] for program in programs]
            arrays[name] = jax.numpy.stack(each)

    def stack(trees):
        return jax.tree.map(lambda *x: jax.numpy.stack(x), *trees)

    def pick(trees, i):
        return jax.tree.map(lambda values: values[i], trees)

    def run(states, arrays, batches):
        step = jax.vmap(first.plain[many], (0, axes, 0))
        found = step(stack(states), arrays, stack(batches))
        return [pick(found, i) for i in range(len(programs))]

    return jax.jit(run, donate_argnums=0) if first.compile else run, arrays


@functools.cache  # once a process
def _say_that_steps_run_one_by_one():
    logging.getLogger(__name__).warning(
        "steps run one by one: on a CPU, XLA computes convolutions of this "
        "size many times slower in a loop"
    )


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
