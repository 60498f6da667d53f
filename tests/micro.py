"""The smallest network that methods can train: a stem and two stages.

What tests of methods and programs wait for is the compiler, which takes as
long as a network has layers. `conftest` makes it a backbone, "micro"; a
process of its own does not know it.
"""

from functools import partial

from keras_lt.layers import ReLU
from keras_lt.models import BACKBONES, anatomy
from keras_lt.models.blocks import batch_norm, conv, kaiming, residual_network


def _layer(x, channels, *, stride=1, name):
    x = conv(
        x,
        channels,
        3,
        stride=stride,
        initializer=kaiming("fan_in"),
        name=name,
    )
    return ReLU(name=f"{name}_relu")(batch_norm(x, name=name))


def _block(x, channels, *, stride, name):
    return _layer(x, channels, stride=stride, name=f"{name}_1")


def _encoder(input_shape, *, width=4, name=anatomy.ENCODER, **part):
    part = {"part": "whole", "thin": 1.0, "own": 2} | part
    return residual_network(
        input_shape,
        stem=partial(_layer, channels=width, name=anatomy.STEM),
        block=_block,
        blocks=(1, 1),
        width=width,
        name=name,
        **part,
    )


BACKBONES["micro"] = _encoder
