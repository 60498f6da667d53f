"""Many training steps as one compiled program, on data that lies beside it."""

from typing import Any

import keras

from keras_lt.devices import on_accelerator
from keras_lt.keras_internals import build_from, restore_methods, strategy_of
from keras_lt.training.engine.fused import jax_function
from keras_lt.training.engine.replicas import train_on_replicas

WANTED = 16  # steps of a program on an accelerator


def fuse_steps(
    model: keras.Model,
    steps: int,
    *,
    steps_per_epoch: int | None = None,
    data: Any = None,
) -> None:
    """Make `fit` run several steps at a time, as one program.

    Small networks are bound by what a step costs beside its arithmetic. On
    TensorFlow this is Keras's own loop over steps; on JAX, where Keras loops in
    Python, the steps run in one `jax.lax.scan`. Metrics, loss scaling,
    constraints and distribution are those of the model's own step; callbacks
    of batches are called once for all steps that run together, as with
    `steps_per_execution`. Batches that do not fill a program, or differ in
    shape, run one by one; so do, on JAX and a CPU, steps with convolutions
    that are not tiny, which XLA computes many times slower in a loop. All this
    holds until the model is compiled again.
    Under a tf.distribute strategy `fit` then also works across processes
    (`MultiWorkerMirroredStrategy`), which Keras's own does not.

    Args:
        model: Compiled; call this after each `compile`, before `fit`.
        steps: Steps of a program, >= 1.
        steps_per_epoch: As given to `fit`, where the data set is endless: the
            last program of an epoch then stops there. (On TensorFlow all are
            shortened to a divisor of it.)
        data: The batches of this `fit`, `feed = loader.feed(...)` of a
            `data.Loader`, whose `feed.batches` are then given to `fit`: with
            the kind "device" the program makes them out of arrays that are put
            on the device once. None for batches as they are.

    Raises:
        ValueError: if the model is not compiled, `steps` is not positive, or
            the backend is neither.

    Example:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> fuse_steps(model, 4)
        >>> x, y = keras.ops.zeros((32, 2)), keras.ops.zeros((32, 1))
        >>> history = model.fit(x, y, batch_size=4, verbose=0)
    """
    if steps < 1:
        raise ValueError(f"`steps` must be >= 1, got {steps}")
    if not model.compiled:
        raise ValueError("`model` must be compiled")
    backend = keras.backend.backend()
    if backend not in ("tensorflow", "jax"):
        raise ValueError(f"no fused steps on the backend {backend!r}")
    restore_methods(model)
    if data is not None and not data.in_step:
        data = None  # they are whole before they reach the step
    if data is not None:
        # `fit` would do it, but from batches that only name their images.
        build_from(model, data.example())
    if steps_per_epoch:
        steps = shortened(steps, steps_per_epoch)
    model.steps_per_execution = steps

    def make_train_function(force=False):
        if force:  # something changed that is compiled in
            install()
        elif model.train_function is None:  # compiled again
            restore_methods(model)
            model.make_train_function()

    def install():
        if backend == "jax":
            model.train_function = jax_function(
                model, steps, steps_per_epoch, data
            )
        else:
            _install_on_tensorflow(model, steps, steps_per_epoch, data)

    install()
    model.make_train_function = make_train_function


def shortened(steps: int, steps_per_epoch: int) -> int:
    """Steps of a program that an epoch of endless data leaves of `steps`.

    The loop of TensorFlow does not stop at the end of an epoch, so it has a
    number of steps that divides it.
    """
    if keras.backend.backend() == "jax":
        return steps
    return max(n for n in range(1, steps + 1) if steps_per_epoch % n == 0)


def default_steps(batches: int | None = None) -> int:
    """Steps of a program that suit the device, and an epoch.

    A CPU, where XLA's loops compute convolutions many times slower, takes one
    step at a time. An accelerator waits for the host between short steps:
    about 16 on JAX; 1 on TensorFlow, where this was not measured.

    Args:
        batches: Whole batches of an epoch. If a number from 8 to 32 divides
            them, the nearest one to 16 is taken: what a program leaves over
            would be compiled as another one.
    """
    on_jax = keras.backend.backend() == "jax"
    if not on_jax or not on_accelerator():
        return 1
    return WANTED if batches is None else near_divisor(batches, WANTED)


def near_divisor(number: int, wanted: int) -> int:
    """The divisor of a number nearest to a wanted one.

    Args:
        number: >= 0; itself, but at least 1, if it is below half of `wanted`.
        wanted: What is returned if no divisor is in [wanted / 2, 2 * wanted].

    Example:
        >>> near_divisor(84, 16), near_divisor(83, 16), near_divisor(5, 16)
        (14, 16, 5)
    """
    if 2 * number < wanted:
        return max(number, 1)
    around = range(-(-wanted // 2), 2 * wanted + 1)
    divisors = [n for n in around if number % n == 0]
    return min(divisors, key=lambda n: abs(n - wanted), default=wanted)


def _install_on_tensorflow(model, steps, steps_per_epoch, data):
    own = type(model)
    if strategy_of(model) is not None:
        train_on_replicas(model, steps, whole=steps_per_epoch is not None)
    if data is not None:
        arrays = {
            name: keras.ops.convert_to_tensor(array)
            for name, array in data.arrays.items()
        }
        model.train_step = lambda batch: own.train_step(
            model, data(arrays, batch, keras.ops)
        )
    own.make_train_function(model, force=True)
