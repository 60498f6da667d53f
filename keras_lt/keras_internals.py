"""The one file with private names of Keras.

Each is behind a function that says what it is for. The tests of this file say
which one is gone, or means something else, in a newer Keras; the upper bound
on Keras in `pyproject.toml` is raised when they pass with it.
"""

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import keras

REPLACED = (  # methods that a model may have of its own, on top of its class
    "_make_function",
    "_maybe_symbolic_build",
    "make_train_function",
    "train_step",
)


@contextlib.contextmanager
def without_tensorflow() -> Iterator[None]:
    """Spare Keras, on JAX, to import a TensorFlow that nobody uses.

    Wherever TensorFlow is installed, Keras imports it, which takes seconds, to
    give it a seed, and to ask what it saves whether it is of TensorFlow. If
    nothing has imported TensorFlow yet, nothing is.
    """
    if keras.backend.backend() != "jax" or "tensorflow" in sys.modules:
        yield
        return
    from keras.src.utils.module_utils import tensorflow

    before = tensorflow._available
    tensorflow._available = False
    try:
        yield
    finally:
        tensorflow._available = before


def set_random_seed(seed: int) -> None:
    """Do what `keras.utils.set_random_seed` does, without TensorFlow on JAX.

    TensorFlow gets the seed too if it is the backend, or loaded;
    `data.Loader` gives it one where it makes batches.

    Args:
        seed: Of Python's, numpy's and Keras's generators.
    """
    with without_tensorflow():
        keras.utils.set_random_seed(seed)


def processes(distribution: Any) -> tuple[int, int]:
    """Number of this process, from 0, and of all that share a distribution.

    Args:
        distribution: What `keras.distribution.distribution()` returns.
    """
    # An older Keras has the second name.
    count = getattr(distribution, "_num_processes", None)
    return distribution._process_id, count or distribution._num_process


def flatten_layers(layer: keras.Layer) -> list[keras.Layer]:
    """A layer or model and all that is in it, at any depth, each once."""
    return layer._flatten_layers()


def parts(layer: keras.Layer) -> list[keras.Layer]:
    """Layers that are attributes of a layer, not those inside of them.

    A model has `layers`, which leaves out metrics; a layer has only this.
    """
    return layer._layers


def replace_part(
    owner: keras.Layer, old: keras.Layer, new: keras.Layer
) -> None:
    """Let another layer stand for one that is an attribute of a built layer.

    Args:
        owner: Changed in place.
        old: Its part.
        new: What stands in its place, also in the order of weights.
    """
    (name,) = (name for name, value in vars(owner).items() if value is old)
    position = owner._layers.index(old)
    owner._tracker.unlock()
    setattr(owner, name, new)
    owner._tracker.lock()
    owner._layers.remove(new)
    owner._layers[position] = new


def output_operation(model: keras.Model) -> Any:
    """The layer or operation that gives a model's one output.

    None if it has several, or was not made of layers by calling them.
    """
    outputs: Any = getattr(model, "outputs", None)
    if outputs is None or len(outputs) != 1:
        return None
    found = outputs[0]._keras_history.operation
    inner = isinstance(found, keras.Model) and output_operation(found)
    return inner or found


def own_trainable_variables(layer: keras.Layer) -> list[keras.Variable]:
    """Variables of a layer that it made to be trained, also while frozen.

    Those of its parts are not among them.
    """
    return layer._trainable_variables


def variable_index(
    optimizer: keras.optimizers.Optimizer, variable: keras.Variable
) -> int:
    """Position of a variable among those that a built optimizer trains."""
    return optimizer._get_variable_index(variable)


def scale_rate(optimizer: keras.optimizers.Optimizer, factor: float) -> None:
    """Multiply all learning rates of an optimizer, before it is traced."""
    if factor == 1:
        return
    rate = optimizer._learning_rate
    if callable(rate):
        optimizer.learning_rate = ScaledRates(rate, factor)
    else:
        rate.assign(factor * keras.ops.convert_to_tensor(rate))


@keras.saving.register_keras_serializable(package="keras_lt")
class ScaledRates(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule times a factor.

    Args:
        schedule: Function of the step.
        factor: On its rates.
    """

    def __init__(self, schedule: Any, factor: float):
        self.schedule, self.factor = schedule, factor

    def __call__(self, step: Any) -> Any:
        """Rate of a step."""
        return self.factor * self.schedule(step)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        schedule = keras.saving.serialize_keras_object(self.schedule)
        return {"schedule": schedule, "factor": self.factor}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "ScaledRates":
        """Make one of what `get_config` gave."""
        schedule = keras.saving.deserialize_keras_object(config["schedule"])
        return cls(schedule, config["factor"])


def build_from(model: keras.Model, batch: Any) -> None:
    """Make all variables of a compiled model, without computing anything.

    Those are variables of its layers, loss, metrics and optimizer.

    Args:
        model: Compiled.
        batch: `(x, y)` or `(x, y, sample_weight)`, of which only shapes and
            dtypes are read.
    """
    model._symbolic_build(data_batch=batch)


def jax_state(model: keras.Model) -> Any:
    """What a training step of a built model is given on JAX, as arrays.

    Those are its trainable and other variables, the optimizer's and the
    metrics', in this order.
    """
    return model._get_jax_state(
        trainable_variables=True,
        non_trainable_variables=True,
        optimizer_variables=True,
        metrics_variables=True,
    )


def strategy_of(model: keras.Model) -> Any:
    """The tf.distribute strategy that a model was made in, or None.

    Its public `distribute_strategy` is never None. TensorFlow only.
    """
    return model._distribute_strategy


def replace_methods(
    model: keras.Model,
    *,
    build: Callable[..., None],
    make_function: Callable[[Callable], Callable],
) -> None:
    """Let a model build and compile its steps in another way, on TensorFlow.

    Args:
        model: Changed in place, until `restore_methods`.
        build: Called before the first step with `iterator`, whose items end
            in an iterator over batches, or with `data_batch`.
        make_function: Function from `model.train_step`, or one of its
            siblings, to what is called with an iterator over batches.
    """
    model._maybe_symbolic_build = build
    model._make_function = make_function


def restore_methods(model: keras.Model) -> None:
    """Give a model the methods of its class back."""
    for name in REPLACED:
        vars(model).pop(name, None)


class OwnLosses:
    """Mixin of layers with `add_loss`: each replica has its own list.

    The replicas of a tf.distribute strategy are threads that wait for each
    other within a step, as in the mean of a batch's weights, and go on in turn;
    Keras keeps one list for all, so one would find the losses of another.
    """

    @property
    def _losses(self):
        lists = self.__dict__.setdefault("_losses_of_threads", {})
        return lists.setdefault(threading.get_ident(), [])

    @_losses.setter
    def _losses(self, value):  # Keras begins with an empty list
        self._losses[:] = value
