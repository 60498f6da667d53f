"""A study of one's own images: `auto` beside what it chooses from."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_lt.groups import thirds
from reproduction.jobs import Job, Row
from reproduction.natural_tails import NAMES

BUDGETS = (12, 40)  # epochs of the features
PIXELS = 32
ENCODER = "efficientnet_lite0@size=128"
COLUMNS = ("balanced", "overall", "macro F1", "head", "body", "tail")


def own() -> list[Job]:
    """Methods on two natural tails, with few epochs of a small network."""
    return [
        job
        for epochs in BUDGETS
        for images in NAMES
        for job in _jobs(images, epochs)
    ]


def _jobs(images: str, n: int) -> list[Job]:
    """All methods, `n` epochs for each network; a tenth for what follows.

    "auto+" needs the package with the weights of EfficientNet-Lite0.
    """
    late, more = n // 5, max(n // 10, 1)
    plain = (f"warmup_epochs={round(n / 20)}",)
    half, early = n // 2, n - late
    methods = {
        "ce": ("Cross entropy", (n,), plain),
        "auto": (
            "Chosen on held-out images",
            (n, more),
            (*plain, "pretrained=None"),
        ),
        "auto+": (
            "The same, pretrained features, too",
            (n, more),
            (*plain, f"pretrained={ENCODER}"),
        ),
        "balanced_softmax": ("Balanced softmax", (n,), plain),
        "wb": ("WB", (n, more), ()),
        "ldam": ("LDAM-DRW", (early, late), plain),
        "ride": ("RIDE, 3 experts, routed", (early, late, more), plain),
        "reslt": ("ResLT", (n,), plain),
        "ssd": ("SSD", (half, more, half, more), ()),
    }
    return [
        Job(
            f"own-{images}-{n}-{method}",
            "folder",
            None,
            method.removesuffix("+"),
            (
                f"--image_size={PIXELS}",
                "--set=backbone=resnet8",
                f"--set=epochs={epochs}".replace(" ", ""),
                *(f"--set={setting}" for setting in settings),
            ),
            (Row(title, _LAST[method.removesuffix("+")]),),
            images=images,
        )
        for method, (title, epochs, settings) in methods.items()
    ]


_LAST = {
    "auto": "train",
    "balanced_softmax": "train",
    "ce": "train",
    "ldam": "reweighted",
    "reslt": "train",
    "ride": "router",
    "ssd": "rescale",
    "wb": "classifier",
}


def table(jobs: Sequence[Job], found: Mapping[str, list[dict]]) -> str:
    """A line for each data set, budget and method.

    Overall weighs the classes as the training images do: the test images of
    CIFAR-100 are as many of each class.

    Args:
        jobs: That were trained.
        found: Results of every seed, by names of trainings.

    Returns:
        Text for the page.
    """
    differences = ["over cross entropy", "overall over it", "chosen"]
    head = ["", "images", "epochs", *COLUMNS, *differences, "seconds", "seeds"]
    lines = [head, ["---"] * len(head)]
    for job in jobs:
        runs = found[job.name]
        base = found.get(f"{job.name.rsplit('-', 1)[0]}-ce") or []
        values = [_values(run) for run in runs]
        others = [_values(run) for run in base]
        seconds = statistics.mean(run["train_seconds"] for run in runs)
        lines.append(
            [
                job.rows[0].title,
                NAMES[job.images],
                str(runs[0]["hyperparameters"]["epochs"][0]),
                *(_mean(values, name) for name in COLUMNS),
                *(_over(values, others, name) for name in COLUMNS[:2]),
                ", ".join(r["choice"]["chosen"] for r in runs if "choice" in r),
                f"{seconds:.0f}",
                str(len(runs)),
            ]
        )
    return "\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _values(run: Mapping[str, Any]) -> dict[str, float]:
    """Figures of the stage that a run ends with, in %."""
    *_, last = run["stages"].values()
    if "choice" in run:
        last = run["stages"][run["choice"]["chosen"]]
    accuracies = np.asarray(last["class_accuracy"], float)
    counts = np.asarray(run["class_counts"], float)
    values = {
        "balanced": accuracies.mean(),
        "overall": np.average(accuracies, weights=counts),
        **{
            name: accuracies[classes].mean()
            for name, classes in thirds(run["class_counts"])._asdict().items()
        },
        "macro F1": last["accuracy"]["macro_f1"],
    }
    return {name: 100 * float(value) for name, value in values.items()}


def _mean(values, name):
    found = [each[name] for each in values if name in each]
    if not found:
        return "–"
    spread = f" ± {statistics.stdev(found):.1f}" if len(found) > 1 else ""
    return f"{statistics.mean(found):.1f}{spread}"


def _over(values, others, name):
    if not others:
        return "–"
    ours, theirs = (
        statistics.mean(each[name] for each in part)
        for part in (values, others)
    )
    return f"{ours - theirs:+.1f}"
