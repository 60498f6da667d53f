"""Where transformers of KerasHub can be changed: the blocks, and in them.

A block that can is one with a normalisation between the residual stream and
the MLP. Those of ViT, DINOv2, DINOv3, SigLIP and CLIP have the parts below, as
attributes; SigLIP's pooling has attention, too, and is none.
"""

from typing import NamedTuple

import keras

from keras_lt.keras_internals import flatten_layers, parts

NORMS = ("layer_norm_2", "layer_norm2", "norm2")  # what reads the stream
ENDS = ("layer_scale2", "dense_2", "mlp")  # what is added to it, at the end
PROJECTIONS = {"query", "value", "q_proj", "v_proj"}


class Block(NamedTuple):
    """A block, and its parts next to the MLP."""

    layer: keras.Layer
    norm: keras.Layer
    end: keras.Layer


def blocks(encoder: keras.Layer) -> list[Block]:
    """The blocks of a transformer in their order; none of other networks."""
    found = []
    for layer in flatten_layers(encoder):
        norms, ends = (
            [vars(layer)[name] for name in names if name in vars(layer)]
            for names in (NORMS, ENDS)
        )
        if norms and ends:
            found.append(Block(layer, norms[0], ends[0]))
    return found[::-1]  # Keras flattens from the end


def projections(block: Block) -> list[tuple[keras.Layer, keras.Layer]]:
    """Queries and values: pairs of the layer that owns one, and it."""
    return [
        (owner, part)
        for owner in flatten_layers(block.layer)
        for part in parts(owner)
        if part.name in PROJECTIONS
    ]
