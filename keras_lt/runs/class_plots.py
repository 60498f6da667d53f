"""Pictures with the classes in a row, from the largest to the smallest."""

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402 - after the choice of Agg

from keras_lt.atomic import replacing  # noqa: E402
from keras_lt.groups import class_groups  # noqa: E402

COLORS = (
    *("#4269d0", "#ef8a17", "#3ca951", "#a463f2", "#9c6b4e", "#ff725c"),
    *("#222222", "#e377c2", "#17becf", "#bcbd22"),
)
LONGEST = 24  # signs of a name below a picture
NAMED = 40  # classes that have room for their names below a picture


def long_tail(path: pathlib.Path, data: Mapping[str, Any]) -> None:
    """Plot training images by class rank.

    Args:
        path: Of the picture.
        data: As of `by_rank`.
    """
    counts = np.asarray(data["class_counts"])
    order = np.argsort(-counts, kind="stable")
    figure, axes = _wide(len(order))
    axes.step(np.arange(len(order)), counts[order], where="mid")
    axes.set(ylabel="training images", yscale="log")
    _mark_groups(axes, counts, data.get("groups", "shots"))
    _name_classes(axes, order, data.get("class_names"))
    save(figure, path, dpi=110)


def by_rank(
    path: pathlib.Path,
    values: Mapping[str, Sequence[float | None]],
    data: Mapping[str, Any],
    title: str,
) -> None:
    """Plot one value a class, from the largest class to the smallest.

    Few classes have their names below. Of many the line is a mean of
    neighbours, with the classes as pale dots, and some have their names.

    Args:
        path: Of the picture.
        values: Length C each, by the name of the line.
        data: `class_counts`, length C, drawn in grey behind, and, as far as
            known, `class_names` and `groups`.
        title: Of the picture.
    """
    counts = np.asarray(data["class_counts"])
    order = np.argsort(-counts, kind="stable")
    rank = np.arange(len(order))
    figure, axes = _wide(len(order))
    behind = axes.twinx()
    behind.fill_between(rank, counts[order], step="mid", color="#eee")
    behind.set_ylabel("training images", color="#888")
    behind.set_ylim(0, None)
    behind.tick_params(axis="y", colors="#888")
    axes.set_zorder(behind.get_zorder() + 1)
    axes.patch.set_visible(False)
    many = len(order) > NAMED
    for (name, line), color in zip(values.items(), COLORS * 9, strict=False):
        line = np.array(line, "float64")[order]
        if many:
            axes.plot(rank, line, ".", color=color, alpha=0.3, markersize=3)
            line = _mean_of_neighbours(line, len(order) // 20)
        dots = "-" if many else ".-"
        axes.plot(rank, line, dots, color=color, label=name, linewidth=1.5)
    axes.set(title=title, ylim=(0, None), xlim=(-0.5, len(order) - 0.5))
    _mark_groups(axes, counts, data.get("groups", "shots"))
    _name_classes(axes, order, data.get("class_names"))
    lines = {"frameon": False, "fontsize": "small"}
    if len(values) > 3:
        figure.legend(loc="outside right upper", **lines)
    else:
        axes.legend(loc="best", **lines)
    save(figure, path, dpi=110)


def _wide(classes):
    """A figure with room for names of classes."""
    width = float(np.clip(0.24 * classes, 6, 10))
    return pyplot.subplots(figsize=(width, 4.2), layout="constrained")


def _mean_of_neighbours(line, window):
    """Mean over a window, which is cut at the ends; NaN are left out."""
    known, box = ~np.isnan(line), np.ones(2 * (window // 2) + 1)
    total, number = (
        np.convolve(each, box)[len(box) // 2 :][: len(line)]
        for each in (np.where(known, line, 0), known.astype("float64"))
    )
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def _mark_groups(axes, counts, groups):
    """Lines between the groups of classes, with their names above."""
    place = 0
    for name, members in class_groups(counts, groups).items():
        if len(members):
            middle = place + (len(members) - 1) / 2
            where = {"va": "top", "ha": "center", "color": "#888"}
            at = axes.get_xaxis_transform()
            axes.text(middle, 0.99, name, transform=at, fontsize=8, **where)
            place += len(members)
            if place < len(counts):
                axes.axvline(place - 0.5, color="#bbb", linestyle=":")


def _name_classes(axes, order, names):
    """Names of the classes, or of some of many, below."""
    axes.set_xlabel("classes, from the most training images to the fewest")
    if names is None:
        return
    step = -(-len(order) // NAMED)
    shown = [_short(str(names[c])) for c in order[::step]]
    axes.set_xticks(range(0, len(order), step), shown)
    axes.tick_params(axis="x", rotation=90, labelsize=8 if step == 1 else 7)


def _short(name):
    """A name with its end, which differs where names begin alike."""
    return name if len(name) <= LONGEST else f"…{name[1 - LONGEST :]}"


def save(figure: Any, path: pathlib.Path, dpi: int) -> None:
    """Write a figure and close it."""
    with replacing(path) as aside:
        figure.savefig(aside, dpi=dpi)
    pyplot.close(figure)
