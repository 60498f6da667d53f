"""Plain softmax cross entropy: the baseline of every table."""

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
    sampler: str = "instance",
) -> Recipe:
    """Cross entropy in one stage, with the settings of the LDAM release.

    The rate drops by a factor after 80 % and again after 90 % of the epochs.

    Args:
        problem: Shape and class counts.
        network: See `settings.shared.Network`.
        sgd: See `settings.shared.SGDSettings`.
        epochs: Epochs of the one stage.
        factor: Of each drop of the rate.
        warmup_epochs: Epochs of linear warm-up.
        batch_size: Images a step.
        sampler: Name in `samplers.SAMPLERS`.

    Returns:
        A `training.Recipe`.

    Example:
        >>> recipe(Problem((32, 32, 3), class_counts=(500, 5))).epochs
        200

    Source: Cao et al., NeurIPS 2019; `kaidic/LDAM-DRW:cifar_train.py`.
    Differs from the released code: batch normalisation, see
        `layers.BatchNormalization`.
    """
    (total,) = epochs
    stage = supervised(
        "train",
        total,
        optimizer=sgd.dropping(
            total, factor=factor, warmup_epochs=warmup_epochs
        ),
        sampler=sampler,
        batch_size=batch_size,
    )
    return on_one_network(problem, network, stage)
