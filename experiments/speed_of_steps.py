"""How fast networks train: ours, Keras's own `fit`, one scan, and PyTorch."""

import dataclasses
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import time

import keras
import numpy as np
from timing import medians

from keras_lt import data, methods, models, optimizers, training
from keras_lt.devices import on_accelerator

RANDOM = np.random.default_rng(0)
SEEDS = 3
TORCH = ("torch_eager", "torch_channels_last", "torch_compile")


def measure_overhead(flags) -> dict:
    """Milliseconds of a step of `fit`, against one compiled loop."""
    steps, batch = flags.steps, flags.batch_size or 2
    size = flags.image_size or 4
    images = _pixels(steps * batch, size)
    labels = RANDOM.integers(0, 10, steps * batch)
    problem = training.Problem((size, size, 3), (10,) * 10)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def compiled():
        model = models.classifier(flags.backbone, problem)
        optimizer = optimizers.SGD(1e-3, momentum=0.9, l2=5e-4)
        model.compile(optimizer, loss, jit_compile=_jit())
        return model

    def fit(fused):
        model = compiled()
        if fused:
            training.fuse_steps(model, fused)
        options = {"batch_size": batch, "shuffle": False, "verbose": 0}
        return lambda: model.fit(images, labels, **options)

    contenders = {
        "fit": fit(steps),
        "stock_fit": fit(None),
        "default_fit": fit(training.default_steps()),
    }
    if _on_jax():
        arrays = (images, labels)
        stacked = [a.reshape(steps, batch, *a.shape[1:]) for a in arrays]
        contenders["scan"] = _scan(compiled(), loss, stacked)
    contenders |= _torch(flags, "ce", (100,) * 10, size, batch, workers=0)
    found = medians(_chosen(contenders, flags), flags.rounds)
    return {f"{k}_ms": 1e3 * v / steps for k, v in found.items()}


def measure_train(flags) -> dict:
    """Images a second in training, at real sizes, augmentation included."""
    keras.config.set_dtype_policy(flags.precision)
    size, batch = flags.image_size or 32, flags.batch_size or 128
    counts = data.exponential_counts(100, 500, 100)
    labels = np.repeat(np.arange(100), counts)
    train = _pixels(len(labels), size), labels
    problem = training.Problem((size, size, 3), counts)
    recipe = methods.METHODS[flags.method](problem, backbone=flags.backbone)
    stage = dataclasses.replace(recipe.stages[0], batch_size=batch)
    augment = data.DATASETS["cifar100_lt"].augment
    steps = flags.steps

    def compiled():
        model = stage.setup(recipe.build())
        metrics = recipe.metrics()
        model.compile(
            stage.optimizer(steps),
            stage.loss,
            metrics=metrics,
            jit_compile=_jit(),
        )
        return model

    def loader(kind):
        return data.Loader(train, augment=augment, kind=kind)

    def fit(kind=None, fused=1):
        model, source = compiled(), loader(kind)
        device = source.on_device(stage)
        if fused > 1 or device:
            training.fuse_steps(
                model, fused, steps_per_epoch=steps, data=device
            )
        return lambda: model.fit(
            source.train(stage, seed=0),
            steps_per_epoch=steps,
            shuffle=False,
            verbose=0,
        )

    default = training.default_steps()
    contenders = {"fit": fit(fused=default), "stock_fit": fit("numpy")}
    if _on_jax():
        contenders["device_fit"] = fit("device", default)
        batches = loader("numpy").train(stage, seed=0)
        parts = zip(*(batches[i] for i in range(steps)), strict=True)
        stacked = [np.stack(part) for part in parts]
        contenders["scan"] = _scan(compiled(), stage.loss, stacked)
        several = [fit(None, default) for _ in range(SEEDS)]
        contenders[f"{SEEDS}_seeds"] = lambda: training.together(several)
    contenders |= _torch(flags, flags.method, counts, size, batch)
    found = medians(_chosen(contenders, flags), flags.rounds)
    models_of = {f"{SEEDS}_seeds": SEEDS}
    result = {
        f"{name}_per_s": models_of.get(name, 1) * steps * batch / seconds
        for name, seconds in found.items()
    }
    # Forward, and twice as much backward; an operation is two of these.
    flops = 6 * models.count_macs(compiled()) * [*result.values()][0]
    peak = _matmul_peak()
    return result | {
        "achieved_flops": flops,
        "matmul_flops": peak,
        "share_of_matmul": flops / peak,
    }


