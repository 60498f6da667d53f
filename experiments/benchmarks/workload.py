"""What `overhead` and `train` train: networks, batches, ways to take steps."""

import dataclasses
import json
import sys
from collections.abc import Callable

import keras
import numpy as np

from benchmarks import child
from keras_lt import data, methods, models, optimizers, training
from keras_lt.devices import on_accelerator
from keras_lt.problem import Problem


@dataclasses.dataclass(frozen=True)
class Options:
    """Equal ones train the same in any process.

    Args:
        what: "overhead" or "train".
        method: Of `train`.
        backbone: Network.
        size: Pixels of a side.
        batch: Images a step.
        steps: Steps of a turn.
        precision: Policy of Keras.
    """

    what: str
    method: str
    backbone: str
    size: int
    batch: int
    steps: int
    precision: str


def on_jax() -> bool:
    """Whether the backend is JAX."""
    return keras.backend.backend() == "jax"


class Overhead:
    """Steps of almost no arithmetic, on arrays.

    Args:
        options: What to train.
    """

    counts = (100,) * 10

    def __init__(self, options: Options):
        self.options = options
        number = options.steps * options.batch
        self.images = _pixels(number, options.size)
        self.labels = np.random.default_rng(1).integers(0, 10, number)
        self.loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        shape = (options.size, options.size, 3)
        self.problem = Problem(shape, self.counts)

    def model(self) -> keras.Model:
        """Return a new compiled model."""
        model = models.classifier(self.options.backbone, self.problem)
        optimizer = optimizers.SGD(1e-3, momentum=0.9, l2=5e-4)
        model.compile(optimizer, self.loss, jit_compile=_jit())
        return model

    def fit(self, fused: int | None) -> Callable[[], None]:
        """Epochs of `fit`: Keras's own for None, else with fused steps."""
        model = self.model()
        if fused:
            training.fuse_steps(model, fused)
        options = {"shuffle": False, "verbose": 0}
        return lambda: model.fit(
            self.images, self.labels, batch_size=self.options.batch, **options
        )

    def ours(self) -> Callable[[], None]:
        """Return what the comparison is about."""
        return self.fit(self.options.steps)

    def scan(self) -> Callable[[], None]:
        """Return the limit, see `scan`."""
        steps, batch = self.options.steps, self.options.batch
        arrays = (self.images, self.labels)
        stacked = [a.reshape(steps, batch, *a.shape[1:]) for a in arrays]
        return scan(self.model(), self.loss, stacked)


class Train:
    """A method's first stage at real sizes, augmentation included.

    Args:
        options: What to train.
    """

    counts = tuple(map(int, data.exponential_counts(100, 500, 100)))

    def __init__(self, options: Options):
        self.options = options
        labels = np.repeat(np.arange(100), self.counts)
        self.images = _pixels(len(labels), options.size), labels
        shape = (options.size, options.size, 3)
        problem = Problem(shape, self.counts)
        recipe = methods.METHODS[options.method]
        self.recipe = recipe(problem, backbone=options.backbone)
        self.stage = dataclasses.replace(
            self.recipe.stages[0], batch_size=options.batch
        )
        self.fused = training.default_steps(options.steps)

    def model(self) -> keras.Model:
        """Return a new compiled model."""
        model = self.stage.setup(self.recipe.build())
        model.compile(
            self.stage.optimizer(self.options.steps),
            self.stage.loss,
            metrics=self.recipe.metrics(),
            jit_compile=_jit(),
        )
        return model

    def loader(self, kind: str | None) -> data.Loader:
        """Return the images, as batches made where `kind` says."""
        augment = data.DATASETS["cifar100_lt"].augment
        return data.Loader(self.images, augment=augment, kind=kind)

    def fit(self, kind: str | None, fused: int) -> Callable[[], None]:
        """Epochs of `fit` with batches of a kind."""
        model, steps = self.model(), self.options.steps
        feed = self.loader(kind).feed(self.stage.batching, seed=0)
        if fused > 1 or feed.in_step:
            training.fuse_steps(model, fused, steps_per_epoch=steps, data=feed)
        return lambda: model.fit(
            feed.batches,
            steps_per_epoch=steps,
            shuffle=False,
            verbose=0,
        )

    def ours(self) -> Callable[[], None]:
        """Return what a run of ours does."""
        return self.fit(None, self.fused)

    def side_by_side(self, number: int, vectorised: bool) -> Callable:
        """Several of ours, see `training.together`."""
        jobs = [self.ours() for _ in range(number)]
        return lambda: training.together(jobs, vectorised=vectorised)

    def scan(self) -> Callable[[], None]:
        """Return the limit, see `scan`."""
        batches = self.loader("numpy").train(self.stage.batching, seed=0)
        steps = range(self.options.steps)
        parts = zip(*(batches[i] for i in steps), strict=True)
        stacked = [np.stack(part) for part in parts]
        return scan(self.model(), self.stage.loss, stacked)


WORKLOADS = {"overhead": Overhead, "train": Train}


def make(options: Options) -> Overhead | Train:
    """Set the precision, and return what is trained."""
    keras.config.set_dtype_policy(options.precision)
    return WORKLOADS[options.what](options)


def scan(model, loss, batches) -> Callable[[], None]:
    """The same arithmetic in one `jax.lax.scan`, without Keras's loop."""
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


def _pixels(number, size):
    shape = number, size, size, 3
    return np.random.default_rng(0).integers(0, 256, shape, "uint8")


def _jit():
    return on_jax() or on_accelerator()


def main() -> None:
    """Train like ours in a process of its own, see `child`."""
    turns = []

    def ours():
        if not turns:
            options = Options(**json.loads(sys.argv[1]))
            turns.append(make(options).ours())
        turns[0]()

    child.serve({"ours": ours})


if __name__ == "__main__":
    main()
