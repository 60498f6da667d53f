"""Several experts over one trunk."""

from typing import Any

import keras
from keras import layers

from keras_lt.checking import checked
from keras_lt.models import anatomy
from keras_lt.models.backbones import (
    check_width,
    encoder,
    linear_head,
    normalize,
)
from keras_lt.models.classifiers import make_head
from keras_lt.models.foreign import is_foreign, label, open_experts
from keras_lt.names import reserve_names
from keras_lt.problem import Problem


@checked
def multi_expert(
    backbone: str | keras.Model,
    problem: Problem,
    *,
    num_experts: int = 3,
    width: int | None = None,
    thin: float = 0.75,
    own_stages: int = 2,
    head: str = "cosine",
) -> keras.Model:
    """Raw images to the logits of every expert.

    The stem and all stages but the last two are shared ("trunk"); each expert
    has its own thinner copy of the last two ("expert1", ...) and its own
    classifier ("expert1_head", ...). With `own_stages=1` the trunk has the
    last but one as well, as thin.

    Of a network from elsewhere, see `foreign`, each expert has a copy of the
    last block with its weights, at its own width; the trunk is what comes
    before it.

    Args:
        backbone: A name in `BACKBONES`, or see `foreign`.
        problem: Shape and class counts.
        num_experts: E, >= 1.
        width: Channels of the first stage; the published number by default.
        thin: Factor on the channels of the last two stages.
        own_stages: Stages that each expert has for itself: 2, or 1, the
            released network's `share_layer3`.
        head: `"cosine"`, as published, or `"linear"`, with the initial values
            of the released network.

    Returns:
        A functional model from pixels `(B, H, W, channels)` in 0..255, of any
        dtype, to logits `(B, E, C)`.

    Raises:
        ValueError: if `num_experts` is not positive, `own_stages` is not 1 or
            2, or `backbone` or `head` is unknown, or has no block to copy.

    Example:
        >>> from keras_lt.problem import Problem
        >>> problem = Problem((8, 8, 1), class_counts=(30, 10, 3))
        >>> multi_expert("resnet8", problem, width=4).output_shape
        (None, 3, 3)

    Source: Wang et al., ICLR 2021;
        `frank-xwang/RIDE-LongTailRecognition:model/ride_resnet_cifar.py`.
    """
    if num_experts < 1:
        raise ValueError(f"`num_experts` must be >= 1, got {num_experts}")
    if own_stages not in (1, 2):
        raise ValueError(f"`own_stages` must be 1 or 2, got {own_stages}")
    shape = tuple(problem.input_shape)
    names = [anatomy.expert_name(n + 1) for n in range(num_experts)]
    if is_foreign(backbone):
        check_width(backbone, width)
        trunk, experts = open_experts(backbone, shape, names)
    else:
        options: dict[str, Any] = {
            "width": width,
            "thin": thin,
            "own": own_stages,
        }
        trunk = encoder(
            backbone, shape, part="trunk", name=anatomy.TRUNK, **options
        )
        maps = trunk.output_shape[1:]
        experts = [
            encoder(backbone, maps, part="expert", name=name, **options)
            for name in names
        ]
    images = keras.Input(shape, name="images")
    shared = trunk(normalize(backbone, problem)(images))
    logits, head = [], linear_head(backbone) if head == "linear" else head
    for name, expert in zip(names, experts, strict=True):
        classify = make_head(
            head,
            expert.output_shape[-1],
            problem.num_classes,
            name=anatomy.head_name(name),
        )
        logits.append(classify(expert(shared)))
    name = f"{label(backbone)}_{num_experts}_experts"
    return keras.Model(images, stack(logits), name=name)


def stack(tensors: list) -> Any:
    """Stack V tensors `(B, K)` to `(B, V, K)`."""
    rows = [layers.Reshape((1, -1), dtype="float32")(x) for x in tensors]
    return layers.Concatenate(axis=1, dtype="float32")(rows)


def expert_heads(model: keras.Model) -> list[keras.Layer]:
    """Classifier layers of a `multi_expert` or a view of one, in order.

    Their `input` and `output` are the experts' features and logits.
    """
    reserve_names(anatomy.body(model))
    return anatomy.expert_heads(model)


def expert_logits(model: keras.Model) -> Any:
    """Logits `(B, E, C)` in the graph of a `multi_expert` or view of one."""
    return stack([head.output for head in expert_heads(model)])


def ensemble(model: keras.Model) -> keras.Model:
    """View of a `multi_expert`: images to the experts' mean logits `(B, C)`."""
    logits = expert_logits(model)
    mean = layers.GlobalAveragePooling1D(dtype="float32")(logits)
    return keras.Model(model.inputs[0], mean, name="ensemble")


def expert_views(model: keras.Model) -> dict[str, keras.Model]:
    """Views of each single expert, images to `(B, C)`, and their ensemble."""
    single = {
        anatomy.expert_name(number): keras.Model(model.inputs[0], head.output)
        for number, head in enumerate(expert_heads(model), 1)
    }
    return {**single, "ensemble": ensemble(model)}


def with_teacher(student: keras.Model, teacher: keras.Model) -> keras.Model:
    """View of a student with a teacher's logits as the last one.

    Args:
        student: Images to `(B, E, C)`.
        teacher: Images to `(B, C)`; a trained `multi_expert`, or any view of
            one, teaches with the mean of its experts. Freeze it with
            `training.freeze` as the statistics should be.

    Returns:
        Images to `(B, E + 1, C)`; the teacher is its layer "teacher".

    Raises:
        ValueError: if images or classes differ.
    """
    reserve_names(student)
    if anatomy.body(teacher) is teacher and expert_heads(teacher):
        teacher = ensemble(teacher)
    for what, mine, theirs in (
        ("images", student.input_shape, teacher.input_shape),
        ("classes", student.output_shape[-1], teacher.output_shape[-1]),
    ):
        if mine != theirs:
            raise ValueError(
                f"`teacher` must have the student's {what}, {mine}, got "
                f"{theirs}"
            )
    teacher = keras.Model(
        teacher.inputs[0], teacher.outputs[0], name=anatomy.TEACHER
    )
    lesson = stack([teacher(student.inputs[0])])
    both = layers.Concatenate(axis=1, dtype="float32")
    logits = both([student.outputs[0], lesson])
    return keras.Model(student.inputs[0], logits, name=f"{student.name}_taught")
