"""Light fine-tuning of a pretrained encoder, in three steps."""

from typing import Any

import keras

from keras_lt.losses import LogitAdjustedLoss
from keras_lt.methods.method import method
from keras_lt.methods.on_features import adjusted_head, class_means
from keras_lt.methods.settings.adapt import PRESETS, Head, Light, Rates, Steps
from keras_lt.methods.settings.shared import Network, SGDSettings
from keras_lt.methods.stages import supervised
from keras_lt.metrics import shot_accuracy_metrics
from keras_lt.models import anatomy, classifier, light_tuning
from keras_lt.schedules import cosine_rates
from keras_lt.training import Problem, Recipe, freeze, unfreeze


@method(PRESETS)
def recipe(
    problem: Problem,
    *,
    network: Network,
    steps: Steps,
    rates: Rates,
    head: Head,
    light: Light,
) -> Recipe:
    """Class means, a classifier on kept features, a few weights more (LIFT).

    Stage "means" computes what the encoder makes of every training image, and
    keeps it; the class means are the vectors of a cosine classifier, which so
    answers with the nearest one. Stage "head" trains this classifier on those
    features under the logit-adjusted loss. Stage "light" goes on with images
    and a few weights of the encoder; all others stay as they are. `steps`
    ends the recipe after 1, 2 or 3 of them. It is made for encoders that were
    trained on many other images.

    Args:
        problem: Shape and class counts.
        network: See `settings.shared.Network`.
        steps: See `settings.adapt.Steps`.
        rates: See `settings.adapt.Rates`.
        head: See `settings.adapt.Head`.
        light: See `settings.adapt.Light`.

    Returns:
        A `training.Recipe`.

    Example:
        >>> made = recipe(Problem((32, 32, 3), (500, 5)), steps=1)
        >>> [stage.name for stage in made.stages]
        ['means', 'head']

    Source: Shi et al., ICML 2024 (`shijxcs/LIFT`), and LIFT+.
    Differs from the released code: the classifier is trained before the
        encoder's weights, which then start from it; class means are those of
        all images; LoRA and AdaptFormer together are ours.
    """
    counts = problem.class_counts

    def build():
        return classifier(
            network.backbone,
            problem,
            width=network.width,
            head="cosine",
            scale=head.scale,
        )

    def rate(lr, epochs):
        sgd = SGDSettings(lr, rates.momentum, l2=rates.l2)
        return sgd.along(cosine_rates(lr, epochs))

    for_head, for_light = steps.epochs
    stages = (
        class_means("means"),
        adjusted_head(
            "head",
            problem,
            for_head,
            tau=head.tau,
            optimizer=rate(rates.head_lr, for_head),
            batch_size=steps.batch_size,
        ),
        supervised(
            "light",
            for_light,
            loss=LogitAdjustedLoss(counts, tau=head.tau),
            setup=_tuning(light),
            optimizer=rate(rates.lr, for_light),
            batch_size=steps.batch_size,
        ),
    )[: steps.steps + 1]
    return Recipe(
        build=build,
        stages=(*stages[:1], *(s for s in stages[1:] if s.epochs)),
        metrics=lambda: shot_accuracy_metrics(counts, groups=problem.groups),
        serve=lambda model: light_tuning.served(model, light.ensemble),
        augment=_augment(light, for_light),
    )


def _tuning(light: Light) -> Any:
    """Function that lets few variables of the encoder learn."""

    def setup(model: keras.Model) -> keras.Model:
        model = light_tuning.lightly_tuned(model, light.tune, light.rank)
        unfreeze(model)
        learning = light_tuning.tuned_variables(model, light.tune)
        for encoder in anatomy.encoders(model):
            freeze(encoder, statistics="moving")
        for variable in learning:
            variable.trainable = True
        return model

    return setup


def _augment(light: Light, epochs: int) -> dict[str, Any]:
    """Fields of `data.Augment` in which the views differ."""
    if light.crop is None:
        return {}
    return {
        "pad": 0,
        "crop_scale": (light.crop, 1.0),
        "growing": epochs,
        "jitter": (0.0, 0.0, 0.0, 0.0),
    }
