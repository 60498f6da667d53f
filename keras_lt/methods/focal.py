"""Focal loss: cross entropy that passes over what is already right."""

from keras_lt.losses import FocalLoss
from keras_lt.methods.method import method
from keras_lt.methods.settings.plain import PRESETS
from keras_lt.methods.settings.shared import Network, SGDSettings
from keras_lt.methods.stages import on_one_network, supervised
from keras_lt.training import Problem, Recipe


@method(PRESETS)
def recipe(
    problem: Problem,
    *,
    network: Network,
    sgd: SGDSettings,
    epochs: tuple[int] = (200,),
    factor: float = 0.01,
    warmup_epochs: int = 5,
    batch_size: int = 128,
    gamma: float = 1.0,
    beta: float = 0.0,
) -> Recipe:
    """Focal loss in one stage, with class weights if need be.

    All else is as in `ce`, beside which it is to be read, and as in the LDAM
    release. `ldam` with `loss=focal` holds the class weights back until late.

    Args:
        problem: Shape and class counts.
        network: See `settings.shared.Network`.
        sgd: See `settings.shared.SGDSettings`.
        epochs: Epochs of the one stage.
        factor: Of each drop of the rate, after 80 % and 90 % of the epochs.
        warmup_epochs: Epochs of linear warm-up.
        batch_size: Images a step.
        gamma: How strongly what is right is passed over, >= 0.
        beta: Of the class weights, in [0, 1): 0 for none, 0.9999 for the
            class-balanced focal loss.

    Returns:
        A `training.Recipe`.

    Source: Lin et al., ICCV 2017; Cui et al., CVPR 2019;
        `kaidic/LDAM-DRW:cifar_train.py`.
    """
    (total,) = epochs
    stage = supervised(
        "train",
        total,
        loss=FocalLoss(problem.class_counts, gamma=gamma, beta=beta),
        optimizer=sgd.dropping(
            total, factor=factor, warmup_epochs=warmup_epochs
        ),
        batch_size=batch_size,
    )
    return on_one_network(problem, network, stage)
