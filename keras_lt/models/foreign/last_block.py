"""An encoder from elsewhere as a trunk and copies of its last block."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_lt.models import anatomy
from keras_lt.models.foreign.opening import copied, opened, read
from keras_lt.models.foreign.pooling import first, pooled
from keras_lt.models.foreign.spec import label

KERNELS = 3  # at least, of a last block


def open_experts(
    backbone: Any, input_shape: Sequence[int], names: Sequence[str]
) -> tuple[keras.Model, list[keras.Model]]:
    """Make a trunk, and experts that begin as copies of what comes behind it.

    Args:
        backbone: See `foreign`.
        input_shape: `(H, W, channels)` of what `preprocess` gives.
        names: Of the experts.

    Returns:
        Images to maps, as "trunk"; and of each expert, maps to `(B, D)`.

    Raises:
        ValueError: if the network has no maps that all goes through, with
            three kernels behind them, as transformers.
    """
    base, reading = opened(backbone, input_shape)
    maps = _narrow(base)
    if maps is None:
        raise ValueError(
            f"`backbone` must have a last block that experts can copy, behind "
            f"maps that all goes through, but {label(backbone)!r} has none"
        )
    images = keras.Input(tuple(input_shape))
    before = keras.Model(base.inputs, maps, name=base.name)
    shared = before(read(base, images, reading))
    trunk = keras.Model(images, shared, name=anatomy.TRUNK)
    block = keras.Model(maps, base.output, name="block")
    experts = []
    for name in names:
        inputs = keras.Input(maps.shape[1:])
        features = pooled(base, first(copied(block)(inputs)), reading)
        experts.append(keras.Model(inputs, features, name=name))
    return trunk, experts


def _narrow(base):
    """The last maps that all goes through with kernels enough behind them."""
    for layer in reversed(base.layers):
        maps, *others = keras.tree.flatten(layer.output)
        if not others and len(maps.shape) == 4 and _is_between(base, maps):
            return maps
    return None


def _is_between(base, maps):
    """Whether the output follows from these maps alone, and not at once."""
    if any(maps is each for each in (*base.inputs, *base.outputs)):
        return False
    try:
        block = keras.Model(maps, base.output)
    except ValueError:
        return False
    behind = [w for layer in block.layers for w in layer.trainable_weights]
    return sum(len(w.shape) > 1 for w in behind) >= KERNELS
