"""What a compiled step has baked in beside the shapes of its variables."""

import json
from typing import Any

import keras
import numpy as np

from keras_lt.keras_internals import without_tensorflow


def constants(model: keras.Model) -> tuple:
    """Numbers of the loss, the optimizer and the constraints of a model.

    Two models of the same structure may share a compiled step if these are
    equal. What cannot be compared counts as different.
    """
    with without_tensorflow():
        config = keras.saving.serialize_keras_object(model.optimizer)
    config["config"].pop("name", None)
    return (
        _content(model.loss),
        json.dumps(config, sort_keys=True, default=repr),
        *(_content(v.constraint) for v in model.trainable_variables),
    )


def _content(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, keras.losses.Loss | keras.constraints.Constraint):
        parts = sorted(vars(value).items())
        return type(value), *((k, _content(v)) for k, v in parts)
    return repr(value)
