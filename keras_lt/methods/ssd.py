"""SSD: self-supervision, soft labels, and self-distillation."""

from typing import Literal

import keras

from keras_lt.losses import HardSoftDistillation
from keras_lt.metrics import shot_accuracy_metrics
from keras_lt.models import (
    contrastive_classifier,
    folded,
    head_views,
    plain_classifier,
    scaled_classifier,
    two_headed,
)
from keras_lt.optimizers import SGD
from keras_lt.samplers import ClassAware
from keras_lt.schedules import EpochRates, cosine_rates
from keras_lt.training import Problem, Recipe, Stage, freeze

IMAGENET = {
    "backbone": "resnext50",
    "epochs": (135, 5, 135, 5),
    "warmup_epochs": 0,
    "batch_size": 256,
    "scales_batch_size": 512,
    "crop": 0.08,
    "jitter": 0.4,
    "second_blur": 0.5,
}
PRESETS = {
    "cifar": {},
    "digits": {
        "backbone": "resnet8",
        "lr": 0.05,
        "epochs": (100, 10, 100, 0),
        "batch_size": 32,
        "momentum_encoder": 0.99,
        "second_crop": 0.5,
    },
    "imagenet_lt": IMAGENET,
    # Only the network of the first was published; the rest is ours.
    "inaturalist2018": IMAGENET | {"backbone": "resnet50"},
    "places_lt": IMAGENET | {"backbone": "resnet152", "epochs": (30, 5, 30, 5)},
    "folder": IMAGENET
    | {"backbone": "resnet50", "batch_size": 64, "scales_batch_size": 64},
}


