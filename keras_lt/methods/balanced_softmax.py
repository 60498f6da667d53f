"""Balanced softmax: cross entropy of logits shifted by the priors."""

from keras_lt.losses import LogitAdjustedLoss
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
    tau: float = 1.0,
) -> Recipe:
    """Cross entropy in one stage, to logits plus `tau` times the log priors.

    All else is as in `ce`, beside which it is to be read: no settings were
    published for CIFAR-100-LT of ratio 100. Served are the plain logits.

    Args:
        problem: Shape and class counts.
        network: See `settings.shared.Network`.
        sgd: See `settings.shared.SGDSettings`.
        epochs: Epochs of the one stage.
        factor: Of each drop of the rate, after 80 % and 90 % of the epochs.
        warmup_epochs: Epochs of linear warm-up.
        batch_size: Images a step.
        tau: Exponent of the priors; 1 is the balanced softmax.

    Returns:
        A `training.Recipe`.

    Source: Ren et al., NeurIPS 2020; Menon et al., ICLR 2021.
    """
    (total,) = epochs
    stage = supervised(
        "train",
        total,
        loss=LogitAdjustedLoss(problem.class_counts, tau=tau),
        optimizer=sgd.dropping(
            total, factor=factor, warmup_epochs=warmup_epochs
        ),
        batch_size=batch_size,
    )
    return on_one_network(problem, network, stage)
