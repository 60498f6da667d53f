"""What Keras runs on."""

from typing import Any

import keras

from keras_lt import keras_internals


def tf_strategy() -> Any:
    """The tf.distribute strategy in force, or None."""
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    return (
        tf.distribute.get_strategy() if tf.distribute.has_strategy() else None
    )


def on_accelerator() -> bool:
    """Whether there is a GPU or TPU."""
    devices = keras.distribution.list_devices()
    return not all(device.startswith("cpu") for device in devices)


def processes() -> tuple[int, int]:
    """Number of this process, from 0, and of all that train together."""
    strategy = tf_strategy()
    distribution = keras.distribution.distribution()
    resolver = strategy and strategy.cluster_resolver
    if resolver and resolver.task_type:
        spec = resolver.cluster_spec().as_dict()
        chiefs = len(spec.get("chief", ()))
        before = 0 if resolver.task_type == "chief" else chiefs
        return before + resolver.task_id, chiefs + len(spec.get("worker", ()))
    if distribution is None:
        return 0, 1
    return keras_internals.processes(distribution)


def is_chief() -> bool:
    """Whether this process writes files: the first, if there are several."""
    return processes()[0] == 0


def replicas() -> int:
    """Number of devices of all processes that share each batch, else 1."""
    strategy = tf_strategy()
    distribution = keras.distribution.distribution()
    if strategy:
        return strategy.num_replicas_in_sync
    return distribution.device_mesh.devices.size if distribution else 1


def local_replicas() -> range:
    """Numbers of those that are devices of this process."""
    number, count = processes()
    own = replicas() // count
    return range(number * own, (number + 1) * own)
