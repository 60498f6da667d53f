"""Presets against released files: tests/cards/configurations.md."""

import ast
import dataclasses
import functools
import math
import pathlib
import re

import programs
import pytest

from keras_lt.data import DATASETS
from keras_lt.methods import METHODS
from keras_lt.runs import assignments
from keras_lt.training import Problem

pytestmark = programs.once("jax")

CARD = pathlib.Path(__file__).parents[1] / "cards" / "configurations.md"
# Classes, and the sizes of the largest and the smallest.
SIZES = {
    "cifar10_lt": (10, 5000, 50),
    "cifar100_lt": (100, 500, 5),
    "imagenet_lt": (1000, 1280, 5),
    "inaturalist2018": (8142, 1000, 2),
    "places_lt": (365, 4980, 5),
}
NOT_VALUES = {"source", "dataset", "ratio", "set"}
# What columns that are not hyperparameters tell of them.
TOLD = {
    "rates": {"lr", "milestones", "factor", "warmup_epochs", "schedule"},
    "images.crop_scale": {"crop"},
    "images.jitter": {"jitter"},
    "images.rotation": {"rotation"},
    "second.crop_scale": {"second_crop"},
    "second.blur_share": {"second_blur"},
}
PUBLISHED = ("cifar", "imagenet_lt", "inaturalist2018")
ONE_STAGE = ("ce", "ldam", "balanced_softmax", "focal")
OURS = {
    *(("auto", name) for name in PUBLISHED),
    *((name, "imagenet_lt") for name in ONE_STAGE),
    *((name, "inaturalist2018") for name in ONE_STAGE),
    *(("balanced_softmax", "cifar"), ("ssd", "cifar")),
    ("ssd", "inaturalist2018"),
    *((m, name) for m in ("adapt", "record") for name in PUBLISHED),
    *(("shike", name) for name in ("imagenet_lt", "inaturalist2018")),
}


@dataclasses.dataclass
class Row:
    """One released file."""

    title: str
    cells: dict[str, str]

    @property
    def method(self):
        name, *after = self.title.split(":")[0].split(" then ")
        return METHODS[name].then(after)

    @property
    def family(self):
        return DATASETS[self.cells["dataset"]].family

    @property
    def asked(self):
        settings = re.findall(r"\w+=(?:\([^)]*\)|\S+)", self.cells["set"])
        return assignments.parse(self.method, settings)

    @functools.cached_property
    def values(self):
        """All hyperparameters that ours resolves."""
        return self.method.published(self.family, self.asked) | self.asked

    @functools.cached_property
    def recipe(self):
        classes, largest, smallest = SIZES[self.cells["dataset"]]
        ratio = float(self.cells.get("ratio", largest / smallest))
        counts = [
            max(round(largest * ratio ** (-i / (classes - 1))), 1)
            for i in range(classes)
        ]
        return self.method(Problem((32, 32, 3), tuple(counts)), **self.values)


def rows():
    found, title, columns = [], "", []
    for line in CARD.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("## "):
            title, columns = line.removeprefix("## "), []
        elif line.startswith("| "):
            if columns:
                cells = dict(zip(columns, cells, strict=True))
                found.append(Row(title, cells))
            else:
                columns = cells
    return found


ROWS = rows()


def read(text):
    """Value of a cell."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def rates(text, lr, epochs):
    """Learning rates from the words of the table."""
    form, warm = text.split()[0], re.search(r"warm (\d+)", text)
    warm = int(warm[1]) if warm else 0
    if form == "step":
        drops, factor = re.match(r"step ([\d ]+)x (\S+)", text).groups()
        begin = 1 / 3 if text.endswith("from 1/3") else 0
        factors = [
            float(factor) ** sum(epoch >= int(drop) for drop in drops.split())
            * (begin + (1 - begin) * min((epoch + 1) / max(warm, 1), 1))
            for epoch in range(epochs)
        ]
    else:
        late = 1 if warm or text == "cosine to 0" else 0
        length = epochs - warm + (1 if warm else 0)
        factors = [
            (epoch + 1) / warm
            if epoch < warm
            else (1 + math.cos(math.pi * (epoch - warm + late) / length)) / 2
            for epoch in range(epochs)
        ]
    return [lr * each for each in factors]


def own_rates(stage):
    config = stage.optimizer(1).get_config()["learning_rate"]["config"]
    return config["rates"]


def ours(row, column, text):
    """Our value of a column, and the table's in the same form."""
    place, _, name = column.rpartition(".")
    recipe, source = row.recipe, DATASETS[row.cells["dataset"]]
    first = recipe.stages[0]
    if column == "rates":
        found = own_rates(first)
        return found, rates(text, row.values["lr"], len(found))
    if column == "router.rates":
        found = own_rates(recipe.stages[-1])
        return found, rates(text, row.values["router_lr"], len(found))
    if place in ("images", "second"):
        changes = recipe.augment if place == "images" else recipe.second_view
        value = getattr(dataclasses.replace(source.augment, **changes), name)
        told = read(text)
        one = column.endswith("jitter") and isinstance(told, float)
        return value, (told, told, told, 0.0) if one else told
    if place == "router":
        return repr(getattr(recipe.stages[-1], name)), text
    if place == "loss":
        return getattr(first.loss, name), read(text)
    name, _, part = column.rstrip("]").partition("[")
    value = row.values[name]
    return (value[int(part)] if part else value), read(text)


@pytest.mark.parametrize(
    "row", ROWS, ids=lambda row: f"{row.title} {row.cells['source']}"
)
def test_presets_are_the_published_settings(row):
    known = "".join(CARD.read_text().partition("## ")[0])
    for column in row.cells.keys() - NOT_VALUES:
        text = row.cells[column]
        if text == "-":
            continue
        published, differs, rest = text.partition(" -> ")
        if differs:
            text, reason = re.match(r"(\S+) \[(\w+)\]", rest).groups()
            assert f"* {reason}:" in known
            assert text != published
        value, golden = ours(row, column, text)
        if column.endswith("rates"):
            assert value == pytest.approx(golden, rel=1e-6, abs=1e-12), column
        else:
            assert value == golden, column


def told(columns):
    """Hyperparameters that some columns tell of."""
    for column in columns:
        yield column.partition("[")[0]
        yield from TOLD.get(column, ())


def columns_of(method, family):
    """Columns with a value in some row of a method and family."""
    return {
        column
        for row in ROWS
        if row.title.split(":")[0] == method and row.family == family
        for column, text in row.cells.items()
        if text != "-"
    }


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("family", PUBLISHED)
def test_every_preset_is_in_the_table(method, family):
    columns = columns_of(method, family)
    assert bool(columns) != ((method, family) in OURS)
    if columns:
        preset = METHODS[method].presets.get(family, {})
        assert set(preset) <= set(told(columns))


def test_every_variant_is_in_the_table():
    for name, method in METHODS.items():
        for family, variants in method.variants.items():
            if (name, family) in OURS:
                continue
            for variant in variants:
                columns = {
                    column
                    for row in ROWS
                    if row.title.split(":")[0] == name
                    and row.family == family
                    and variant.given.items() <= row.asked.items()
                    for column, text in row.cells.items()
                    if text != "-"
                }
                assert set(variant.values) <= set(told(columns)), variant


def test_the_table_is_read():
    assert len(ROWS) == 65
    assert {row.title for row in ROWS} >= {"ride", "ride: routers", "reslt"}
    assert rates("step 2 3 x 0.1 warm 2", 1.0, 4) == pytest.approx(
        [0.5, 1, 0.1, 0.01]
    )
