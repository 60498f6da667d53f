"""Experts that fuse their own deep features with shallower ones."""

import keras
from keras import layers

from keras_lt.checking import checked
from keras_lt.layers import ReLU
from keras_lt.models import anatomy
from keras_lt.models.backbones import encoder, normalize
from keras_lt.models.blocks import batch_norm, conv, kaiming
from keras_lt.models.classifiers import make_head
from keras_lt.models.experts import stack
from keras_lt.models.foreign import label
from keras_lt.problem import Problem


@checked
def fused_experts(
    backbone: str | keras.Model,
    problem: Problem,
    *,
    num_experts: int = 3,
    width: int | None = None,
    head: str = "cosine",
) -> keras.Model:
    """Raw images to the logits of experts of different depth.

    All stages but the last one are shared ("trunk"). Each expert has its own
    last stage ("expert1", ...), whose maps are multiplied, one by one, with
    those of an earlier stage: of the first one for the first expert, of the
    second one for the second, and so on around. A branch of its own
    ("expert1_shallow", ...) brings these to the shape of the last stage, with
    a strided convolution for each stage between. Then come average pooling
    and the classifier ("expert1_head", ...).

    Args:
        backbone: A name in `BACKBONES`; "resnet32b" published.
        problem: Shape and class counts.
        num_experts: E, >= 1.
        width: Channels of the first stage; the published number by default.
        head: See `classifier`.

    Returns:
        A functional model from pixels `(B, H, W, channels)` in 0..255, of any
        dtype, to logits `(B, E, C)`.

    Raises:
        ValueError: if `num_experts` is not positive, or `backbone` or `head`
            is unknown.

    Example:
        >>> from keras_lt.problem import Problem
        >>> problem = Problem((8, 8, 1), class_counts=(30, 10, 3))
        >>> fused_experts("resnet8", problem, width=4).output_shape
        (None, 3, 3)

    Source: Jin et al., CVPR 2023 (SHIKE); `jinyan-06/SHIKE`, CIFAR.
    """
    if num_experts < 1:
        raise ValueError(f"`num_experts` must be >= 1, got {num_experts}")
    options = {"width": width, "own": 1}
    trunk = encoder(
        backbone,
        problem.input_shape,
        part="stages",
        name=anatomy.TRUNK,
        **options,
    )
    images = keras.Input(tuple(problem.input_shape), name="images")
    maps = trunk(normalize(backbone, problem)(images))  # one of each stage
    logits = []
    for number in range(num_experts):
        name = anatomy.expert_name(number + 1)
        pooled = encoder(
            backbone, maps[-1].shape[1:], part="expert", name=name, **options
        )
        deep = keras.Model(
            pooled.inputs[0], anatomy.maps_before_pooling(pooled), name=name
        )
        stage = number % len(maps)
        branch = _shallow(
            maps[stage].shape[1:],
            steps=len(maps) - stage,
            channels=deep.output_shape[-1],
            name=f"{name}_shallow",
        )
        x = layers.Multiply(name=f"{name}_fuse")(
            [deep(maps[-1]), branch(maps[stage])]
        )
        x = layers.GlobalAveragePooling2D(name=f"{name}_{anatomy.POOL}")(x)
        classify = make_head(
            head,
            x.shape[-1],
            problem.num_classes,
            name=anatomy.head_name(name),
        )
        logits.append(classify(x))
    name = f"{label(backbone)}_{num_experts}_fused_experts"
    return keras.Model(images, stack(logits), name=name)


def _shallow(shape, *, steps, channels, name):
    """Strided convolutions to the shape of the last stage.

    The second of them has no ReLU, so that its maps have signs, as released.
    """
    inputs = x = keras.Input(shape)
    for step in range(1, steps + 1):
        x = conv(
            x,
            channels // 2 ** (steps - step),
            3,
            stride=2,
            initializer=kaiming("fan_in"),
            name=f"shallow_{step}",
        )
        x = batch_norm(x, name=f"shallow_{step}")
        if step != 2:
            x = ReLU(name=f"shallow_{step}_relu")(x)
    return keras.Model(inputs, x, name=name)
