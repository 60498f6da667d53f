"""Plots of a run: accuracy and norms by class rank, and curves."""

import pathlib

import numpy as np
from matplotlib import pyplot

from keras_lt.runs.class_plots import COLORS, by_rank, save

# Of a figure's sides. To let matplotlib find them is half of its time.
MARGINS = {"left": 0.11, "right": 0.87, "bottom": 0.16, "top": 0.9}
TAILS = ("val_accuracy_few", "val_accuracy_tail")


def draw(folder: pathlib.Path, result: dict, lines: list[dict]) -> None:
    """Write `accuracy.png`, `norms.png` and `curves.png`.

    Args:
        folder: Where to; made if missing.
        result: Content of `result.json`.
        lines: Content of `metrics.jsonl`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stages = result["stages"]
    by_rank(
        folder / "accuracy.png",
        {name: stage["class_accuracy"] for name, stage in stages.items()},
        result,
        "Test accuracy of each class",
    )
    by_rank(
        folder / "norms.png",
        {name: stage["class_norms"] for name, stage in stages.items()},
        result,
        "Norm of each class vector",
    )
    curves(folder / "curves.png", lines)
    last = [*stages.values()][-1]
    judged = [stage["views"] for stage in stages.values() if stage.get("views")]
    if judged:
        views = {**judged[-1], "served": last["accuracy"]}
        by_group(folder / "views.png", views, "Test accuracy of each view")


def study(path: pathlib.Path, results: dict[str, dict]) -> None:
    """Plot accuracy by class rank and by group, and curves, of several runs.

    Args:
        path: Of the picture.
        results: Contents of `result.json`, by the name of the line, with
            `curves` by stage.
    """
    known = all(result.get("curves") for result in results.values())
    panels = 2 + known
    figure, axes = pyplot.subplots(
        1, panels, figsize=(4.4 * panels, 3.8), layout="constrained"
    )
    for (name, result), color in zip(results.items(), COLORS * 9, strict=False):
        last = [*result["stages"].values()][-1]
        order = np.argsort(-np.asarray(result["class_counts"]), kind="stable")
        line = np.array(last["class_accuracy"], "float64")[order]
        window = max(len(line) // 10, 1)  # a mean of neighbours reads better
        line = np.convolve(line, np.ones(window) / window, "valid")
        rank = np.arange(len(line)) + (window - 1) / 2
        axes[0].plot(rank, line, color=color, label=name)
        if known:
            _curve(axes[2], result["curves"], color)
    accuracies = {k: r["accuracy"] for k, r in results.items()}
    _bars(axes[1], accuracies, COLORS * 9)
    axes[0].set(xlabel="class rank by frequency", title="Test accuracy")
    axes[1].set(title="Test accuracy by group")
    axes[0].legend(frameon=False, fontsize="small")
    save(figure, path, dpi=90)


def _curve(axes, curves, color):
    """Training accuracy of all stages, over their share of the epochs."""
    values = [v for stage in curves.values() for v in stage["accuracy"]]
    share = np.linspace(0, 1, len(values) + 1)[1:]
    axes.plot(share, np.array(values, "float64"), color=color)
    axes.set(xlabel="share of all epochs", title="Training accuracy")


def _bars(axes, accuracies, colors):
    """Bars by group, and within by name."""
    groups = [g for g in [*accuracies.values()][0] if g != "worst_class"]
    width = 0.8 / len(accuracies)
    for number, (name, accuracy) in enumerate(accuracies.items()):
        where = np.arange(len(groups)) + (number + 0.5) * width - 0.4
        heights = [accuracy.get(group, 0) for group in groups]
        axes.bar(where, heights, width, color=colors[number], label=name)
    axes.set(xticks=range(len(groups)), xticklabels=groups)


def by_group(
    path: pathlib.Path, accuracies: dict[str, dict], title: str
) -> None:
    """Plot bars of accuracy, by shot group and within by name.

    Args:
        path: Of the picture.
        accuracies: By the name of the bar, then by shot group.
        title: Of the picture.
    """
    figure, axes = pyplot.subplots(figsize=(6, 3.4), gridspec_kw=MARGINS)
    colors = pyplot.get_cmap("viridis")(np.linspace(0, 1, len(accuracies)))
    _bars(axes, accuracies, colors)
    axes.set(title=title)
    axes.legend(frameon=False, fontsize="small", ncols=2)
    save(figure, path, dpi=110)


def curves(path: pathlib.Path, lines: list[dict]) -> None:
    """Plot loss and accuracies over the epochs of all stages."""
    figure, (top, bottom) = pyplot.subplots(
        2, 1, figsize=(6, 5), sharex=True, gridspec_kw=MARGINS
    )
    epochs = np.arange(1, len(lines) + 1)
    for axes, names in (
        (top, ("loss", "val_loss")),
        (bottom, ("accuracy", "val_accuracy", *TAILS)),
    ):
        for name, color in zip(names, COLORS, strict=False):
            if any(name in line for line in lines):
                values = [line.get(name, np.nan) for line in lines]
                axes.plot(epochs, values, color=color, label=name)
        if axes.lines:
            axes.legend(frameon=False)
    for i in range(1, len(lines)):
        if lines[i]["stage"] != lines[i - 1]["stage"]:
            for axes in (top, bottom):
                axes.axvline(i + 0.5, color="#888", linestyle=":")
    top.set(yscale="log", ylabel="loss (nats)")
    bottom.set(xlabel="epoch over all stages", ylabel="accuracy")
    save(figure, path, dpi=110)
