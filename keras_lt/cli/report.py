r"""Write a page about finished runs: keras-lt report RUN [RUN ...].

One HTML file that needs no network and no server: accuracies with intervals,
what other shares of the classes would change, weak classes with pictures,
calibration, prediction sets, curves, norms and cost; of several runs side by
side, with the significance of their differences.

Examples:
  One run:
    keras-lt report runs/digits_lt-50-wb-seed0

  Two of them side by side, in a file of that name:
    keras-lt report RUN OTHER --out=both.html
"""

import dataclasses
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from keras_lt.cli import arguments, usage
from keras_lt.cli.backends import set_backend
from keras_lt.cli.options import RunAgain
from keras_lt.runs.answers import ask
from keras_lt.runs.config import RunConfig
from keras_lt.runs.flags import option
from keras_lt.runs.folder import RunFolder


@dataclasses.dataclass(frozen=True, kw_only=True)
class Page:
    """The page."""

    out: str | None = option(
        None,
        "Where to write. Default: report.html in the folder of the run, or "
        "beside the first of several.",
    )
    title: str | None = option(None, "Of the page. Default: names of the runs.")


GROUPS = (Page, RunAgain)
NAMES = ("RUN...",)


def main(argv: Sequence[str]) -> None:
    """Ask the models, and write."""
    if usage.topic_of(argv) is not None:
        usage.print_flags(__doc__, GROUPS)
        return
    path = arguments.checked(write, argv)
    print(f"{path} written, {path.stat().st_size / 2**20:.1f} MiB")


def write(argv: Sequence[str]) -> pathlib.Path:
    """Check the flags, make the page, and return its path."""
    given = arguments.parse(argv, GROUPS, NAMES)
    page, again = given[Page], given[RunAgain]
    runs = [(folder, folder.config()) for folder in map(RunFolder, given.rest)]
    for folder, _ in runs:
        folder.result()  # which says that it is finished
    # Any backend loads any model.
    set_backend(again.backend or runs[0][1].backend)
    from keras_lt.atomic import write_atomically
    from keras_lt.reporting.page import check_installed, report_page

    check_installed()
    names = _names([folder.path.resolve().name for folder, _ in runs])
    subjects = [
        _subject(name, *run, again.data_dir)
        for name, run in zip(names, runs, strict=True)
    ]
    text = report_page(
        subjects, title=page.title, command=arguments.command(argv)
    )
    first = runs[0][0].path
    folder = first if len(runs) == 1 else first.parent
    path = pathlib.Path(page.out or folder / "report.html")
    write_atomically(path, text.encode())
    return path


def _names(folders: list[str]) -> list[str]:
    """Names of folders without the words that all of them begin with."""
    if len(folders) == 1:
        return folders
    words = [name.split("-") for name in folders]
    while len({w[0] for w in words}) == 1 and all(w[2:] for w in words):
        words = [w[1:] for w in words]
    return ["-".join(w) for w in words]


def _subject(
    name: str, folder: RunFolder, config: RunConfig, data_dir: str | None
) -> Any:
    from keras_lt.reporting import Subject

    result, found = folder.result(), ask(folder, config, data_dir)
    stages = result["stages"].items()
    logits, labels = found.test
    return Subject(
        name=name,
        logits=logits,
        labels=labels,
        class_counts=result["class_counts"],
        class_names=result["class_names"],
        groups=result.get("groups", "shots"),
        validation=found.validation,
        images=found.images,
        norms={name: stage["class_norms"] for name, stage in stages},
        epochs=folder.epochs(),
        facts={
            "Cost": _cost(result, found.macs),
            "Origin": _origin(result),
            "Hyperparameters": _shown(result["hyperparameters"]),
        },
    )


def _cost(result: Mapping[str, Any], macs: int) -> dict[str, str]:
    """What a run and its model cost, as far as it is known."""
    cost = {
        "parameters": f"{result['parameters']:,}",
        "operations of one image": f"{macs:,} multiply-adds",
    }
    if routing := result.get("routing"):
        from keras_lt.runs.reports import experts_used

        cost["experts"] = experts_used(routing)
        cost["operations, of one plain network"] = f"{routing['macs']:.3f}"
    known = {
        "epochs": ("epochs", "{:,}"),
        "training": ("train_seconds", "{:,.1f} s"),
        "speed": ("images_per_second", "{:,.1f} images/s"),
        "device": ("device", "{}"),
        "replicas": ("replicas", "{}"),
    }
    for title, (name, form) in known.items():
        if result.get(name) is not None:
            cost[title] = form.format(result[name])
    return cost


def _origin(result: Mapping[str, Any]) -> dict[str, str]:
    names = {
        "method": "method",
        "then": "stages that followed",
        "dataset": "data set",
        "imbalance_ratio": "imbalance ratio",
        "split_sha256": "SHA-256 of the training split",
        "augment": "augmentation",
        "init_from": "began from",
        "seed": "seed",
        "backend": "backend",
        "precision": "precision",
        "flip_tta": "mean of image and mirror image",
        "command": "command",
        "commit": "commit",
        "versions": "versions",
    }
    known = {
        title: result[name] for name, title in names.items() if result.get(name)
    }
    return _shown(known)


def _shown(values: Mapping[str, Any]) -> dict[str, str]:
    """Values as text: lists with commas, versions with their names."""
    from keras_lt.reporting.words import brief

    found = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            value = ", ".join(f"{k} {v}" for k, v in value.items())
        elif isinstance(value, list):
            value = ", ".join(map(brief, value))
        found[name] = brief(value)
    return found
