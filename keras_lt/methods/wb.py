"""Weight balancing: tuned weight decay, then a class-balanced classifier."""

from typing import Literal

import keras

from keras_lt import stats
from keras_lt.callbacks import ProjectWeights
from keras_lt.constraints import ClassMaxNorm, ClassUnitNorm
from keras_lt.losses import ClassBalancedLoss, RIDELoss
from keras_lt.metrics import shot_accuracy_metrics
from keras_lt.models import (
    classifier,
    ensemble,
    expert_views,
    last_layers,
    multi_expert,
)
from keras_lt.optimizers import SGD
from keras_lt.samplers import SAMPLERS
from keras_lt.schedules import EpochRates, cosine_rates
from keras_lt.training import Problem, Recipe, Stage, freeze

PRESETS = {
    "digits": {
        "backbone": "resnet8",
        "lr": 0.05,
        "l2": 5e-3,
        "epochs": (100, 10),
    },
    # Published for these: network, epochs of features and batch. Decay, and
    # all for the sets below, are ours.
    "imagenet_lt": {"backbone": "resnext50", "epochs": (200, 10), "l2": 5e-4},
    "inaturalist2018": {
        "backbone": "resnet50",
        "epochs": (200, 10),
        "batch_size": 512,
        "l2": 1e-4,
    },
    "places_lt": {"backbone": "resnet152", "epochs": (30, 10), "l2": 5e-4},
    "folder": {"backbone": "resnet50", "epochs": (90, 10), "l2": 5e-4},
}


def recipe(
    problem: Problem,
    *,
    backbone: str = "resnet34",
    width: int | None = None,
    num_experts: int = 1,
    lr: float = 0.01,
    head_lr: float = 0.01,
    momentum: float = 0.9,
    l2: float = 5e-3,
    head_l2: float = 0.1,
    epochs: tuple[int, int] = (320, 10),
    batch_size: int = 64,
    head_loss: Literal["bce", "balanced", "plain"] = "bce",
    beta: float = 0.9999,
    constraint: Literal["max_norm", "unit_norm"] | None = "max_norm",
    radius_fraction: float = 0.1,
    projection: Literal["epoch", "step"] = "epoch",
    statistics: Literal["moving", "fixed"] = "moving",
    tuned_layers: int = 1,
    head_sampler: str = "instance",
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
        backbone: Name in `models.BACKBONES`. The release runs "resnet34",
            the paper's text says "resnet32".
        width: Channels of the first stage; the published number by default.
        num_experts: 1 for the plain network; more for RIDE's experts, with
            linear classifiers and the sum of their losses.
        lr: First learning rate of stage "features"; half a cosine to 0.
        head_lr: The same of stage "classifier".
        momentum: Of SGD.
        l2: Weight decay, coupled, of every variable.
        head_l2: The same in stage "classifier".
        epochs: Epochs of the two stages.
        batch_size: Images a step.
        head_loss: Of stage "classifier": "bce", the released binary form of
            the class-balanced loss; "balanced", its softmax form, about C
            times larger; "plain", cross entropy.
        beta: Of the class-balanced loss, in [0, 1).
        constraint: On the class vectors in stage "classifier"; None for none.
        radius_fraction: Radius of the ball, between the smallest (0) and the
            largest (1) class norm.
        projection: When the constraint applies: once an "epoch", as released,
            or after every "step", as in the paper.
        statistics: Of the frozen batch normalisation: "moving", as released,
            or "fixed".
        tuned_layers: Layers trained in stage "classifier", counted from the
            end: 1 is the head; each further one is the last convolution
            before it, with its batch normalisation and constraint.
        head_sampler: Name in `samplers.SAMPLERS`, for stage "classifier".
        tau: Exponent of a last normalisation (1.9 published); None for none.

    Returns:
        A `training.Recipe`.

    Example:
        >>> recipe(Problem((32, 32, 3), class_counts=(500, 5))).epochs
        330

    Source: Alshammari et al., CVPR 2022;
        `ShadeAlsha/LTR-weight-balancing`, CIFAR-100-LT.
    Differs from the released code: goes on from the last epoch, not from the
        one that is best on the test set.
    """

    def optimizer(rate, decay, stage):
        # The release steps its scheduler before the epoch: the last rate is 0.
        rates = cosine_rates(rate, epochs[stage], shift=1)
        return lambda steps: SGD(
            EpochRates(rates, steps), momentum=momentum, l2=decay
        )

    def build():
        if num_experts == 1:
            return classifier(backbone, problem, width=width)
        return multi_expert(
            backbone,
            problem,
            num_experts=num_experts,
            width=width,
            head="linear",
        )

    def per_expert(loss):
        if num_experts == 1:
            return loss
        return RIDELoss(problem.class_counts, base=loss, diversity=0.0)

    plain = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    forms = {"bce": "softmax_bce", "balanced": "softmax_crossentropy"}
    constraints = {}  # by layer, known once the features are trained

    def setup(model):
        tuned = last_layers(model, tuned_layers)
        kept = [layer for group in tuned.values() for layer in group]
        for part in model.layers:
            for layer in getattr(part, "layers", [part]):
                if layer not in kept:
                    freeze(layer, statistics=statistics)
        for path, (layer, *_) in tuned.items():
            if constraint == "max_norm":
                kernel = keras.ops.convert_to_numpy(layer.kernel)
                radius = stats.max_norm_radius(kernel, radius_fraction)
                constraints[path] = ClassMaxNorm(radius)
            elif constraint == "unit_norm":
                constraints[path] = ClassUnitNorm()
            if projection == "step":
                layer.kernel.constraint = constraints.get(path)
        return model

    def callbacks():
        if projection == "step":
            return ()
        return [
            ProjectWeights(project, layer=path)
            for path, project in constraints.items()
        ]

    features = Stage(
        name="features",
        epochs=epochs[0],
        loss=per_expert(plain),
        optimizer=optimizer(lr, l2, 0),
        batch_size=batch_size,
    )
    balance = Stage(
        name="classifier",
        epochs=epochs[1],
        loss=per_expert(
            plain
            if head_loss == "plain"
            else ClassBalancedLoss(
                problem.class_counts, beta=beta, form=forms[head_loss]
            )
        ),
        optimizer=optimizer(head_lr, head_l2, 1),
        setup=setup,
        sampler=SAMPLERS[head_sampler](epochs[1]),
        batch_size=batch_size,
        callbacks=callbacks,
    )
    normalize = Stage(
        name="tau", epochs=0, setup=lambda model: _normalize(model, tau)
    )
    stages = [stage for stage in (features, balance) if stage.epochs]
    return Recipe(
        build=build,
        stages=(*stages, *([] if tau is None else [normalize])),
        metrics=lambda: shot_accuracy_metrics(problem.class_counts),
        serve=ensemble if num_experts > 1 else lambda model: model,
        views=expert_views if num_experts > 1 else lambda model: {},
    )


def _normalize(model: keras.Model, tau: float) -> keras.Model:
    for head, *_ in last_layers(model, 1).values():
        kernel = keras.ops.convert_to_numpy(head.kernel)
        head.kernel.assign(stats.tau_normalize(kernel, tau))
    return model
