"""Cross entropy, then the classifier that is best on held-out images."""

import re
from collections.abc import Mapping
from typing import Any

import keras

from keras_lt import hyperparameters
from keras_lt.hyperparameters import grouped, nearest
from keras_lt.methods.following import THEN
from keras_lt.methods.method import method
from keras_lt.methods.on_features import adjusted_head, class_means
from keras_lt.methods.second_stages import adjust_in_part, give_back
from keras_lt.methods.settings.plain import PRESETS
from keras_lt.methods.settings.shared import Network, SGDSettings
from keras_lt.methods.stages import on_one_network, supervised
from keras_lt.models import anatomy, classifier, new_heads
from keras_lt.schedules import cosine_rates
from keras_lt.training import Problem, Recipe, Stage

FEATURES = "train"  # the stage that all others go on from
LOSS = 0.01  # in overall accuracy, for a gain in balanced accuracy
WEIGHT = 0.5  # of overall accuracy, beside balanced accuracy
SECOND = 10  # epochs of each of the others that trains
PERCENTS = 75, 50, 25  # of the log priors
# Of the classifier on features of a pretrained encoder, as `adapt` has them of
# own images: epochs, rate for each image of a batch, decay, scale of cosines.
HEAD, HEAD_LR, HEAD_L2, SCALE = 30, 0.05 / 64, 5e-4, 25.0
AUTO = {
    family: {**values, "epochs": (values["epochs"][0], SECOND)}
    for family, values in PRESETS.items()
}


@method(AUTO)
def recipe(
    problem: Problem,
    *,
    network: Network,
    sgd: SGDSettings,
    epochs: tuple[int, int] = (200, SECOND),
    factor: float = 0.01,
    warmup_epochs: int = 5,
    batch_size: int = 128,
    candidates: str = "la,la75,la50,la25,tau,crt,lws,maxnorm,mislas,los,ncm",
    pretrained: str | None = None,
) -> Recipe:
    """Learn features with cross entropy, then choose the classifier.

    Stage "train" is that of `ce`. Each candidate is a stage of
    `following.THEN` that goes on from there, on features that stay as they
    are. The run ends with the candidate, or with stage "train", whichever is
    best on the validation images, see `best`.

    With `pretrained` five more take part, on features of that encoder, which
    stays as it is: "means" asks which class mean is nearest, "adapt" is a
    cosine classifier that starts there and learns under the logit-adjusted
    loss, as in `methods.adapt`, and "adapt75" to "adapt25" give it back a
    part of the log priors.

    Args:
        problem: Shape and class counts.
        network: See `settings.shared.Network`.
        sgd: See `settings.shared.SGDSettings`.
        epochs: Epochs of the features, and of each candidate that trains.
        factor: Of each drop of the rate, after 80 % and 90 % of the epochs.
        warmup_epochs: Epochs of linear warm-up.
        batch_size: Images a step, of all stages.
        candidates: Names in `following.THEN`, with commas between them; "la50"
            subtracts half of the log priors, and so for each percentage.
        pretrained: An encoder from elsewhere, see `models.foreign`.

    Returns:
        A `training.Recipe`.

    Raises:
        ValueError: for a candidate that is none, or is there twice.

    Source: Kang et al., ICLR 2020, for features that suit any classifier; the
        choice is ours.
    """
    total, second = epochs
    names = _names(candidates)
    train = supervised(
        FEATURES,
        total,
        optimizer=sgd.dropping(
            total, factor=factor, warmup_epochs=warmup_epochs
        ),
        batch_size=batch_size,
    )
    others = [_candidate(name, problem, second, batch_size) for name in names]
    if pretrained:
        others = [*_adapted(problem, pretrained, batch_size), *others]
        names = [stage.name for stage in others]

    def serve(model):
        return new_heads.served(model) if anatomy.bears(model, names) else model

    return on_one_network(
        problem,
        network,
        train,
        *others,
        serve=serve,
        candidates=(FEATURES, *names),
        choose=best,
    )


def best(records: Mapping[str, Any]) -> str:
    """Name of the stage with the best accuracy on validation images.

    That is balanced accuracy and half of overall accuracy: a point more for
    the classes alike may cost at most two of all images. Those that lose more
    than a point overall against the first one, cross entropy, are left out.
    Of equal ones it is the first.

    Args:
        records: What `runs.judging.judge` says of each stage, by its name.
    """
    found = {n: r["validation_accuracy"] for n, r in records.items()}
    first, *_ = found.values()
    fair = {
        name: accuracy["balanced"] + WEIGHT * accuracy["overall"]
        for name, accuracy in found.items()
        if accuracy["overall"] >= first["overall"] - LOSS
    }
    return max(fair, key=fair.__getitem__)


def _adapted(problem: Problem, encoder: str, batch_size: int) -> list[Stage]:
    """Candidates on features of an encoder that was trained elsewhere."""

    def build(model: keras.Model) -> keras.Model:
        return classifier(encoder, problem, head="cosine", scale=SCALE)

    lr = HEAD_LR * batch_size
    sgd = SGDSettings(lr, l2=HEAD_L2)
    head = adjusted_head(
        "adapt",
        problem,
        HEAD,
        tau=1.0,
        optimizer=sgd.along(cosine_rates(lr, HEAD)),
        batch_size=batch_size,
        after="means",
    )
    weaker = [
        give_back(problem, "adapt", percent=percent) for percent in PERCENTS
    ]
    return [class_means("means", setup=build), head, *weaker]


def _names(candidates):
    names = [name.strip() for name in candidates.split(",")]
    for name in names:
        if name not in THEN and not _percent(name):
            raise ValueError(
                f"`candidates`: no stage {name!r}{nearest(name, THEN)}"
            )
    if len({*names}) < len(names):
        raise ValueError(f"`candidates` must differ, got {names}")
    return names


def _percent(name: str) -> int | None:
    """50 of "la50"; None for other names."""
    found = re.fullmatch("la([1-9][0-9]?)", name)
    return found and int(found[1])


def _candidate(name: str, problem: Problem, epochs: int, batch: int) -> Stage:
    """A stage with our settings for own images, which moves no statistics.

    All candidates share the encoder, which therefore has to stay as it is.
    """
    if percent := _percent(name):
        return adjust_in_part(problem, percent=percent)
    make, families = THEN[name]
    values = {each.name: each.default for each in hyperparameters.of(make)}
    values |= families.get("folder", {})
    own = {"epochs": epochs, "batch_size": batch, "statistics": "fixed"}
    values |= {k: v for k, v in own.items() if k in values}
    return make(problem, **grouped(make, values))
