"""SSD: self-supervision, soft labels, and self-distillation."""

from typing import Any

import keras

from keras_lt.losses import HardSoftDistillation, SoftmaxCrossentropy
from keras_lt.methods.method import method
from keras_lt.methods.settings.shared import Network, SGDSettings
from keras_lt.methods.settings.ssd import (
    PRESETS,
    Contrast,
    Distillation,
    Rates,
    Schedule,
    Views,
)
from keras_lt.methods.stages import supervised, tuned
from keras_lt.metrics import shot_accuracy_metrics
from keras_lt.models import (
    anatomy,
    classifier,
    contrastive_classifier,
    folded,
    head_views,
    new_heads,
    plain_classifier,
    scaled_classifier,
    two_headed,
)
from keras_lt.schedules import cosine_rates
from keras_lt.training import Problem, Recipe, freeze


@method(PRESETS)
def recipe(
    problem: Problem,
    *,
    network: Network,
    rates: Rates,
    schedule: Schedule,
    contrast: Contrast,
    distillation: Distillation,
    views: Views,
) -> Recipe:
    """Learn by contrast, balance, teach a new network, balance again.

    Stage "self_supervised" trains a network on the labels and on contrast
    with a momentum encoder. Stage "soft_labels" learns one factor for each of
    its classes, on class-balanced images: the teacher. Stage "distill" trains
    a new network of the same size with two classifiers, a hard one on the
    labels and a soft one on the teacher's soft labels. Stage "rescale" learns
    factors for the hard one. Served is the newest of: head, scaled head, soft
    head, scaled hard head, always as one encoder and one dense layer. A loss
    of weight 0 is left out with its part of the network, and the one head
    that is left then does for both. The defaults for CIFAR are ours: none
    were published.

    Args:
        problem: Shape and class counts.
        network: See `settings.shared.Network`.
        rates: See `settings.ssd.Rates`.
        schedule: See `settings.ssd.Schedule`.
        contrast: See `settings.ssd.Contrast`.
        distillation: See `settings.ssd.Distillation`.
        views: See `settings.ssd.Views`.

    Returns:
        A `training.Recipe`.

    Raises:
        ValueError: if a stage with 0 epochs comes before one with more,
            `queue_size` is not a multiple of `batch_size`, or that not one of
            `norm_groups`, a weight is negative, or both of the heads' are 0.

    Example:
        >>> recipe(Problem((32, 32, 3), class_counts=(500, 50))).epochs
        420

    Source: Li et al., ICCV 2021; `MCG-NJU/SSD-LT`, ImageNet-LT.
    Differs from the released code: see `layers.MomentumContrast`.
    """
    counts = problem.class_counts
    contrasts, taught = contrast.contrast_weight, distillation.soft_weight
    cached = distillation.soft_labels == "cached"
    size = {"width": network.width}

    def build():
        if not contrasts:
            return classifier(network.backbone, problem, **size)
        batch = schedule.batch_size
        whole = max(sum(counts) // batch, 1) * batch
        return contrastive_classifier(
            network.backbone,
            problem,
            batch_size=batch,
            queue_size=contrast.queue_size or whole,
            momentum=contrast.momentum_encoder,
            temperature=contrast.contrast_temperature,
            shuffle=contrast.shuffle_keys,
            groups=contrast.norm_groups,
            weight=contrasts,
            **size,
        )

    def restart_keys(model):  # after weights from another run
        if contrasts:
            anatomy.contrast(model).reset_keys()
        return model

    def teach(teacher):
        if not taught:
            return classifier(network.backbone, problem, **size)
        teacher = None if cached else teacher
        student = two_headed(
            network.backbone,
            problem,
            teacher=teacher,
            hard=bool(distillation.hard_weight),
            **size,
        )
        if teacher:
            lesson = anatomy.teacher(student)
            freeze(lesson, statistics=distillation.teacher_statistics)
        return student

    def stage(number, name, **options):
        learns = number % 2 == 0  # the others only scale
        epochs, batch = schedule.epochs[number], schedule.batch_size
        if learns:
            peak, warmup = rates.lr, min(schedule.warmup_epochs, epochs)
        else:
            peak, warmup = rates.scales_lr, 0
            batch = schedule.scales_batch_size or batch
            options |= {
                "view": scaled_classifier,
                "chosen": new_heads.scales,
                "statistics": distillation.statistics,
                "sampler": "class_aware",
            }
        along = cosine_rates(peak, epochs, warmup_epochs=warmup)
        sgd = SGDSettings(peak, rates.momentum, l2=rates.l2)
        return (supervised if learns else tuned)(
            name,
            epochs,
            optimizer=sgd.along(along),
            batch_size=batch,
            drop_remainder=True,
            needs=plain_classifier,
            **options,
        )

    stages = (
        stage(
            0, "self_supervised", setup=restart_keys, two_views=bool(contrasts)
        ),
        stage(1, "soft_labels"),
        stage(
            2,
            "distill",
            setup=teach,
            loss=_loss(distillation),
            soft_labels=folded if cached and taught else None,
        ),
        stage(3, "rescale"),
    )
    first, second = _augment(views)
    return Recipe(
        build=build,
        stages=tuple(stage for stage in stages if stage.epochs),
        metrics=lambda: shot_accuracy_metrics(
            counts, num_views=1, groups=problem.groups
        ),
        serve=folded,
        views=head_views,
        augment=first,
        second_view=second,
    )


def _loss(distillation: Distillation) -> keras.losses.Loss:
    """Of the student's heads."""
    if not distillation.soft_weight:
        return SoftmaxCrossentropy()
    return HardSoftDistillation(
        temperature=distillation.temperature,
        hard_weight=distillation.hard_weight,
        soft_weight=distillation.soft_weight,
    )


def _augment(views: Views) -> tuple[dict[str, Any], dict[str, Any]]:
    """Fields of `data.Augment` of the first and the second view."""
    first: dict[str, Any] = {
        "jitter": (views.jitter, views.jitter, views.jitter, 0.0)
    }
    if views.crop:
        first |= {"pad": 0, "crop_scale": (views.crop, 1.0)}
    return first, {
        "pad": 0,
        "crop_scale": (views.second_crop, 1.0),
        "jitter": (0.4, 0.4, 0.4, 0.1),
        "jitter_share": 0.8,
        "grey_share": 0.2,
        "blur_share": views.second_blur,
    }
