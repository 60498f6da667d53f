"""Evaluate the model of a finished run: keras-lt evaluate WORKDIR.

Reads the model and the test images, prints accuracy by group, and compares
it with the run's result. For routed experts it also counts how many images use
how many experts, and measures what that costs.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

from keras_lt.cli import arguments, usage
from keras_lt.cli.finished import open_run
from keras_lt.cli.options import RunAgain
from keras_lt.runs.flags import option


@dataclasses.dataclass(frozen=True, kw_only=True)
class How:
    """How to evaluate."""

    flip_tta: bool | None = option(
        None,
        "Evaluate on the mean of image and mirror image. Default: as the run.",
    )


GROUPS = (How, RunAgain)
NAMES = ("WORKDIR",)


def prepare(argv: Sequence[str]) -> tuple[Any, ...]:
    """Find the run and read its result, model and data set."""
    given = arguments.parse(argv, GROUPS, NAMES)
    folder, config = open_run(given.rest[0], given[RunAgain].backend)
    dataset = config.load_data(given[RunAgain].data_dir)
    return given[How].flip_tta, folder.result(), folder.model(), dataset


def main(argv: Sequence[str]) -> None:
    """Evaluate, print, compare."""
    if usage.topic_of(argv) is not None:
        usage.print_flags(__doc__, GROUPS)
        return
    flip, result, model, dataset = arguments.checked(prepare, argv)
    from keras_lt import training
    from keras_lt.models import anatomy
    from keras_lt.runs import reports, routing_cost

    flip = result["flip_tta"] if flip is None else flip
    images, labels = dataset.test
    found = training.evaluate(
        model,
        images,
        labels,
        dataset.class_counts,
        groups=result.get("groups", "shots"),
        flip=bool(flip),
    )["accuracy"]
    before = result["accuracy"]  # None of weights that were imported
    rows = {"result.json": before} if before else {}
    reports.print_accuracies({**rows, "now": found}, "in %")
    if before and flip == result["flip_tta"]:
        # Earlier versions knew fewer measures.
        same = {name: found[name] for name in before} == before
        print("equal" if same else "NOT equal to result.json")
    if anatomy.has_router(model):
        plain = routing_cost.plain_macs(
            result["hyperparameters"], dataset.class_counts, model
        )
        report = routing_cost.report(model, dataset.test[0], plain)
        reports.print_routing(report)
