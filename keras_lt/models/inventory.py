"""All that holds variables in a model, and what each is there.

`anatomy` looks up the parts that it is asked for; this goes through all of
them, for what has to miss none.
"""

import re
from typing import NamedTuple

import keras

from keras_lt.keras_internals import parts as inner_layers
from keras_lt.models import anatomy

RELEASED = "released"  # ends the name of a classifier as released code serves
KEY_ENCODER = f"key_{anatomy.ENCODER}"

_ENCODERS = (anatomy.ENCODER, KEY_ENCODER, anatomy.TRUNK, anatomy.EXPERT)
_CLASSIFIERS = (
    *(anatomy.HEAD, anatomy.head_name(anatomy.EXPERT), anatomy.HARD_HEAD),
    *(anatomy.SOFT_HEAD, anatomy.SCALES),
)
_OF_EXPERT = re.compile(rf"{anatomy.EXPERT}(\d+)(\w*)")


class Part(NamedTuple):
    """A layer with variables of its own, and what it is in its model.

    Args:
        role: The way to it, by names without numbers of experts: "head",
            "expert_head/norm1", "teacher/scales"; for a layer of an encoder
            the way to the encoder: "trunk", "contrast/key_encoder".
        expert: Which expert it is of, from 0; None where it is of none.
        layer: The layer.
        variables: Its own, without those of layers inside of it.
    """

    role: str
    expert: int | None
    layer: keras.Layer
    variables: list[keras.Variable]

    @property
    def is_classifier(self) -> bool:
        """Whether the last axis of its variables is of classes."""
        return self.role.split("/")[-1] in _CLASSIFIERS


def all_parts(model: keras.Model) -> list[Part]:
    """Every layer with variables of its own, a teacher's among them."""
    found = []
    for layer in anatomy.body(model).layers:
        role, expert = layer.name.removesuffix(f"_{RELEASED}"), None
        if match := _OF_EXPERT.fullmatch(role):
            role, expert = anatomy.EXPERT + match[2], int(match[1]) - 1
        found += _parts(layer, role, expert)
    return found


def _parts(layer, role, expert):
    """The parts that one layer is, or has in it."""
    if layer.name == anatomy.TEACHER:
        return [
            part._replace(role=f"{role}/{part.role}")
            for part in all_parts(layer)
        ]
    is_model = isinstance(layer, keras.Model)
    is_encoder = is_model and role.split("/")[-1] in _ENCODERS
    found = []
    for inner in layer.layers if is_model else inner_layers(layer):
        where = role if is_encoder else f"{role}/{inner.name}"
        found += _parts(inner, where, expert)
    taken = {id(variable) for part in found for variable in part.variables}
    own = [v for v in layer.variables if id(v) not in taken]
    return [*found, Part(role, expert, layer, own)] if own else found
