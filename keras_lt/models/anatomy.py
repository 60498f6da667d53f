"""Where the parts of a model are: the one file that knows layers by name.

Builders take the names from here, and all others ask for the parts. They are
found in models made here, in views of them, in models that were loaded from
disk, and in those inside of another model.
"""

import re
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

import keras

Tensor = Any

NORMALIZE = "normalize"  # pixels to what an encoder reads
ENCODER = "encoder"
CONTRAST = "contrast"  # a layer around an encoder
TRUNK = "trunk"
EXPERT = "expert"  # with its number
HEAD = "head"
HARD_HEAD, SOFT_HEAD = "hard_head", "soft_head"
SCALES = "scales"
SCALED = "scaled_classifier"  # a model with them
ROUTER = "router"
TEACHER = "teacher"
# Inside of an encoder.
STEM, POOL = "stem", "pool"
CONV, NORM = "conv", "bn"
STEM_CONV = f"{STEM}_{CONV}"
SHORTCUT = "shortcut"

_EXPERT = re.compile(rf"{EXPERT}(\d+)")
_PART = re.compile(rf"{ENCODER}|{CONTRAST}|{TRUNK}|{EXPERT}\d+")
_STEP = re.compile(rf"stage(\d+)_block(\d+)_(\w+)_({CONV}|{NORM})")


def expert_name(number: int) -> str:
    """Name of the encoder of an expert, the first of which has number 1."""
    return f"{EXPERT}{number}"


def head_name(encoder: str) -> str:
    """Name of the classifier on an encoder of that name."""
    return HEAD if encoder == ENCODER else f"{encoder}_{HEAD}"


def beside(head: keras.Layer, kind: str) -> str:
    """Name of a layer that goes with a classifier, such as its `SCALES`."""
    return head.name.replace(HEAD, kind)


def bears(model: keras.Model, names: Collection[str]) -> bool:
    """Whether a model has one of some names, as views do."""
    return model.name in names


def block_name(stage: int, block: int) -> str:
    """Prefix of the layers of a residual block; both numbers are from 1."""
    return f"stage{stage}_block{block}"


def body(model: keras.Model) -> keras.Model:
    """The model whose own layers are the parts: it, or one inside of it.

    If there are no parts, it is the model again. A teacher is not looked
    into: its parts are not those of its student.
    """
    waiting = [model]
    for inner in waiting:  # which grows: the outer ones come first
        if any(_PART.fullmatch(layer.name) for layer in inner.layers):
            return inner
        waiting += [
            layer
            for layer in inner.layers
            if isinstance(layer, keras.Model) and layer.name != TEACHER
        ]
    return model


def trunk(model: keras.Model) -> Any:
    """The trunk that experts share, or None without experts."""
    return _by_name(model).get(TRUNK)


def encoders(model: keras.Model) -> list[keras.Model]:
    """The encoder, or those of the experts in order, without their trunk."""
    return list(_encoders(_by_name(model)).values())


def heads(model: keras.Model) -> list[keras.Layer]:
    """Classifier layers: the head, the experts' in order, or hard and soft."""
    found = _by_name(model)
    names = [HEAD, *map(head_name, _experts(found)), HARD_HEAD, SOFT_HEAD]
    return [found[name] for name in names if name in found]


def classifiers(
    model: keras.Model,
) -> list[tuple[keras.Model, keras.Layer]]:
    """Pairs of an encoder and its own head: one, or one for each expert."""
    found = _by_name(model)
    return [
        (encoder, found[head_name(name)])
        for name, encoder in _encoders(found).items()
        if head_name(name) in found
    ]


def expert_heads(model: keras.Model) -> list[keras.Layer]:
    """Classifier layers of the experts in order; none without experts."""
    found = _by_name(model)
    names = map(head_name, _experts(found))
    return [found[name] for name in names if name in found]


def hard_head(model: keras.Model) -> keras.Layer:
    """The classifier that learns from labels: the only one, or one of two."""
    found = _by_name(model)
    return found.get(HARD_HEAD) or _required(found, HEAD)


