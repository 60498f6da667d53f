"""Artefacts of each format, written by TensorFlow."""

import json
import pathlib
import tempfile
import zipfile
from typing import Any

import keras
import numpy as np

from keras_lt.export.answer import METADATA
from keras_lt.export.served import Served


def write_saved_model(
    model: keras.Model, path: pathlib.Path, content: dict, views: dict
) -> None:
    """Write a SavedModel with all endpoints.

    Args:
        model: Pixels to logits `(B, C)`.
        path: Folder to make.
        content: Metadata, with `class_names` and `class_counts`.
        views: Models of experts or branches by name.
    """
    import tensorflow as tf

    module, endpoints = _module(model, content, views)
    signatures = {"serving_default": endpoints["serve"], **endpoints}
    tf.saved_model.save(module, str(path), signatures=signatures)
    extra = path / "assets.extra"
    extra.mkdir()
    (extra / METADATA).write_text(json.dumps(content, indent=2))


def write_onnx(
    model: keras.Model, path: pathlib.Path, content: dict, views: dict
) -> None:
    """Write images to probabilities and logits; see `write_saved_model`."""
    import onnx
    import tf2onnx

    plain, signature = _plain(model, content)
    graph, _ = tf2onnx.convert.from_function(
        _frozen(plain),
        input_signature=signature,
        opset=18,
        custom_op_handlers={"Erfc": (_erfc, [])},
    )
    onnx.helper.set_model_props(graph, {"keras_lt": json.dumps(content)})
    onnx.save(graph, path)


def _frozen(plain):
    """The same with all values in it; else tensors would become inputs."""
    import tensorflow as tf
    from tensorflow.python.framework import convert_to_constants

    made = plain.get_concrete_function()
    names = sorted(made.structured_outputs)  # the order of dictionaries
    whole = convert_to_constants.convert_variables_to_constants_v2(
        made, lower_control_flow=False
    )

    def answer(images):
        return dict(zip(names, whole(images), strict=True))

    return tf.function(answer, autograph=False)


def _erfc(context: Any, node: Any, name: str, arguments: Any) -> None:
    """Turn `erfc(x)`, an exact GELU's, into `1 - erf(x)`, which ONNX has."""
    (output,) = node.output
    kind, shape = context.get_dtype(output), context.get_shape(output)
    context.remove_node(name)
    one = context.make_const(f"{name}_one", np.ones((), "float32"))
    erf = context.make_node("Erf", [node.input[0]], shapes=[shape])
    context.make_node(
        "Sub",
        [one.output[0], erf.output[0]],
        name=name,
        outputs=[output],
        shapes=[shape],
        dtypes=[kind],
    )


def write_litert(
    model: keras.Model, path: pathlib.Path, content: dict, views: dict
) -> None:
    """Write images to probabilities and logits; see `write_saved_model`.

    The metadata are a file in the zip archive at the end of the model.
    """
    import tensorflow as tf

    plain, _ = _plain(model, content)
    module = tf.Module()
    module.variables_of_model, module.plain = _variables(model), plain
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures=plain)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        path.write_bytes(converter.convert())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(METADATA, json.dumps(content))


def _module(model, content, views):
    import tensorflow as tf

    names, counts = content["class_names"], content["class_counts"]
    served = Served(model, names, counts, views)
    module = tf.Module()
    module.variables_of_model = _variables(model)
    module.constants = [served.names, served.prior]
    module.endpoints = served.endpoints()
    for name, endpoint in module.endpoints.items():
        setattr(module, name, endpoint)
    return module, module.endpoints


def _plain(model, content):
    """Images of the model's size to what every format can hold."""
    import tensorflow as tf

    names, counts = content["class_names"], content["class_counts"]
    served = Served(model, names, counts, {})
    signature = [
        tf.TensorSpec((None, *model.input_shape[1:]), tf.uint8, name="images")
    ]

    plain = tf.function(
        served.plain, input_signature=signature, autograph=False
    )
    return plain, signature


def _variables(model):
    return [variable.value for variable in model.variables]


WRITERS = {
    "saved_model": write_saved_model,
    "onnx": write_onnx,
    "litert": write_litert,
}
