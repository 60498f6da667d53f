"""MiSLAS: mixup, then a classifier that learns from smoothed labels."""

from typing import Literal

from keras_lt.data import Mixup
from keras_lt.methods.method import method
from keras_lt.methods.settings.shared import Network, SGDSettings
from keras_lt.methods.stages import on_one_network, supervised
from keras_lt.schedules import cosine_rates
from keras_lt.training import Problem, Recipe

LARGE = {
    "backbone": "resnet50",
    "l2": 5e-4,
    "epochs": (180,),
    "schedule": "cosine",
    "warmup_epochs": 0,
    "batch_size": 256,
    "mixup": 0.2,
}
PRESETS = {
    "cifar": {},
    "digits": {
        "backbone": "resnet8",
        "lr": 0.05,
        "l2": 5e-4,
        "epochs": (100,),
        "batch_size": 64,
        "mixup": 0.2,
    },
    "imagenet_lt": LARGE,
    "inaturalist2018": LARGE | {"l2": 1e-4, "epochs": (200,)},
    "places_lt": LARGE | {"backbone": "resnet152", "epochs": (90,)},
    "folder": LARGE | {"epochs": (100,), "batch_size": 64},  # ours
}


@method(PRESETS, after=("mislas",))
def recipe(
    problem: Problem,
    *,
    network: Network,
    sgd: SGDSettings,
    epochs: tuple[int] = (200,),
    schedule: Literal["step", "cosine"] = "step",
    factor: float = 0.1,
    warmup_epochs: int = 5,
    batch_size: int = 128,
    mixup: float = 1.0,
) -> Recipe:
    """Learn features from mixed images, then balance the classifier.

    Stage "mixup" trains everything with cross entropy. Stage "mislas" freezes
    the encoder; the classifier goes on, with a learned factor for each class,
    on balanced classes and on labels that are smoothed more for frequent
    ones. The second one can follow any method.

    Args:
        problem: Shape and class counts.
        network: See `settings.shared.Network`.
        sgd: See `settings.shared.SGDSettings`.
        epochs: Epochs of the first stage.
        schedule: Its rates: "step" drops them after 80 % and 90 % of the
            epochs, "cosine" follows half a cosine to 0.
        factor: Of each drop.
        warmup_epochs: Epochs of linear warm-up.
        batch_size: Images a step.
        mixup: How evenly images are mixed, alpha of `data.Mixup`; 0 for not
            at all.

    Returns:
        A `training.Recipe`.

    Source: Zhong et al., CVPR 2021; `dvlab-research/MiSLAS`.
    Differs from the released code: goes on from the last epoch, not from the
        one that is best on the test set.
    """
    (total,) = epochs
    if schedule == "step":
        optimizer = sgd.dropping(
            total, factor=factor, warmup_epochs=warmup_epochs
        )
    else:
        warmup_epochs = min(warmup_epochs, total)
        optimizer = sgd.along(
            cosine_rates(sgd.lr, total, warmup_epochs=warmup_epochs)
        )
    mixing = (Mixup(mixup, problem.num_classes),) if mixup else ()
    stage = supervised(
        "mixup",
        total,
        optimizer=optimizer,
        batch_size=batch_size,
        transforms=mixing,
    )
    return on_one_network(problem, network, stage)
