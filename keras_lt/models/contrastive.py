"""Networks of self-supervision to distillation, and views of them."""

import keras

from keras_lt.checking import checked
from keras_lt.layers import LWS, MomentumContrast
from keras_lt.models import anatomy
from keras_lt.models.backbones import encoder, normalize
from keras_lt.models.classifiers import make_head
from keras_lt.models.experts import stack, with_teacher
from keras_lt.models.foreign import label
from keras_lt.problem import Problem


@checked
def contrastive_classifier(
    backbone: str | keras.Model,
    problem: Problem,
    *,
    batch_size: int,
    queue_size: int,
    width: int | None = None,
    momentum: float = 0.999,
    temperature: float = 0.2,
    shuffle: bool = False,
    groups: int = 1,
    weight: float = 1.0,
) -> keras.Model:
    """Two crops of raw images, and labels, to the first crops' logits.

    The contrast is a loss that layer "contrast" adds; its encoder and layer
    "head" make the classifier.

    Args:
        backbone: A name in `BACKBONES`, or see `foreign`.
        problem: Shape and class counts.
        batch_size: See `layers.MomentumContrast`.
        queue_size: See `layers.MomentumContrast`.
        width: Channels of the encoder's first stage; the published number by
            default.
        momentum: See `layers.MomentumContrast`.
        temperature: See `layers.MomentumContrast`.
        shuffle: See `layers.MomentumContrast`.
        groups: See `layers.MomentumContrast`.
        weight: See `layers.MomentumContrast`.

    Returns:
        A functional model from pixels `(B, H, W, channels)` in 0..255, of any
        dtype, pixels of that shape, and labels `(B,)` to logits `(B, C)`.

    Raises:
        ValueError: if `backbone` is unknown, or as `MomentumContrast` does.

    Example:
        >>> from keras_lt.problem import Problem
        >>> problem = Problem((8, 8, 1), class_counts=(30, 10, 3))
        >>> contrastive_classifier(
        ...     "resnet8", problem, width=4, batch_size=2, queue_size=6
        ... ).output_shape
        (None, 3)

    Source: Li et al., ICCV 2021; `MCG-NJU/SSD-LT`.
    """
    shape = tuple(problem.input_shape)
    images = keras.Input(shape, name="images")
    second = keras.Input(shape, name="second_views")
    labels = keras.Input((), dtype="int32", name="labels")
    scale = normalize(backbone, problem)
    x = scale(images)
    contrast = MomentumContrast(
        encoder(backbone, x.shape[1:], width=width),
        batch_size=batch_size,
        queue_size=queue_size,
        momentum=momentum,
        temperature=temperature,
        shuffle=shuffle,
        groups=groups,
        weight=weight,
        name=anatomy.CONTRAST,
    )
    features = contrast(x, scale(second), labels)
    logits = make_head("linear", features.shape[-1], problem.num_classes)(
        features
    )
    name = f"{label(backbone)}_contrastive"
    return keras.Model([images, second, labels], logits, name=name)


def scaled_classifier(model: keras.Model) -> keras.Model:
    """Encoder and (hard) head of a model here, and a new `LWS` "scales"."""
    images = keras.Input(model.inputs[0].shape[1:], name="images")
    logits = anatomy.hard_head(model)(*anatomy.features(model, images))
    logits = LWS(dtype="float32", name=anatomy.SCALES)(logits)
    return keras.Model(images, logits, name=anatomy.SCALED)


def two_headed(
    backbone: str | keras.Model,
    problem: Problem,
    *,
    teacher: keras.Model | None,
    hard: bool = True,
    width: int | None = None,
) -> keras.Model:
    """Raw images to the logits of a soft head, a hard head and a teacher.

    Args:
        backbone: A name in `BACKBONES`, or see `foreign`.
        problem: See `contrastive_classifier`.
        teacher: Images to `(B, C)`, becomes the frozen layer "teacher"; None
            for a second input `(B, C)` with its logits.
        hard: Whether there is a hard head. A soft one alone is named "head".
        width: See `contrastive_classifier`.

    Returns:
        A functional model to logits `(B, 3, C)`: of layers "soft_head" and
        "hard_head" on one "encoder", and of the teacher; `(B, 2, C)` without
        a hard head.
    """
    shape = tuple(problem.input_shape)
    images = keras.Input(shape, name="images")
    x = normalize(backbone, problem)(images)
    features = encoder(backbone, x.shape[1:], width=width)(x)
    size, classes = features.shape[-1], problem.num_classes
    both = (anatomy.SOFT_HEAD, anatomy.HARD_HEAD)
    heads = [
        make_head("linear", size, classes, name=name)(features)
        for name in (both if hard else (anatomy.HEAD,))
    ]
    name = f"{label(backbone)}_two_headed"
    if teacher:
        student = keras.Model(images, stack(heads), name=name)
        return with_teacher(student, teacher)
    lesson = keras.Input((classes,), name="soft_labels")
    return keras.Model([images, lesson], stack([*heads, lesson]), name=name)


def plain_classifier(model: keras.Model) -> keras.Model:
    """View of a model here: images to the logits of its (hard) head."""
    return _view(model, anatomy.hard_head(model))


def folded(model: keras.Model) -> keras.Model:
    """One encoder and one dense layer "head": what a model here serves.

    That is the soft head, where there is one, or the head with its scales;
    the dense layer is a copy with the scales in its weights.
    """
    head = anatomy.soft_head(model) or anatomy.hard_head(model)
    weights, scales = head.get_weights(), anatomy.scales(model)
    if scales:
        weights = scales.fold(*weights)
    copy = make_head("linear", len(weights[0]), len(weights[1]))
    copy.build((None, len(weights[0])))
    copy.set_weights(weights)
    return _view(model, copy)


def head_views(model: keras.Model) -> dict[str, keras.Model]:
    """Views "hard", "soft" and "teacher" of a `two_headed`, else none."""
    soft, teacher = anatomy.soft_head(model), anatomy.teacher(model)
    if not soft:
        return {}
    views = {
        "hard": _view(model, anatomy.hard_head(model)),
        "soft": _view(model, soft),
    }
    if teacher:
        images = model.inputs[0]
        views["teacher"] = keras.Model(images, teacher(images))
    return views


def _view(model, head):
    images = model.inputs[0]
    logits = head(*anatomy.features(model, images))
    return keras.Model(images, logits, name="classifier")
