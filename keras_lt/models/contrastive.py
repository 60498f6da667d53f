"""Networks of self-supervision to distillation, and views of them."""

from typing import Any

import keras

from keras_lt.layers import LWS, MomentumContrast
from keras_lt.models.backbones import encoder
from keras_lt.models.blocks import normalize
from keras_lt.models.classifier import make_head
from keras_lt.models.multi_expert import stack, with_teacher


def contrastive_classifier(
    backbone: str,
    problem: Any,
    *,
    batch_size: int,
    queue_size: int,
    width: int | None = None,
    momentum: float = 0.999,
    temperature: float = 0.2,
) -> keras.Model:
    """Two views of raw images, and labels, to the first views' logits.

    The contrast is a loss that layer "contrast" adds; its encoder and layer
    "head" make the classifier.

    Args:
        backbone: A name in `BACKBONES`.
        problem: Anything with `input_shape`, `num_classes`, `pixel_mean` and
            `pixel_std`, such as a `training.Problem`.
        batch_size: See `layers.MomentumContrast`.
        queue_size: See `layers.MomentumContrast`.
        width: Channels of the encoder's first stage; the published number by
            default.
        momentum: See `layers.MomentumContrast`.
        temperature: See `layers.MomentumContrast`.

    Returns:
        A functional model from pixels `(B, H, W, channels)` in 0..255, of any
        dtype, pixels of that shape, and labels `(B,)` to logits `(B, C)`.

    Raises:
        ValueError: if `backbone` is unknown, or as `MomentumContrast` does.

    Example:
        >>> from keras_lt.training import Problem
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
    contrast = MomentumContrast(
        encoder(backbone, shape, width=width),
        batch_size=batch_size,
        queue_size=queue_size,
        momentum=momentum,
        temperature=temperature,
        name="contrast",
    )
    scale = normalize(problem)
    features = contrast(scale(images), scale(second), labels)
    logits = make_head("linear", features.shape[-1], problem.num_classes)(
        features
    )
    name = f"{backbone}_contrastive"
    return keras.Model([images, second, labels], logits, name=name)


def scaled_classifier(model: keras.Model) -> keras.Model:
    """Encoder and (hard) head of a model here, and a new `LWS` "scales"."""
    images = keras.Input(model.inputs[0].shape[1:], name="images")
    logits = _hard(model)(_features(model, images))
    logits = LWS(dtype="float32", name="scales")(logits)
    return keras.Model(images, logits, name="scaled_classifier")


def two_headed(
    backbone: str,
    problem: Any,
    *,
    teacher: keras.Model | None,
    width: int | None = None,
) -> keras.Model:
    """Raw images to the logits of a soft head, a hard head and a teacher.

    Args:
        backbone: A name in `BACKBONES`.
        problem: See `contrastive_classifier`.
        teacher: Images to `(B, C)`, becomes the frozen layer "teacher"; None
            for a second input `(B, C)` with its logits.
        width: See `contrastive_classifier`.

    Returns:
        A functional model to logits `(B, 3, C)`: of layers "soft_head" and
        "hard_head" on one "encoder", and of the teacher.
    """
    shape = tuple(problem.input_shape)
    images = keras.Input(shape, name="images")
    encode = encoder(backbone, shape, width=width)
    features = encode(normalize(problem)(images))
    size, classes = features.shape[-1], problem.num_classes
    heads = [
        make_head("linear", size, classes, name=name)(features)
        for name in ("soft_head", "hard_head")
    ]
    name = f"{backbone}_two_headed"
    if teacher:
        student = keras.Model(images, stack(heads), name=name)
        return with_teacher(student, teacher)
    lesson = keras.Input((classes,), name="soft_labels")
    return keras.Model([images, lesson], stack([*heads, lesson]), name=name)


def plain_classifier(model: keras.Model) -> keras.Model:
    """View of a model here: images to the logits of its (hard) head."""
    return _view(model, _hard(model))


def folded(model: keras.Model) -> keras.Model:
    """One encoder and one dense layer "head": what a model here serves.

    That is the soft head, where there is one, or the head with its scales;
    the dense layer is a copy with the scales in its weights.
    """
    found = _by_name(model)
    head = found.get("soft_head") or _hard(model)
    weights = head.get_weights()
    if "scales" in found:
        weights = found["scales"].fold(*weights)
    copy = make_head("linear", len(weights[0]), len(weights[1]))
    copy.build((None, len(weights[0])))
    copy.set_weights(weights)
    return _view(model, copy)


def head_views(model: keras.Model) -> dict[str, keras.Model]:
    """Views "hard", "soft" and "teacher" of a `two_headed`, else none."""
    found = _by_name(model)
    if "soft_head" not in found:
        return {}
    views = {
        "hard": _view(model, found["hard_head"]),
        "soft": _view(model, found["soft_head"]),
    }
    if "teacher" in found:
        images = model.inputs[0]
        views["teacher"] = keras.Model(images, found["teacher"](images))
    return views


def _by_name(model):
    return {layer.name: layer for layer in model.layers}


def _view(model, head):
    images = model.inputs[0]
    logits = head(_features(model, images))
    return keras.Model(images, logits, name="classifier")


def _hard(model):
    found = _by_name(model)
    return found.get("hard_head") or found["head"]


def _features(model, images):
    found = _by_name(model)
    encode = found["contrast" if "contrast" in found else "encoder"]
    encode = getattr(encode, "encoder", encode)
    return encode(found["normalize"](images))
