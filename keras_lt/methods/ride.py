"""RIDE: diverse distribution-aware experts, and routers between them."""

import pathlib
from typing import Literal

import keras

from keras_lt.losses import (
    ClassBalancedLoss,
    DistillationLoss,
    LDAMLoss,
    RIDELoss,
    RouterLoss,
)
from keras_lt.metrics import shot_accuracy_metrics
from keras_lt.models import (
    add_router,
    early_exit,
    ensemble,
    expert_views,
    multi_expert,
    with_teacher,
)
from keras_lt.optimizers import SGD
from keras_lt.samplers import ClassBalanced
from keras_lt.schedules import EpochRates, cosine_rates, step_rates
from keras_lt.training import Problem, Recipe, Stage, freeze

IMAGENET = {
    "backbone": "resnet50",
    "l2": 2e-4,
    "epochs": (80, 20, 5),
    "milestones": (0.6, 0.8),
    "factor": 0.1,
    "batch_size": 256,
    "diversity": -0.2,
    "gamma": 0.02,
    "top_k": 50,
    "rotation": 0.0,
}
DIGITS = {"backbone": "resnet8", "lr": 0.05, "batch_size": 64, "rotation": 0.0}
PRESETS = {
    "cifar": {},
    "digits": DIGITS | {"epochs": (80, 20, 5)},
    "imagenet_lt": IMAGENET,
    "inaturalist2018": IMAGENET
    | {"lr": 0.2, "batch_size": 512, "gamma": 0.015},
    # These are ours.
    "places_lt": IMAGENET | {"backbone": "resnet152", "epochs": (24, 6, 5)},
    "folder": IMAGENET | {"batch_size": 64},
}