def _chosen(contenders, flags):
    names = flags.contenders or [*contenders]
    if missing := [n for n in names if n not in (*contenders, *TORCH)]:
        raise ValueError(
            f"--contenders must be of {[*contenders]}, got {missing}"
        )
    return {name: contenders[name] for name in names if name in contenders}


def _pixels(number, size):
    return RANDOM.integers(0, 256, (number, size, size, 3), "uint8")


def _on_jax():
    return keras.backend.backend() == "jax"


def _jit():
    return _on_jax() or on_accelerator()


def _scan(model, loss, batches):
    """The limit: the same arithmetic in one `jax.lax.scan`, without Keras."""
    import jax

    optimizer = model.optimizer
    optimizer.build(model.trainable_variables)

    def objective(trainable, fixed, x, y):
        logits, fixed = model.stateless_call(trainable, fixed, x, training=True)
        return loss(y, logits), fixed

    def step(state, batch):
        trainable, fixed, slots = state
        gradient = jax.value_and_grad(objective, has_aux=True)
        (value, fixed), slopes = gradient(trainable, fixed, *batch)
        trainable, slots = optimizer.stateless_apply(slots, slopes, trainable)
        return (trainable, fixed, slots), value

    loop = jax.jit(lambda state, data: jax.lax.scan(step, state, data))
    variables = (
        model.trainable_variables,
        model.non_trainable_variables,
        optimizer.variables,
    )
    state = [[v.value for v in group] for group in variables]
    batches = jax.device_put(tuple(batches))

    def run():
        nonlocal state
        state, values = loop(tuple(state), batches)
        jax.block_until_ready(values)

    return run


def _matmul_peak(rounds=5):
    """Operations a second of a large product of matrices, the best of some."""
    size, times = 8192 if on_accelerator() else 2048, []
    matrix = keras.ops.ones((size, size)) / size
    for _ in range(rounds + 1):
        start = time.perf_counter()
        product = matrix
        for _ in range(4):
            product = keras.ops.matmul(product, matrix)
        float(product[0, 0])
        times.append(time.perf_counter() - start)
    return 4 * 2 * size**3 / min(times[1:])


def _torch(flags, method, counts, size, batch, workers=None):
    """Contenders in a process of their own, or a line that says why not."""
    wanted = [n for n in TORCH if n in (flags.contenders or TORCH)]
    if not wanted:
        return {}
    if not importlib.util.find_spec("torch"):
        print("PyTorch is not installed: no PyTorch loop takes part")
        return {}
    settings = {
        "method": method,
        "class_counts": [*map(int, counts)],
        "depth": int(flags.backbone.removeprefix("resnet")),
        "size": size,
        "batch_size": batch,
        "steps": flags.steps,
        "workers": os.cpu_count() if workers is None else workers,
    }
    program = pathlib.Path(__file__).with_name("torch_reference.py")
    server = subprocess.Popen(
        [sys.executable, program, json.dumps(settings)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def ask(name):
        print(name, file=server.stdin, flush=True)
        return json.loads(server.stdout.readline())

    contenders = {}
    for name in wanted:
        answer = ask(name)
        if isinstance(answer, str):
            print(f"{name} does not take part: {answer}")
        else:
            contenders[name] = lambda name=name: ask(name)
    return contenders
