"""Weights of encoders that were trained elsewhere."""

import re
from collections.abc import Mapping

import keras
import numpy as np
from keras import layers, ops

from keras_lt.keras_internals import flatten_layers
from keras_lt.models import anatomy
from keras_lt.models.torch_names import OF_VARIABLES, module_name


def load_encoder_weights(
    model: keras.Model, source: keras.Model | Mapping[str, np.ndarray]
) -> list[str]:
    """Give the encoder of a model here the weights of one trained elsewhere.

    Classifiers, routers and projections keep their values. A trunk takes the
    first stages; an expert takes the last two if its shapes are the same,
    which needs `thin=1.0`, and else keeps its values.

    Args:
        model: Has a layer "encoder" (or "contrast", around one), or "trunk",
            "expert1", ..., as the models of recipes do before their first
            stage.
        source: Arrays by name, a PyTorch state dict in torchvision's layout
            (`"layer1.0.conv1.weight"`, kernels `(out, in / groups, H, W)`),
            with strides as there; or a model that is, or has as a layer, an
            encoder here or KerasHub's `ResNetBackbone`. A classifier that
            comes with it is left out.

    Returns:
        Names of the experts that keep their values.

    Raises:
        ValueError: if `model` has no encoder, or `source` another number of
            layers, another shape or another stride, naming the first one;
            nothing is set then.

    Source: names of `pytorch/vision:torchvision/models/resnet.py` and
        `keras-team/keras-hub:keras_hub/src/models/resnet`.
    """
    name_of, arrays, strides = _elsewhere(source)
    parts, trunk = anatomy.encoders(model), anatomy.trunk(model)
    parts = parts if trunk is None else [trunk, *parts]
    if not parts:
        raise ValueError(
            "`model` must have a layer 'encoder' or 'trunk', got "
            f"{[layer.name for layer in model.layers]}"
        )
    pairs, fresh, rest = [], [], dict.fromkeys(arrays)
    for part in parts:
        try:
            pairs += _pairs(part, name_of, arrays, strides, rest)
        except _OtherShape:
            if not anatomy.is_expert(part):
                raise
            fresh.append(part.name)
    if rest:
        raise ValueError(
            f"the source has {next(iter(rest))!r}, which the encoder has not"
        )
    for variable, value in pairs:
        variable.assign(value)
    return fresh


class _OtherShape(ValueError):
    pass


def _pairs(part, name_of, arrays, strides, rest):
    """Variables of a part and their values; takes their names off `rest`."""
    pairs, wrong = [], None
    for layer in part.layers:
        for variable in layer.variables:
            key = name_of(layer, variable.name)
            if key not in arrays:
                raise ValueError(
                    f"the source has no {key!r}, for {part.name}/{layer.name}"
                )
            rest.pop(key, None)
            shape, own = np.shape(arrays[key]), tuple(variable.shape)
            if shape != own:
                wrong = wrong or (
                    f"{key!r} has shape {shape} in the source, in Keras' "
                    f"order, and {own} here"
                )
            elif key in strides and strides[key] != layer.strides:
                raise ValueError(
                    f"{key!r} has strides {strides[key]} in the source, and "
                    f"{layer.strides} here"
                )
            pairs.append((variable, arrays[key]))
    if wrong:
        raise _OtherShape(wrong)
    return pairs


def _elsewhere(source):
    """Function to the names there, arrays by name, strides by name."""
    if not isinstance(source, keras.Model):
        arrays = {
            name: np.transpose(array, (2, 3, 1, 0))
            if np.ndim(array) == 4
            else array
            for name, array in source.items()
            if re.match(r"(conv|bn|layer)\d", name)
            and not name.endswith("num_batches_tracked")
        }
        return _in_torchvision, arrays, {}
    stems = {anatomy.STEM_CONV: _as_here, "conv1_conv": _in_keras_hub}
    for body in flatten_layers(source):
        inner = anatomy.by_name(getattr(body, "layers", ()))
        for stem in stems.keys() & inner.keys():
            if "conv2_block1_1_conv" in inner:
                raise ValueError(
                    "the source is a network of keras.applications, which has "
                    "its strides elsewhere: the weights do not give the same "
                    "function here"
                )
            arrays = {
                f"{name}/{variable.name}": ops.convert_to_numpy(variable)
                for name, layer in inner.items()
                for variable in layer.variables
            }
            strides = {
                f"{name}/kernel": layer.strides
                for name, layer in inner.items()
                if isinstance(layer, layers.Conv2D)
            }
            return stems[stem], arrays, strides
    raise ValueError(
        "the source must be an encoder of keras_lt or a ResNetBackbone of "
        f"KerasHub, or have one as a layer, got {source.name!r}"
    )


def _as_here(layer, variable):
    """Name of "stage1_block2_3_bn", "gamma": both."""
    return f"{layer.name}/{variable}"


def _in_torchvision(layer, variable):
    """Name of "stage1_block2_3_bn", "gamma": "layer1.1.bn3.weight"."""
    return f"{module_name(layer)}.{OF_VARIABLES[variable]}"


def _in_keras_hub(layer, variable):
    """Name of "stage1_block2_3_bn", "gamma": "stack0_block1_3_bn/gamma"."""
    stage, block, step, kind = anatomy.place(layer)
    if stage is None:
        return f"conv1_{kind}/{variable}"
    step = "0" if step == anatomy.SHORTCUT else step
    return f"stack{stage - 1}_block{block - 1}_{step}_{kind}/{variable}"