def recipe(
    problem: Problem,
    *,
    backbone: str = "resnet32",
    width: int | None = None,
    lr: float = 0.1,
    scales_lr: float = 0.2,
    momentum: float = 0.9,
    l2: float = 5e-4,
    epochs: tuple[int, int, int, int] = (200, 10, 200, 10),
    warmup_epochs: int = 5,
    batch_size: int = 128,
    scales_batch_size: int | None = None,
    queue_size: int | None = None,
    momentum_encoder: float = 0.999,
    contrast_temperature: float = 0.2,
    temperature: float = 2.0,
    soft_labels: Literal["online", "cached"] = "online",
    statistics: Literal["moving", "fixed"] = "moving",
    teacher_statistics: Literal["moving", "fixed"] = "moving",
    crop: float | None = None,
    jitter: float = 0.0,
    second_crop: float = 0.2,
    second_blur: float = 0.0,
) -> Recipe:
    """Learn by contrast, balance, teach a new network, balance again.

    Stage "self_supervised" trains a network on the labels and on contrast
    with a momentum encoder. Stage "soft_labels" learns one factor for each of
    its classes, on class-balanced images: the teacher. Stage "distill" trains
    a new network of the same size with two classifiers, a hard one on the
    labels and a soft one on the teacher's soft labels. Stage "rescale" learns
    factors for the hard one. Served is the newest of: head, scaled head, soft
    head, scaled hard head, always as one encoder and one dense layer. The
    defaults for CIFAR are ours: none were published.

    Args:
        problem: Shape and class counts.
        backbone: Name in `models.BACKBONES`.
        width: Channels of the first stage; the published number by default.
        lr: Peak learning rate of "self_supervised" and "distill"; half a
            cosine to 0.
        scales_lr: The same of "soft_labels" and "rescale".
        momentum: Of SGD.
        l2: Weight decay, coupled, of every variable, factors included.
        epochs: Epochs of the four stages; a stage with 0 ends the recipe.
        warmup_epochs: Epochs of linear warm-up before `lr`.
        batch_size: Images a step of "self_supervised" and "distill".
        scales_batch_size: Images a step of "soft_labels" and "rescale";
            `batch_size` by default.
        queue_size: Keys to contrast with, a multiple of `batch_size`; by
            default the whole batches of an epoch.
        momentum_encoder: Of the key encoder, in [0, 1].
        contrast_temperature: Of the contrast.
        temperature: Of the distillation.
        soft_labels: "online", the teacher sees each augmented image, as
            released; "cached", it sees each image once, as it is, and its
            logits are kept on disk.
        statistics: Of the frozen batch normalisation below learned factors:
            "moving", on statistics of each batch, as released, or "fixed".
        teacher_statistics: The same of the teacher in "distill", if online.
        crop: Least area of a random crop of the (first) view; None for the
            data set's published crop.
        jitter: Strength of its changes of brightness, contrast, saturation.
        second_crop: Least area of the second views' random crops.
        second_blur: Probability of a blur of second views.

    Returns:
        A `training.Recipe`.

    Raises:
        ValueError: if a stage with 0 epochs comes before one with more, or
            `queue_size` is not a multiple of `batch_size`.

    Example:
        >>> recipe(Problem((32, 32, 3), class_counts=(500, 50))).epochs
        420

    Source: Li et al., ICCV 2021; `MCG-NJU/SSD-LT`, ImageNet-LT.
    Differs from the released code: see `layers.MomentumContrast`.
    """
    trained = [bool(number) for number in epochs]
    if not trained[0] or trained != sorted(trained, reverse=True):
        raise ValueError(
            "`epochs`: each stage needs the ones before it, got a stage with "
            f"0 epochs before the end of {epochs}"
        )
    counts = problem.class_counts
    cached = soft_labels == "cached"

    def build():
        whole = max(sum(counts) // batch_size, 1) * batch_size
        return contrastive_classifier(
            backbone,
            problem,
            batch_size=batch_size,
            queue_size=queue_size or whole,
            width=width,
            momentum=momentum_encoder,
            temperature=contrast_temperature,
        )

    def restart_keys(model):  # after weights from another run
        model.get_layer("contrast").reset_keys()
        return model

    def scale(model):
        scaled = scaled_classifier(model)
        for layer in scaled.layers:
            if layer.name != "scales":
                freeze(layer, statistics=statistics)
        return scaled

    def teach(teacher):
        teacher = None if cached else teacher
        student = two_headed(backbone, problem, teacher=teacher, width=width)
        if teacher:
            lesson = student.get_layer("teacher")
            freeze(lesson, statistics=teacher_statistics)
        return student

    def stage(number, name, **options):
        learns = number % 2 == 0  # the others only scale
        peak, warmup = (lr, warmup_epochs) if learns else (scales_lr, 0)
        rates = cosine_rates(
            peak, epochs[number], warmup_epochs=min(warmup, epochs[number])
        )
        return Stage(
            name=name,
            epochs=epochs[number],
            optimizer=lambda steps: SGD(
                EpochRates(rates, steps), momentum=momentum, l2=l2
            ),
            batch_size=batch_size
            if learns
            else scales_batch_size or batch_size,
            drop_remainder=True,
            needs=plain_classifier,
            **options,
        )

    plain = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    scaling = {"setup": scale, "loss": plain, "sampler": ClassAware()}
    stages = (
        stage(
            0,
            "self_supervised",
            setup=restart_keys,
            loss=plain,
            two_views=True,
        ),
        stage(1, "soft_labels", **scaling),
        stage(
            2,
            "distill",
            setup=teach,
            loss=HardSoftDistillation(temperature=temperature),
            soft_labels=folded if cached else None,
        ),
        stage(3, "rescale", **scaling),
    )
    first = {"jitter": (jitter, jitter, jitter, 0.0)}
    if crop:
        first |= {"pad": 0, "crop_scale": (crop, 1.0)}
    return Recipe(
        build=build,
        stages=tuple(s for s in stages if s.epochs),
        metrics=lambda: shot_accuracy_metrics(counts, num_views=1),
        serve=folded,
        views=head_views,
        augment=first,
        second_view={
            "pad": 0,
            "crop_scale": (second_crop, 1.0),
            "jitter": (0.4, 0.4, 0.4, 0.1),
            "jitter_share": 0.8,
            "grey_share": 0.2,
            "blur_share": second_blur,
        },
    )
