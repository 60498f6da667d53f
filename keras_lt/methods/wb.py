"""Weight balancing: tuned weight decay, then a class-balanced classifier."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_lt import stats
from keras_lt.constraints import ClassMaxNorm, ClassUnitNorm
from keras_lt.losses import ClassBalancedLoss, RIDELoss, SoftmaxCrossentropy
from keras_lt.methods.method import method
from keras_lt.methods.second_stages import normalise
from keras_lt.methods.settings.shared import Network, SGDSettings
from keras_lt.methods.settings.wb import NETWORK, PRESETS, Balance, Rates
from keras_lt.methods.stages import constrained, supervised, tuned
from keras_lt.metrics import shot_accuracy_metrics
from keras_lt.models import (
    classifier,
    ensemble,
    expert_views,
    last_layers,
    multi_expert,
)
from keras_lt.schedules import cosine_rates
from keras_lt.training import Problem, Recipe, Stage


@method(PRESETS)
def recipe(
    problem: Problem,
    *,
    network: Network = NETWORK,
    num_experts: int = 1,
    rates: Rates,
    epochs: tuple[int, int] = (320, 10),
    batch_size: int = 64,
    balance: Balance,
    tau: float | None = None,
) -> Recipe:
    """Learn features under strong weight decay, then balance the classifier.

    Stage "features" trains everything with cross entropy. Stage "classifier"
    freezes the encoder and goes on with the head under the class-balanced
    loss, strong weight decay and a max-norm ball whose radius is set from the
    first stage's class norms. Stage "tau", if asked for, divides each class
    vector by its norm to the power `tau`. A stage with 0 epochs is left out.

    Args:
        problem: Shape and class counts.
        network: See `settings.shared.Network`.
        backbone: Name in `models.BACKBONES`. The release runs "resnet34",
            the paper's text says "resnet32".
        num_experts: 1 for the plain network; more for RIDE's experts, with
            linear classifiers and the sum of their losses.
        rates: See `settings.wb.Rates`.
        epochs: Epochs of the two stages.
        batch_size: Images a step.
        balance: See `settings.wb.Balance`.
        tau: Exponent of a last normalisation (1.9 published); None for none.

    Returns:
        A `training.Recipe`.

    Example:
        >>> recipe(Problem((32, 32, 3), class_counts=(500, 5))).epochs
        330

    Source: Alshammari et al., CVPR 2022;
        `ShadeAlsha/LTR-weight-balancing`, CIFAR-100-LT.
    Differs from the released code: goes on from the last epoch, not from the
        one that is best on the test set. Images are cropped and flipped and
        keep their colours on all data sets, as the paper says.
    """
    counts, several = problem.class_counts, num_experts > 1

    def build():
        options = {"width": network.width}
        if not several:
            return classifier(network.backbone, problem, **options)
        options |= {"num_experts": num_experts, "head": "linear"}
        return multi_expert(network.backbone, problem, **options)

    def per_expert(loss):
        return RIDELoss(counts, base=loss, diversity=0.0) if several else loss

    def optimizer(lr, l2, number):
        # The release steps its scheduler before the epoch: the last rate is 0.
        along = cosine_rates(lr, epochs[number], shift=1)
        return SGDSettings(lr, rates.momentum, l2=l2).along(along)

    stages = [
        supervised(
            "features",
            epochs[0],
            loss=per_expert(SoftmaxCrossentropy()),
            optimizer=optimizer(rates.lr, rates.l2, 0),
            batch_size=batch_size,
        ),
        _balancing(
            balance,
            epochs[1],
            loss=per_expert(_loss(balance, counts)),
            optimizer=optimizer(rates.head_lr, rates.head_l2, 1),
            batch_size=batch_size,
        ),
    ]
    stages = [stage for stage in stages if stage.epochs]
    if tau is not None:
        stages.append(normalise(problem, exponent=tau, bias=True))
    return Recipe(
        build=build,
        stages=tuple(stages),
        metrics=lambda: shot_accuracy_metrics(counts, groups=problem.groups),
        serve=ensemble if several else lambda model: model,
        views=expert_views if several else lambda model: {},
        augment={"jitter": (0.0, 0.0, 0.0, 0.0)},
    )


def _loss(balance: Balance, counts: Sequence[int]) -> keras.losses.Loss:
    """Loss of one classifier in the second stage."""
    if balance.head_loss == "plain":
        return SoftmaxCrossentropy()
    forms = {"bce": "softmax_bce", "balanced": "softmax_crossentropy"}
    form = forms[balance.head_loss]
    return ClassBalancedLoss(counts, beta=balance.beta, form=form)


def _balancing(balance: Balance, epochs: int, **options: Any) -> Stage:
    """Stage "classifier": the last layers, with their class vectors capped."""
    last = constrained(
        lambda model: last_layers(model, balance.tuned_layers),
        lambda layer: _constraint(balance, layer),
        balance.projection,
    )
    return tuned(
        "classifier",
        epochs,
        statistics=balance.statistics,
        sampler=balance.head_sampler,
        **last,
        **options,
    )


def _constraint(balance, layer):
    if balance.constraint == "max_norm":
        kernel = keras.ops.convert_to_numpy(layer.kernel)
        return ClassMaxNorm(
            stats.max_norm_radius(kernel, balance.radius_fraction)
        )
    return ClassUnitNorm() if balance.constraint == "unit_norm" else None
