"""`fit` and `predict` over the replicas of a tf.distribute strategy."""

import itertools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_lt.keras_internals import build_from, flatten_layers, replace_methods
from keras_lt.layers import BatchNormalization


def train_on_replicas(model: keras.Model, steps: int, *, whole: bool) -> None:
    """Let `fit` train on all replicas, also those of other processes.

    Keras's own functions do not work across processes: they build the model
    from a batch, and reduce what a step returns, as if all replicas were here.

    Args:
        model: Made and compiled in the scope of its strategy.
        steps: Steps of a call of the training function.
        whole: Whether there are always as many batches left.
    """
    import tensorflow as tf

    strategy = model.distribute_strategy

    def first(values: Any) -> Any:
        return keras.tree.map_structure(
            lambda value: strategy.experimental_local_results(value)[0], values
        )

    def build(iterator: Any = None, data_batch: Any = None) -> None:
        for _, _, batches in iterator or ():
            data_batch = first(next(batches, None))
            break
        if data_batch is None:  # validation once more: all is built
            return
        with strategy.scope():
            build_from(model, data_batch)

    def make_function(step: Callable) -> Callable:
        def run(batch: Any) -> Any:
            return first(strategy.run(step, args=(batch,)))

        @tf.autograph.experimental.do_not_convert
        def one(iterator: Any) -> Any:
            return run(next(iterator))

        def several(iterator: Any) -> Any:
            for _ in tf.range(steps - 1):
                one(iterator)
            return one(iterator)

        trains = step == model.train_step
        if whole and (trains or steps == 1) and not model.run_eagerly:
            return tf.function(several if steps > 1 else one)
        # A step that finds no batch must not begin: its metrics would count.
        program = run
        if not model.run_eagerly:
            program = tf.function(run, autograph=False, reduce_retracing=True)

        def in_turn(iterator: Any) -> Any:
            logs = None
            for batch in itertools.islice(iterator, steps):
                logs = program(batch)
            if logs is None:
                raise StopIteration
            return logs

        return in_turn

    replace_methods(model, build=build, make_function=make_function)


def predict_on_batch(model: keras.Model, images: np.ndarray) -> Any:
    """Outputs of a model for one batch, computed by all replicas.

    Args:
        model: Its inputs are images.
        images: `(B, ...)`, the same in all processes.
    """
    strategy: Any = getattr(model, "distribute_strategy", None)
    replicas = strategy.num_replicas_in_sync if strategy else 1
    if replicas == 1:
        return model.predict_on_batch(images)
    rows = -(-len(images) // replicas)
    filled = np.resize(images, (rows * replicas, *images.shape[1:]))
    shares = np.split(filled, replicas)
    values = strategy.experimental_distribute_values_from_function(
        lambda context: (
            keras.ops.convert_to_tensor(
                shares[context.replica_id_in_sync_group]
            ),
        )
    )
    model.make_predict_function()
    return keras.tree.map_structure(
        lambda output: np.asarray(output)[: len(images)],
        model.predict_function([values]),
    )


def synchronize_batch_norm(model: keras.Model) -> None:
    """Let batch normalisation use the statistics of all replicas' images.

    Released code has those of each replica; so have, by default,
    `layers.BatchNormalization` on both backends and Keras's layer on
    TensorFlow. On JAX Keras's layer sees the whole batch anyway.

    Args:
        model: Changed in place, nested models and layers included.

    Raises:
        ValueError: if a layer splits a device's share into groups.
    """
    for layer in flatten_layers(model):
        if isinstance(layer, BatchNormalization):
            if layer.groups > 1:
                raise ValueError(
                    "statistics of the whole batch exclude `groups` > 1, got "
                    f"{layer.groups} in {layer.name!r}"
                )
            layer.synchronize = True
        elif isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = keras.backend.backend() == "tensorflow"