def recipe(
    problem: Problem,
    *,
    backbone: str = "resnet32",
    width: int | None = None,
    num_experts: int = 3,
    thin: float = 0.75,
    head: Literal["cosine", "linear"] = "cosine",
    loss: Literal["ldam", "ce", "balanced"] = "ldam",
    diversity: float = -0.45,
    divergence: Literal["ensemble", "pairwise"] = "ensemble",
    gamma: float = 0.05,
    collaborative: bool = False,
    lr: float = 0.1,
    momentum: float = 0.9,
    nesterov: bool = True,
    l2: float = 5e-4,
    epochs: tuple[int, int, int] = (160, 40, 5),
    milestones: tuple[float, float] = (0.8, 0.9),
    factor: float = 0.01,
    warmup_epochs: int | None = None,
    batch_size: int = 128,
    router: bool = True,
    top_k: int = 30,
    pos_weight: float = 100.0,
    router_lr: float = 0.01,
    router_l2: float = 5e-4,
    router_batch_size: int = 512,
    distill_from: str | None = None,
    temperature: float = 1.5,
    official_scale: bool = True,
    teacher_statistics: Literal["moving", "fixed"] = "moving",
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
        backbone: Name in `models.BACKBONES`.
        width: Channels of the first stage; the published number by default.
        num_experts: Experts, >= 1; 2, 3 or 4 published, 6 for a teacher.
        thin: Factor on the channels of the experts' stages.
        head: Classifiers, "cosine" or "linear" (an unbounded divergence).
        loss: Of each expert: "ldam" with deferred class weights, as
            published; "ce", cross entropy; "balanced", class-balanced.
        diversity: Coefficient of the divergence, negative to drive experts
            apart; 0 for none.
        divergence: "ensemble" as released, "pairwise" as in the paper.
        gamma: How far the temperatures of the classes differ.
        collaborative: Whether the experts share one loss on mean logits.
        lr: Learning rate after the warm-up.
        momentum: Of SGD.
        nesterov: Whether SGD looks ahead.
        l2: Weight decay, coupled, of every variable.
        epochs: Epochs of the three stages.
        milestones: Fractions of the first two stages where the rate drops.
        factor: Of each drop.
        warmup_epochs: Epochs of linear warm-up; 5, or 20 with a teacher, by
            default.
        batch_size: Images a step.
        router: Whether to train routers.
        top_k: Largest logits that routers read, at most all.
        pos_weight: Of "a later expert sets this right" in the routers' loss:
            the larger, the more experts are asked.
        router_lr: First learning rate of stage "router"; half a cosine to 0.
        router_l2: Weight decay there.
        router_batch_size: Images a step there.
        distill_from: Folder of a finished run whose model teaches, such as
            one of 6 experts without router; None for no teacher.
        temperature: Of the distillation.
        official_scale: Whether to multiply the loss with distillation by the
            number of experts, as released.
        teacher_statistics: Batch normalisation of the teacher: "moving", on
            statistics of each batch, as released, or "fixed".
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
    total = epochs[0] + epochs[1]
    if warmup_epochs is None:
        warmup_epochs = 5 if distill_from is None else 20
    rates = step_rates(
        lr,
        total,
        milestones=[round(share * total) for share in milestones],
        factor=factor,
        warmup_epochs=min(warmup_epochs, total),
    )
    counts = problem.class_counts

    def objective(reweighted):
        scale = 30.0 if head == "cosine" else 1.0
        base = {
            "ldam": LDAMLoss(counts, scale=scale, reweighted=reweighted),
            "ce": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            "balanced": ClassBalancedLoss(counts),
        }[loss]
        students = RIDELoss(
            counts,
            base=base,
            diversity=diversity,
            divergence=divergence,
            gamma=gamma,
            reweighted=reweighted,
            collaborative=collaborative,
        )
        if distill_from is None:
            return students
        return DistillationLoss(
            students, temperature=temperature, official_scale=official_scale
        )

    def build():
        model = multi_expert(
            backbone,
            problem,
            num_experts=num_experts,
            width=width,
            thin=thin,
            head=head,
        )
        if distill_from is None:
            return model
        model = with_teacher(model, _load(distill_from))
        freeze(model.get_layer("teacher"), statistics=teacher_statistics)
        return model

    def setup(model):
        for layer in model.layers:
            freeze(layer, statistics="fixed")
        return add_router(model, top_k=min(top_k, problem.num_classes))

    def sgd(rates, decay):
        options = {"momentum": momentum, "nesterov": nesterov, "l2": decay}
        return lambda steps: SGD(EpochRates(rates, steps), **options)

    def learning(number, name, optimizer):
        return Stage(
            name=name,
            epochs=epochs[number],
            loss=objective(reweighted=number == 1),
            optimizer=optimizer,
            batch_size=batch_size,
        )

    first = sgd(rates, l2)
    experts = learning(0, "experts", first)
    reweighted = learning(1, "reweighted", None if epochs[0] else first)
    routing = Stage(
        name="router",
        epochs=epochs[2] if router else 0,
        loss=RouterLoss(pos_weight=pos_weight),
        optimizer=sgd(cosine_rates(router_lr, epochs[2]), router_l2),
        setup=setup,
        sampler=ClassBalanced(),
        batch_size=router_batch_size,
    )
    stages = [s for s in (experts, reweighted, routing) if s.epochs]
    return Recipe(
        build=build,
        stages=tuple(stages),
        metrics=lambda: shot_accuracy_metrics(counts, num_views=num_experts),
        serve=_serve,
        views=expert_views,
        augment={"rotation": rotation},
    )


def _load(folder: str) -> keras.Model:
    path = pathlib.Path(folder) / "model.keras"
    if not path.exists():
        raise ValueError(
            "`distill_from` must be the folder of a finished run, but "
            f"{path} is missing"
        )
    return keras.saving.load_model(path, compile=False)


def _serve(model: keras.Model) -> keras.Model:
    routed = any(layer.name == "router" for layer in model.layers)
    return early_exit(model) if routed else ensemble(model)
