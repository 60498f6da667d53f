"""Layers that a user names, which may be inside of nested models."""

import keras


def find_layer(model: keras.Model, path: str) -> keras.Layer:
    """Layer of a name, or of a path of names such as `"encoder/stem_conv"`.

    Raises:
        ValueError: of Keras, naming the layer that is missing.
    """
    layer = model
    for name in path.split("/"):
        layer = layer.get_layer(name)
    return layer
