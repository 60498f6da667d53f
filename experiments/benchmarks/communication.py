"""What devices tell each other in a step of training, and what it costs."""

import math
import re

import keras
import numpy as np

from keras_lt import methods, training
from keras_lt.keras_internals import build_from, jax_state
from keras_lt.problem import Problem

COLLECTIVE = re.compile(
    r"= (.*?) (?:all-reduce|all-gather|reduce-scatter|all-to-all|"
    r"collective-permute)(?:-start)?\("
)
ARRAY = re.compile(r"\b([a-z]+)(\d+)\[([\d,]*)\]")
# Assumed, not measured: a device trains ResNet-50 at this rate on this many
# images a step; a machine of 8 devices; bytes a second of a device within the
# machine and between machines; what a collective waits for each doubling.
RATE, SHARE = 2500, 128
INSIDE, BETWEEN, LATENCY = 400e9, 50e9, 10e-6
MACHINE = 8


def measure_communication(flags) -> dict:
    """Bytes and collectives of a step, and the speed that this leaves."""
    if keras.backend.backend() != "jax":
        raise ValueError("communication needs --backend=jax")
    distribution = keras.distribution.DataParallel(auto_shard_dataset=False)
    keras.distribution.set_distribution(distribution)
    found = {}
    for name, synchronised in (("replica", False), ("sync", True)):
        parameters, program = _program(flags, synchronised)
        found["parameter_bytes"] = parameters
        size, count = collectives(program)
        found[f"{name}_bytes"] = size
        found[f"{name}_collectives"] = count
        found[f"{name}_bytes_per_parameter_byte"] = size / parameters
        for devices in (8, 64, 512):
            seconds = projected(size, count, devices)
            share = SHARE / RATE / (SHARE / RATE + seconds)
            found[f"{name}_projected_{devices}_ms"] = 1e3 * seconds
            found[f"{name}_projected_{devices}_efficiency"] = share
    return found


def _program(flags, synchronised):
    """Bytes of the weights, and the compiled step as text."""
    import jax

    size = flags.image_size or 32
    problem = Problem((size, size, 3), (10,) * flags.classes)
    recipe = methods.METHODS[flags.method](problem, backbone=flags.backbone)
    stage = recipe.stages[0]
    model = stage.setup(recipe.build())
    if synchronised:
        training.synchronize_batch_norm(model)
    model.compile(stage.optimizer(1), stage.loss)
    batch = flags.batch_size or 2 * jax.device_count()
    images = np.zeros((batch, size, size, 3), "uint8")
    batch = images, np.zeros(batch, "int64")
    build_from(model, batch)
    state = jax_state(model)
    layout = keras.distribution.distribution().get_data_layout
    batch = jax.tree.map(
        lambda x: jax.device_put(x, layout(x.shape).backend_layout), batch
    )
    shardings = jax.tree.map(lambda array: array.sharding, state)
    step = jax.jit(model.train_step, out_shardings=(None, shardings))
    weights = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
    return 4 * weights, step.lower(state, batch).compile().as_text()


def collectives(program: str) -> tuple[int, int]:
    """Bytes that the collectives of a compiled program reduce, and how many."""
    found = COLLECTIVE.findall(program)
    size = sum(
        int(bits) // 8 * math.prod(int(n) for n in shape.split(",") if n)
        for arrays in found
        for _, bits, shape in ARRAY.findall(arrays)
    )
    return size, len(found)


def projected(size: int, count: int, devices: int) -> float:
    """Seconds of communication in a step, none of it hidden behind work.

    A ring sends 2 (n - 1) / n of the bytes through each device, at the speed
    of the slowest link; each collective also waits for log2(n) hops.
    """
    speed = INSIDE if devices <= MACHINE else BETWEEN
    sent = 2 * (devices - 1) / devices * size / speed
    return sent + count * LATENCY * math.log2(devices)
