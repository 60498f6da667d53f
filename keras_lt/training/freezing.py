"""Freezing layers, with the batch statistics fixed or moving."""

import keras

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
    layer.trainable = True
    for part in layer._flatten_layers():
        for variable in part._trainable_variables:
            variable.trainable = True