def soft_head(model: keras.Model) -> keras.Layer | None:
    """The classifier that learns from soft labels, or None."""
    return _by_name(model).get(SOFT_HEAD)


def is_of_self_distillation(model: keras.Model) -> bool:
    """Whether it is one of `models.contrastive`, for which `folded` is."""
    return bool({CONTRAST, SOFT_HEAD, SCALED} & {model.name, *_by_name(model)})


def scales(model: keras.Model) -> keras.Layer | None:
    """The layer with a factor for each class, or None."""
    return _by_name(model).get(SCALES)


def contrast(model: keras.Model) -> Any:
    """The layer around an encoder that learns by contrast, or None."""
    return _by_name(model).get(CONTRAST)


def teacher(model: keras.Model) -> Any:
    """The model that teaches beside the parts, or None."""
    return _by_name(model).get(TEACHER)


def router(model: keras.Model) -> Any:
    """The layer that says which experts an image needs, or None."""
    return _by_name(model).get(ROUTER)


def has_router(model: keras.Model) -> bool:
    """Whether the model is routed."""
    return router(model) is not None


def normalized(model: keras.Model, images: Tensor) -> Tensor:
    """Images `(B, H, W, channels)` in 0..255 as the encoder reads them."""
    return _required(_by_name(model), NORMALIZE)(images)


def features(model: keras.Model, images: Tensor = None) -> list[Tensor]:
    """What the encoders make of images, in their order.

    Args:
        model: With one encoder, or experts.
        images: `(B, H, W, channels)` in 0..255; by default the (first) input
            of `body(model)`.

    Returns:
        Features `(B, D)` of each, or maps `(B, H, W, D)` where heads pool.
    """
    x = body(model).inputs[0] if images is None else images
    x = normalized(model, x)
    shared = trunk(model)
    if shared is not None:
        x = shared(x)
    return [encode(x) for encode in encoders(model)]


def is_expert(encoder: keras.Model) -> bool:
    """Whether an encoder is that of an expert."""
    return bool(_EXPERT.fullmatch(encoder.name))


def maps_before_pooling(encoder: keras.Model) -> Tensor:
    """Output `(B, H, W, D)` of the last block, in the encoder's graph."""
    return _required(by_name(encoder.layers), POOL).input


def convolutions(
    encoder: keras.Model,
) -> list[tuple[keras.Layer, keras.Layer]]:
    """Convolutions, each with its batch normalisation, from the beginning.

    Those of shortcuts are left out.
    """
    return [
        (layer, encoder.get_layer(layer.name.removesuffix(CONV) + NORM))
        for layer in encoder.layers
        if isinstance(layer, keras.layers.Conv2D) and SHORTCUT not in layer.name
    ]


class Place(NamedTuple):
    """Where a layer stands in an encoder: numbers from 1, None in the stem."""

    stage: int | None
    block: int | None
    step: str | None  # "1", "2", ... or `SHORTCUT`
    kind: str  # `CONV` or `NORM`


def place(layer: keras.Layer) -> Place:
    """Where a layer with variables stands in the encoder that holds it."""
    found = _STEP.fullmatch(layer.name)
    if not found:
        return Place(None, None, None, layer.name.removeprefix(f"{STEM}_"))
    stage, block, step, kind = found.groups()
    return Place(int(stage), int(block), step, kind)


def by_name(layers: Iterable[keras.Layer]) -> dict[str, keras.Layer]:
    """Some layers by name."""
    return {layer.name: layer for layer in layers}


def _by_name(model):
    return by_name(body(model).layers)


def _experts(found):
    """Names of the experts, by their numbers."""
    numbers = sorted(int(m[1]) for m in map(_EXPERT.fullmatch, found) if m)
    return [expert_name(number) for number in numbers]


def _encoders(found):
    """Encoders by the names that they have where there is no contrast."""
    if CONTRAST in found:
        return {ENCODER: found[CONTRAST].encoder}
    names = [name for name in (ENCODER, *_experts(found)) if name in found]
    return {name: found[name] for name in names}


def _required(found, name):
    if name not in found:
        raise ValueError(f"`model` must have a layer {name!r}, got {[*found]}")
    return found[name]
