"""RIDE: diverse distribution-aware experts, and routers between them."""

import dataclasses
from collections.abc import Sequence

import keras

from keras_lt.losses import (
    ClassBalancedLoss,
    DistillationLoss,
    LDAMLoss,
    LogitAdjustedLoss,
    RIDELoss,
    RouterLoss,
    SoftmaxCrossentropy,
)
from keras_lt.methods.method import method
from keras_lt.methods.settings.ride import (
    PRESETS,
    SGD_SETTINGS,
    VARIANTS,
    Experts,
    Router,
    Teacher,
)
from keras_lt.methods.settings.shared import Network, SGDSettings
from keras_lt.methods.stages import supervised
from keras_lt.metrics import shot_accuracy_metrics
from keras_lt.models import (
    add_router,
    anatomy,
    early_exit,
    ensemble,
    expert_views,
    linear_head,
    multi_expert,
    with_teacher,
)
from keras_lt.schedules import cosine_rates
from keras_lt.training import Problem, Recipe, Stage, freeze


@method(PRESETS, VARIANTS)
def recipe(
    problem: Problem,
    *,
    network: Network,
    experts: Experts,
    sgd: SGDSettings = SGD_SETTINGS,
    epochs: tuple[int, int, int] = (160, 40, 5),
    milestones: tuple[float, float] = (0.8, 0.9),
    factor: float = 0.01,
    warmup_epochs: int | None = None,
    batch_size: int = 128,
    routing: Router,
    teacher: Teacher,
    rotation: float = 15.0,
) -> Recipe:
    """Train diverse experts, then routers that ask as few as are needed.

    Stage "experts" trains several experts over a shared trunk, each with its
    own loss and all with a reward for disagreement. Stage "reweighted" goes
    on with class weights and temperatures by class (DRW). Stage "router"
    freezes all that and learns after each expert whether the next one is
    worth its cost. A stage with 0 epochs is left out.

    Args:
        problem: Shape and class counts.
        network: See `settings.shared.Network`.
        experts: See `settings.ride.Experts`.
        sgd: See `settings.shared.SGDSettings`.
        epochs: Epochs of the three stages.
        milestones: Fractions of the first two stages where the rate drops.
        factor: Of each drop.
        warmup_epochs: Epochs of linear warm-up; 5, or 20 with a teacher, by
            default.
        batch_size: Images a step.
        routing: See `settings.ride.Router`.
        teacher: See `settings.ride.Teacher`.
        rotation: Largest angle of the random rotation, in degrees.

    Returns:
        A `training.Recipe`.

    Example:
        >>> recipe(Problem((32, 32, 3), class_counts=(500, 5))).epochs
        205

    Source: Wang et al., ICLR 2021; `frank-xwang/RIDE-LongTailRecognition`.
    Differs from the released code: routers go on from the last epoch, not
        from the one that is best on the test set.
    """
    counts = problem.class_counts
    if warmup_epochs is None:
        warmup_epochs = 5 if teacher.distill_from is None else 20

    def build():
        model = multi_expert(
            network.backbone,
            problem,
            num_experts=experts.num_experts,
            width=network.width,
            thin=experts.thin,
            own_stages=experts.own_stages,
            head=experts.head,
        )
        taught = teacher.distill_from is not None
        return _taught(model, teacher) if taught else model

    def learning(number, name, optimizer):
        return supervised(
            name,
            epochs[number],
            loss=_loss(experts, teacher, counts, reweighted=number == 1),
            optimizer=optimizer,
            batch_size=batch_size,
        )

    first = sgd.dropping(
        epochs[0] + epochs[1],
        milestones=milestones,
        factor=factor,
        warmup_epochs=warmup_epochs,
    )
    stages = (
        learning(0, "experts", first),
        learning(1, "reweighted", None if epochs[0] else first),
        _routing(routing, epochs[2], sgd, linear_head(network.backbone)),
    )
    return Recipe(
        build=build,
        stages=tuple(stage for stage in stages if stage.epochs),
        metrics=lambda: shot_accuracy_metrics(
            counts, num_views=experts.num_experts, groups=problem.groups
        ),
        serve=_serve,
        views=expert_views,
        augment={"rotation": rotation},
    )


def _loss(
    experts: Experts,
    teacher: Teacher,
    counts: Sequence[int],
    *,
    reweighted: bool,
) -> keras.losses.Loss:
    scale = 30.0 if experts.head == "cosine" else 1.0
    base = {
        "ldam": LDAMLoss(counts, scale=scale, reweighted=reweighted),
        "ce": SoftmaxCrossentropy(),
        "balanced": ClassBalancedLoss(counts),
        "la": LogitAdjustedLoss(counts),
    }[experts.loss]
    students = RIDELoss(
        counts,
        base=base,
        diversity=experts.diversity,
        divergence=experts.divergence,
        gamma=experts.gamma,
        reweighted=reweighted,
        collaborative=experts.collaborative,
    )
    if teacher.distill_from is None:
        return students
    return DistillationLoss(
        students,
        temperature=teacher.temperature,
        official_scale=teacher.official_scale,
    )


def _routing(
    routing: Router, epochs: int, sgd: SGDSettings, initial: str
) -> Stage:
    def setup(model):
        for layer in model.layers:
            freeze(layer, statistics="fixed")
        classes = model.output_shape[-1]
        top_k = min(routing.top_k, classes)
        return add_router(model, top_k=top_k, initial=initial)

    rates = cosine_rates(routing.router_lr, epochs)
    return supervised(
        "router",
        epochs if routing.router else 0,
        loss=RouterLoss(pos_weight=routing.pos_weight),
        optimizer=dataclasses.replace(sgd, l2=routing.router_l2).along(rates),
        setup=setup,
        sampler="class",
        batch_size=routing.router_batch_size,
    )


def _taught(model: keras.Model, teacher: Teacher) -> keras.Model:
    if not callable(teacher.distill_from):
        raise ValueError(
            "`distill_from` must be a function that returns a model, such as "
            "`runs.RunFolder(PATH).model`, got "
            f"{teacher.distill_from!r}"
        )
    model = with_teacher(model, teacher.distill_from())
    lesson = anatomy.teacher(model)
    freeze(lesson, statistics=teacher.teacher_statistics)
    return model


def _serve(model: keras.Model) -> keras.Model:
    routed = anatomy.has_router(model)
    return early_exit(model) if routed else ensemble(model)
