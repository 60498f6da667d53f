"""From the name of an encoder from elsewhere to the part "encoder"."""

import pathlib
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_lt.callbacks.paths import find_layer
from keras_lt.domains import shown
from keras_lt.extras import check_installed
from keras_lt.models import anatomy
from keras_lt.models.foreign.efficientnet_lite import efficientnet_lite0
from keras_lt.models.foreign.pooling import first, pooled
from keras_lt.models.foreign.preprocessing import application
from keras_lt.models.foreign.spec import (
    APPLICATIONS,
    HUB,
    LITE0,
    Reading,
    call,
    label,
    split,
)

SMALLEST = 32  # pixels of a side that most networks have strides for


def open_encoder(
    backbone: Any,
    input_shape: Sequence[int],
    *,
    name: str = anatomy.ENCODER,
) -> keras.Model:
    """Make the encoder of a model from what was made elsewhere.

    Args:
        backbone: See `foreign`. A `keras.Model` is copied with its weights.
        input_shape: `(H, W, channels)` of what `preprocess` gives. Images of
            another size than the encoder needs are resized.
        name: Name of the encoder.

    Returns:
        A functional model to features `(B, D)`. Where the encoder gives maps,
        they are averaged by a layer "pool".

    Raises:
        ValueError: saying what of `backbone` cannot be had.
    """
    base, reading = opened(backbone, tuple(input_shape))
    images = keras.Input(tuple(input_shape))
    found = pooled(base, first(base(read(base, images, reading))), reading)
    return keras.Model(images, found, name=name)


def opened(
    backbone: Any, input_shape: Sequence[int]
) -> tuple[keras.Model, Reading]:
    """The network itself, and how it is to be read.

    Args:
        backbone: See `open_encoder`.
        input_shape: As there.
    """
    reading, shape = Reading(), tuple(input_shape)
    if isinstance(backbone, keras.Model):
        base = copied(backbone)
    else:
        text, reading = split(backbone)
        base = _opened(text, reading, shape)
    return (_cut(base, reading.layer) if reading.layer else base), reading


def read(base: keras.Model, images: Any, reading: Reading) -> Any:
    """What a network takes, of images `(B, H, W, channels)`."""
    shape, x = tuple(images.shape[1:]), images
    size = _size(base, reading, shape)
    if size != shape[:2]:
        # Not `layers.Resizing`: its `training` is True by default, and the
        # layers after it, in a model that is called without one, take it over.
        # Nor antialiased, which ONNX and LiteRT have no operation for.
        x = ops.image.resize(x, size)
    return keras.tree.map_structure(lambda _: x, base.input)


def _opened(text, reading, shape):
    if text.startswith(APPLICATIONS):
        return _application(text, reading, shape)
    if text.startswith(HUB):
        return _hub(text.removeprefix(HUB))
    if text == LITE0:
        return efficientnet_lite0()
    return from_file(text)


def _application(text, reading, shape):
    """A network of `keras.applications` without its classifier."""
    make, _ = application(text)
    weights = text.removeprefix(APPLICATIONS).partition(":")[2] or "imagenet"
    side = [reading.size or max(n, SMALLEST) for n in shape[:2]]
    try:
        return make(
            include_top=False,
            weights=None if weights == "none" else weights,
            input_shape=(*side, 3),
        )
    except Exception as error:  # also of a download
        raise ValueError(
            f"`backbone`={text} could not be made of images of {side} pixels "
            f"with the weights {weights!r} (none: random ones): {error}"
        ) from error


def _hub(text):
    """A backbone of KerasHub, by its preset or by its class."""
    check_installed(f"`backbone`={HUB}...", "keras_hub", "hub")
    import keras_hub

    name, values = call(text)
    if values is None:
        try:
            return keras_hub.models.Backbone.from_preset(name)
        except Exception as error:  # also of a download
            raise ValueError(
                f"`backbone`: KerasHub cannot load the preset {name!r}: {error}"
            ) from error
    known = (keras_hub.models.Backbone, keras.Model)
    make = getattr(keras_hub.models, name, None)
    if not isinstance(make, type) or not issubclass(make, known):
        raise ValueError(
            f"`backbone`: KerasHub has no backbone {shown(name)}, such as "
            "ViTBackbone, DINOV2Backbone or ResNetBackbone"
        )
    try:
        return make(**values)
    except Exception as error:
        raise ValueError(
            f"`backbone`: {name} does not take {shown(values)}: {error}"
        ) from error


def from_file(text: str) -> keras.Model:
    """A saved model from images to features; of a run here, its encoder.

    Raises:
        ValueError: if it is missing or cannot be read.
    """
    if not pathlib.Path(text).is_file():
        raise ValueError(f"`backbone`: there is no file {shown(text)}")
    try:
        model = keras.saving.load_model(text, compile=False)
    except Exception as error:
        raise ValueError(
            f"`backbone`: {text} is no Keras model that can be read safely: "
            f"{error}"
        ) from error
    if len(anatomy.encoders(model)) == 1 and not anatomy.trunk(model):
        body = anatomy.body(model)
        model = keras.Model(
            body.inputs[0], anatomy.features(body)[0], name=label(text)
        )
    return model


def copied(model: keras.Model) -> keras.Model:
    """Another model with the same weights."""
    copy = model.__class__.from_config(model.get_config())
    copy.set_weights(model.get_weights())
    return copy


def _cut(base, layer):
    """The model up to the output of one of its layers."""
    try:
        found = find_layer(base, layer)
    except ValueError:
        names = [each.name for each in base.layers][-8:]
        raise ValueError(
            f"`backbone`: no layer {layer!r} in {base.name}; its last ones are "
            f"{names}"
        ) from None
    return keras.Model(base.inputs, found.output, name=base.name)


def _size(base, reading, shape):
    """Pixels that the encoder reads, `(H, W)`."""
    inputs = base.inputs
    if len(inputs) != 1 or len(inputs[0].shape) != 4:
        raise ValueError(
            "`backbone` must read one batch of images (B, H, W, 3), got inputs "
            f"{[tuple(each.shape) for each in inputs]}"
        )
    height, width, channels = inputs[0].shape[1:]
    if channels not in (None, shape[-1]):
        raise ValueError(
            f"`backbone` must read images of {shape[-1]} channels, channels "
            f"last, got {tuple(inputs[0].shape)}"
        )
    if None not in (height, width):
        if reading.size and reading.size != height:
            raise ValueError(
                f"`backbone`: size must be {height}, which the encoder was "
                f"made for, got {reading.size}"
            )
        return height, width
    return tuple(reading.size or max(n, SMALLEST) for n in shape[:2])
