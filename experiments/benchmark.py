"""Measure speeds: python experiments/benchmark.py WHAT.

WHAT is `overhead`, what a training step costs beside its arithmetic, `input`,
batches of images a second, or `sampler`, draws a second. The contenders take
turns in one process; printed are medians in milliseconds or per second, ratios,
and one line of JSON.
"""

import json
import sys

import command_line
from absl import flags
from timing import medians

FLAGS = flags.FLAGS


def define_flags() -> None:
    """Declare the flags, in the order in which `--help` shows them."""
    flags.DEFINE_string("backend", None, "tensorflow or jax.")
    flags.DEFINE_string("backbone", "resnet32", "Network of `overhead`.")
    flags.DEFINE_integer("image_size", 4, "Pixels of a side, in `overhead`.")
    flags.DEFINE_integer(
        "batch_size",
        None,
        "Images a step. Default: 2 in `overhead`, 128 in `input`.",
    )
    flags.DEFINE_integer("steps", 50, "Steps or batches of a measurement.")
    flags.DEFINE_integer("rounds", 7, "Measurements of each contender.")


def measure_overhead() -> dict:
    """A step of `fit`, fused and stock, against one compiled loop."""
    import keras
    import numpy as np

    from keras_lt import models, optimizers, training

    steps, batch = FLAGS.steps, FLAGS.batch_size or 2
    shape = (FLAGS.image_size, FLAGS.image_size, 3)
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (steps * batch, *shape), "uint8")
    labels = random.integers(0, 10, steps * batch)
    problem = training.Problem(shape, (10,) * 10)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def compiled():
        model = models.classifier(FLAGS.backbone, problem)
        optimizer = optimizers.SGD(1e-3, momentum=0.9, l2=5e-4)
        on_jax = keras.backend.backend() == "jax"
        model.compile(optimizer, loss, jit_compile=on_jax)
        return model

    def fit(model):
        options = {"batch_size": batch, "shuffle": False, "verbose": 0}
        return lambda: model.fit(images, labels, **options)

    fused, default = compiled(), compiled()
    training.fuse_steps(fused, steps)
    training.fuse_steps(default, training.default_steps())
    contenders = {
        "stock_fit": fit(compiled()),
        "fit": fit(fused),
        "default_fit": fit(default),
    }
    if keras.backend.backend() == "jax":
        data = (images, labels)
        stacked = [a.reshape(steps, batch, *a.shape[1:]) for a in data]
        contenders["scan"] = _scan(compiled(), loss, stacked)
    found = medians(contenders, FLAGS.rounds)
    return {f"{k}_ms": 1e3 * v / steps for k, v in found.items()}


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

    def run():
        nonlocal state
        state, values = loop(tuple(state), tuple(batches))
        jax.block_until_ready(values)

    return run


def measure_input() -> dict:
    """Images a second of training batches, by input path."""
    import dataclasses
    import itertools

    import numpy as np

    from keras_lt import data, methods, training

    batch = FLAGS.batch_size or 128
    published = data.DATASETS["cifar100_lt"].augment
    pixels = np.random.default_rng(0).integers(
        0, 256, (10_000, 32, 32, 3), "uint8"
    )
    labels = np.arange(10_000) % 100
    problem = training.Problem((32, 32, 3), (100,) * 100)
    recipe = methods.METHODS["ssd"](problem)
    turned = dataclasses.replace(published, rotation=15.0)
    second_view = dataclasses.replace(published, **recipe.second_view)
    views = {
        "crop_flip": (published, False),
        "crop_flip_rotate": (turned, False),
        "two_views": (published, True),
    }
    contenders = {}
    for kind in _kinds():
        for name, (augment, two) in views.items():
            loader = data.Loader(
                (pixels, labels),
                augment=augment,
                second_view=second_view,
                kind=kind,
            )
            stage = training.Stage(
                name=name, epochs=1, batch_size=batch, two_views=two
            )
            batches = loader.train(stage, seed=0)
            if kind == "numpy":
                stream = map(batches.__getitem__, itertools.count())
            else:
                stream = iter(batches)
            contenders[f"{kind}_{name}"] = lambda stream=stream: [
                next(stream) for _ in range(FLAGS.steps)
            ]
    found = medians(contenders, FLAGS.rounds)
    images = FLAGS.steps * batch
    return {f"{k}_per_s": images / v for k, v in found.items()}


def _kinds():
    import importlib.util

    tensorflow = importlib.util.find_spec("tensorflow")
    return ("numpy", "tf.data") if tensorflow else ("numpy",)


def measure_sampler() -> dict:
    """Draws a second of each sampler at the size of iNaturalist 2018."""
    import tracemalloc

    import numpy as np

    from keras_lt import samplers

    counts = np.geomspace(1000, 2, 8142)
    counts = np.maximum(counts * (437_513 / counts.sum()), 1).astype(int)
    counts[0] += 437_513 - counts.sum()
    labels = np.repeat(np.arange(8142), counts)
    made = {name: make(90) for name, make in samplers.SAMPLERS.items()}
    contenders = {
        name: lambda draw=draw: draw(labels, seed=0, epoch=1)
        for name, draw in made.items()
    }
    found = medians(contenders, FLAGS.rounds)
    result = {f"{k}_per_s": len(labels) / v for k, v in found.items()}
    for name, run in contenders.items():
        tracemalloc.start()
        run()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        result[f"{name}_bytes_per_image"] = peak / len(labels)
    return result


WHAT = {
    "overhead": measure_overhead,
    "input": measure_input,
    "sampler": measure_sampler,
}


def prepare(argv: list[str]) -> str:
    """Parse the flags and return what to measure."""
    (what,) = command_line.parse(argv, ["WHAT"])
    if what not in WHAT:
        raise ValueError(f"WHAT must be one of {[*WHAT]}, got {what!r}")
    command_line.set_backend(FLAGS.backend)
    return what


def main(argv: list[str]) -> None:
    """Measure and print."""
    define_flags()
    if command_line.wants_help(argv):
        command_line.print_help(__doc__, FLAGS)
        return
    what = command_line.checked(prepare, argv)
    found = WHAT[what]()
    first = next(iter(found.values()))
    for name, value in found.items():
        print(f"{name:<32}{value:>14,.2f}{value / first:>10.2f}")
    print(json.dumps({k: round(v, 4) for k, v in found.items()}))


if __name__ == "__main__":
    main(sys.argv)
