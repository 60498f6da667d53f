"""Freezing layers, with the batch statistics fixed or moving."""

import keras

from keras_lt.keras_internals import flatten_layers, own_trainable_variables

STATISTICS = ("fixed", "moving")


def freeze(layer: keras.Layer, *, statistics: str) -> None:
    """Stop training a layer or model, before `compile`.

    Keras's `layer.trainable = False` also puts batch normalisation into
    inference mode; PyTorch's `requires_grad = False` does not: there batches
    are still normalised with their own statistics, and the running statistics
    move on. Both are in use.

    Args:
        layer: A layer or (nested) model.
        statistics: `"fixed"`, as Keras does, or `"moving"`, as PyTorch does.

    Raises:
        ValueError: if `statistics` is neither.
    """
    if statistics not in STATISTICS:
        raise ValueError(
            f"`statistics` must be one of {STATISTICS}, got {statistics!r}"
        )
    if statistics == "fixed":
        layer.trainable = False
    else:
        for variable in layer.trainable_variables:
            variable.trainable = False


def unfreeze(layer: keras.Layer) -> None:
    """Undo `freeze` of either kind.

    Args:
        layer: A layer or (nested) model.
    """
    for part in flatten_layers(layer):
        # Each: on TensorFlow a layer that is trainable already passes it on
        # to none of its parts.
        part.trainable = True
        for variable in own_trainable_variables(part):
            variable.trainable = True
