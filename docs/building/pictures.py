"""The pictures of the documentation, drawn from what the package says."""

import io
from collections.abc import Iterator

import matplotlib
from matplotlib import pyplot
from matplotlib.figure import Figure

import keras_lt

matplotlib.use("svg")
STYLE = {"svg.hashsalt": "keras_lt", "svg.fonttype": "none", "font.size": 9}
BLUE, ORANGE, GREEN, GREY = "#4c72b0", "#dd8452", "#55a868", "#8c8c8c"
SYSTEMS = ("wb", "ride", "reslt", "ssd")
# Boxes (column, row, text, colour) and arrows between them, by their number.
WB = (
    [
        (0, 1, "images", GREY),
        (1, 1, "encoder\nstage 2: frozen", BLUE),
        (2.2, 1, "linear classifier\nstage 2: ‖class vector‖ ≤ r", ORANGE),
        (3.4, 1, "logits", GREY),
        (1, 0, "weight decay", GREEN),
        (2.2, 0, "class-balanced loss", GREEN),
    ],
    [(0, 1), (1, 2), (2, 3), (4, 1), (5, 2)],
)
RIDE = (
    [
        (0, 1, "images", GREY),
        (1, 1, "shared trunk", BLUE),
        *((2, row, f"expert {row + 1}", ORANGE) for row in range(3)),
        (3, 0.5, "router:\nis 2 worth it?", GREEN),
        (3, 1.5, "router:\nis 3 worth it?", GREEN),
        (4.2, 2, "mean of the\nexperts asked", GREY),
    ],
    [(0, 1), (1, 2), (1, 3), (1, 4)]
    + [(2, 5), (5, 3), (3, 6), (6, 4), (5, 7), (6, 7), (4, 7)],
)
RESLT = (
    [
        (0, 1, "images", GREY),
        (1, 1, "encoder", BLUE),
        (2, 0, "branch 1:\nall classes", ORANGE),
        (2, 1, "branch 2:\nmedium and few", ORANGE),
        (2, 2, "branch 3:\nfew", ORANGE),
        (3, 1, "sum", GREEN),
        (4, 1, "logits", GREY),
    ],
    [(0, 1), (1, 2), (1, 3), (1, 4), (2, 5), (3, 5), (4, 5), (5, 6)],
)
SSD = (
    [
        (0, 0, "two crops", GREY),
        (1.1, 0, "encoder and\nmomentum encoder", BLUE),
        (2.4, 0, "labels and contrast", ORANGE),
        (3.8, 0, "× factor of each class:\nthe teacher", GREEN),
        (0, 1.5, "images", GREY),
        (1.1, 1.5, "new encoder", BLUE),
        (2.4, 1, "soft head", ORANGE),
        (2.4, 2, "hard head: labels", ORANGE),
        (3.8, 2, "× factor of each class", GREEN),
        (4.9, 2, "logits", GREY),
    ],
    [(0, 1), (1, 2), (2, 3), (3, 6), (4, 5), (5, 6), (5, 7), (7, 8), (8, 9)],
)


def pictures() -> Iterator[tuple[str, str]]:
    """Path and SVG of each picture."""
    drawn = {"tail": _tail(), "stages": _stages()}
    for name, parts in zip(SYSTEMS, (WB, RIDE, RESLT, SSD), strict=True):
        drawn[name] = _architecture(*parts)
    for name, figure in drawn.items():
        text = io.StringIO()
        with pyplot.rc_context(STYLE):
            figure.savefig(
                text, format="svg", bbox_inches="tight", metadata={"Date": None}
            )
        pyplot.close(figure)
        yield f"explanations/{name}.svg", text.getvalue()


def _architecture(boxes: list, arrows: list[tuple[int, int]]) -> Figure:
    """Boxes in columns and rows, and arrows from one to the next."""
    figure, axes = pyplot.subplots(figsize=(9, 2.6))
    drawn = []
    for column, row, text, colour in boxes:
        style = {"boxstyle": "round,pad=0.5", "fc": "white", "ec": colour}
        at = {"ha": "center", "va": "center", "bbox": {**style, "lw": 1.6}}
        drawn.append(axes.text(2 * column, -row, text, **at))
    axes.set_xlim(-0.7, 2 * max(box[0] for box in boxes) + 0.7)
    axes.set_ylim(-max(box[1] for box in boxes) - 0.4, 0.4)
    for tail, head in arrows:
        ends = [drawn[i].get_position() for i in (tail, head)]
        patches = [drawn[i].get_bbox_patch() for i in (tail, head)]
        arrow = {"arrowstyle": "->", "color": GREY, "lw": 1.2}
        arrow |= {"patchA": patches[0], "patchB": patches[1], "shrinkB": 3}
        axes.annotate("", ends[1], ends[0], arrowprops=arrow)
    axes.axis("off")
    return figure


def _tail() -> Figure:
    """Training images of each class, and the groups of classes."""
    counts = keras_lt.data.exponential_counts(100, 500, 100)
    groups = keras_lt.stats.shot_groups(counts)._asdict()
    figure, axes = pyplot.subplots(figsize=(8, 2.6))
    colours = dict(zip(groups, (BLUE, GREEN, ORANGE), strict=True))
    for name, classes in groups.items():
        heights = [counts[c] for c in classes]
        label = f"{name}: {len(classes)} classes, {sum(heights):,} images"
        axes.bar(classes, heights, 1.0, color=colours[name], label=label)
    axes.set(xlabel="class", ylabel="training images")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return figure


def _stages() -> Figure:
    """Stages of the four systems, as long as their published epochs."""
    counts = keras_lt.data.exponential_counts(100, 500, 100)
    problem = keras_lt.training.Problem((32, 32, 3), counts)
    figure, axes = pyplot.subplots(figsize=(8, 2.6))
    for row, name in enumerate(SYSTEMS):
        method, begin = keras_lt.methods.METHODS[name], 0
        recipe = method(problem, **method.presets.get("cifar", {}))
        for i, stage in enumerate(recipe.stages):
            colour = (BLUE, ORANGE, GREEN, GREY)[i]
            axes.barh(-row, stage.epochs, left=begin, color=colour, height=0.45)
            label = f"{stage.name}, {stage.epochs}"
            up = 0.31 if i % 2 == 0 else -0.45
            axes.text(begin, up - row, label, fontsize=7)
            begin += stage.epochs
    axes.set_yticks([-row for row in range(4)], ["WB", "RIDE", "ResLT", "SSD"])
    axes.set_ylim(-3.7, 0.6)
    axes.set_xlabel("epochs")
    axes.spines[["top", "right"]].set_visible(False)
    return figure
