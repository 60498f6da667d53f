"""Names of an encoder's layers and variables in PyTorch."""

import keras

from keras_lt.models import anatomy

OF_VARIABLES = {
    "kernel": "weight",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


def module_name(layer: keras.Layer, stages: str = "layer{stage}") -> str:
    """Name of "stage1_block2_3_bn": "layer1.1.bn3".

    Args:
        layer: Of an encoder, with variables.
        stages: What stages are called, and what goes before all names:
            "encoder.layer{stage}".

    Source: `pytorch/vision:torchvision/models/resnet.py`.
    """
    stage, block, step, kind = anatomy.place(layer)
    if stage is None or block is None:
        return f"{before_stem(stages)}{kind}1"
    inner = f"{kind}{step}"
    if step == anatomy.SHORTCUT:
        inner = f"downsample.{(anatomy.CONV, anatomy.NORM).index(kind)}"
    return f"{stages.format(stage=stage)}.{block - 1}.{inner}"


def before_stem(stages: str) -> str:
    """What goes before the names of a stem, see `module_name`."""
    return stages.partition("layer")[0]
