"""What of a pretrained encoder learns, where nearly all of it is frozen."""

import math
from collections.abc import Iterator

import keras

from keras_lt.keras_internals import parts
from keras_lt.layers import FiveCrops
from keras_lt.models import anatomy
from keras_lt.models.adapted import adapted, plain
from keras_lt.models.new_heads import heads
from keras_lt.models.transformer_blocks import blocks

TUNINGS = (
    *("lora", "adaptformer", "both"),
    *("norm", "scale_and_shift", "last_block"),
)
NORMS = keras.layers.BatchNormalization, keras.layers.LayerNormalization
LAST = 3  # kernels of a block of a convolutional network


def bottleneck(num_classes: int, num_blocks: int, per: int = 2) -> int:
    """Rank of small parts, so that all weigh about as much as a classifier.

    Args:
        num_classes: C.
        num_blocks: L.
        per: 2 for AdaptFormer, 4 for LoRA.

    Example:
        >>> bottleneck(1000, 12), bottleneck(1000, 12, per=4)
        (32, 16)

    Source: Shi et al., ICML 2024.
    """
    return 2 ** max(0, math.floor(math.log2(num_classes / (per * num_blocks))))


def lightly_tuned(
    model: keras.Model, tune: str, rank: int | None = None
) -> keras.Model:
    """The model with what `tuned_variables` are found in.

    Args:
        model: Made by `classifier`; its encoder is changed in place.
        tune: One of `TUNINGS`, see `methods.adapt`; or "auto", which is "both"
            of transformers and "norm" of other networks.
        rank: Of LoRA and AdaptFormer; by `bottleneck` by default.

    Raises:
        ValueError: if there is nothing of that kind in the encoder.
    """
    ((encoder, head),) = anatomy.classifiers(model)
    tune = resolved(encoder, tune)
    count, classes = max(len(blocks(encoder)), 1), head.kernel.shape[-1]
    kinds = {
        "lora": rank or bottleneck(classes, count, per=4),
        "adaptformer": rank or bottleneck(classes, count),
        "scale_and_shift": True,
    }
    wanted = ("lora", "adaptformer") if tune == "both" else (tune,)
    return adapted(model, **{k: v for k, v in kinds.items() if k in wanted})


def resolved(encoder: keras.Layer, tune: str) -> str:
    """What "auto" means for an encoder."""
    if tune != "auto":
        return tune
    return "both" if blocks(encoder) else "norm"


def tuned_variables(model: keras.Model, tune: str) -> list[keras.Variable]:
    """Variables of the encoder that learn.

    Args:
        model: Of `lightly_tuned`.
        tune: As there.

    Raises:
        ValueError: if there are none.
    """
    ((encoder, _),) = anatomy.classifiers(model)
    tune = resolved(encoder, tune)
    if tune == "norm":
        found = [
            variable
            for layer in _leaves(encoder)
            if isinstance(layer, NORMS)
            for variable in layer.trainable_variables
        ]
    elif tune == "last_block":
        found = _last_block(encoder)
    else:
        found = encoder.small_variables
    if not found:
        raise ValueError(
            f"`tune`: {tune!r} would train nothing of {encoder.encoder.name!r}"
        )
    return found


def _last_block(encoder):
    """That of a transformer; else the last layers with kernels."""
    found = blocks(encoder)
    if found:
        return found[-1].layer.trainable_variables
    variables, kernels = [], 0
    for layer in reversed([*_leaves(encoder)]):
        own = layer.trainable_variables
        variables += own
        kernels += any(len(variable.shape) > 1 for variable in own)
        if kernels == LAST:
            break
    return variables


def _leaves(layer: keras.Layer) -> Iterator[keras.Layer]:
    """Layers without parts, in their order."""
    is_model = isinstance(layer, keras.Model)
    inner = layer.layers if is_model else parts(layer)
    for part in inner:
        yield from _leaves(part)
    if not inner:
        yield layer


def on_features(model: keras.Model) -> keras.Model:
    """The classifier of a model alone, on what `new_heads.features` gives."""
    (head,) = heads(model)
    features = keras.Input(head.input.shape[1:], name="features")
    return keras.Model(features, head(features), name="on_features")


def served(model: keras.Model, ensemble: bool = False) -> keras.Model:
    """What answers for a model, see `plain`; by five crops of each image.

    Args:
        model: Images to logits `(B, C)`.
        ensemble: Whether to answer by the mean over `layers.FiveCrops`.
    """
    view = plain(model)
    if not ensemble:
        return view
    images = keras.Input(view.input_shape[1:], name="images")
    logits = view(FiveCrops(name="five_crops")(images))
    several = keras.ops.reshape(logits, (-1, 5, logits.shape[-1]))
    mean = keras.ops.mean(several, axis=1)  # (B, C)
    return keras.Model(images, mean, name=view.name)
