"""Which network, images and epochs a request gets for its minutes."""

import dataclasses
import math
import pathlib
from collections.abc import Sequence
from typing import Any

from keras_lt.data import ImageDataset
from keras_lt.devices import is_chief, processes
from keras_lt.models import foreign
from keras_lt.runs import budget, plan_words
from keras_lt.runs.budget import Speed
from keras_lt.runs.defaults import OWN
from keras_lt.runs.folder import RunFolder
from keras_lt.runs.known_data import IMAGE_SIZE
from keras_lt.runs.request import Request
from keras_lt.runs.speed import Speeds
from keras_lt.runs.variants import Variant

LEAST = 128  # pixels that a pretrained encoder reads
CHOSEN = {"candidates", "pretrained"}
TO_INSTALL = (
    "features of a network that has seen a million photographs would take "
    "part after pip install 'keras_lt[pretrained]'"
)


def planned(
    request: Request, variants: Sequence[Variant], dataset: ImageDataset
) -> tuple[Request, list[Variant], ImageDataset]:
    """Fit what is asked for into its minutes, and print how.

    Args:
        request: With a budget; without one nothing is planned.
        variants: Lines of the table to come.
        dataset: Its images, of any size.

    Returns:
        The three, with the size of images, and settings of the lines.

    Raises:
        ValueError: for a budget in several processes, which would measure
            different speeds.
    """
    given, images = _minutes(request), request.images
    if given is None:
        size = images.image_size or IMAGE_SIZE
        images = dataclasses.replace(images, image_size=size)
        return dataclasses.replace(request, images=images), [*variants], dataset
    made = _Planner(request, variants, dataset, given)
    pixels = made.size.pixels
    if images.dataset in OWN:
        images = dataclasses.replace(images, image_size=pixels)
        dataset = dataset.at(pixels)
    lines = [made.line(line) for line in variants]
    return dataclasses.replace(request, images=images), lines, dataset


def _minutes(request: Request) -> float | None:
    text = request.choice.budget
    if text in (None, budget.PUBLISHED):
        return None
    try:
        minutes = float(text or "")
    except ValueError:
        minutes = math.nan
    if not 0 < minutes < math.inf:
        raise ValueError(
            f"--budget must be minutes > 0, or {budget.PUBLISHED}, got {text!r}"
        )
    return minutes


class _Planner:
    """Plans of lines that share their images."""

    def __init__(
        self,
        request: Request,
        lines: Sequence[Variant],
        dataset: ImageDataset,
        minutes: float,
    ):
        self.family = dataset.source.family
        self.minutes = minutes
        self.own = request.images.dataset in OWN
        self.ratio = max(dataset.class_counts) / min(dataset.class_counts)
        held_out = len(dataset.validation[1]) if dataset.validation else 0
        images = len(dataset.train[1])
        seeds = len(request.choice.seeds or "1")
        self.work = budget.Work(images, held_out, "ce", seeds)
        first = self._published(lines[0])
        self.batch_size = lines[0].settings.get(
            "batch_size",
            request.choice.batch_size
            or (budget.batch_size(images) if self.own else first["batch_size"]),
        )
        root = pathlib.Path(request.manner.workdir or "runs")
        self.speeds = Speeds(root, dataset, self.batch_size)
        self.start = request.conditions.init_from
        self.size = self._size(request, lines[0], first, dataset)

    def _published(self, line: Variant) -> dict[str, Any]:
        return line.method.published(self.family, line.settings)

    def _size(self, request, line, published, dataset):
        """Size by the speed of the smallest, and by operations."""
        start = self.start
        backbone = line.settings.get("backbone")
        pixels = request.images.image_size
        if not self.own:
            backbone = published["backbone"]
            pixels = dataset.input_shape[0]
        elif start and pathlib.Path(start).is_dir():
            config = RunFolder(start).config()
            backbone = config.hyperparameters["backbone"]
            pixels = config.data.image_size
        elif not backbone and (start or budget.ON_FEATURES.get(line.name)):
            backbone = published["backbone"]
        sizes = budget.candidates(backbone, pixels)
        self.is_known = self.own and len(sizes) == 1
        if len(sizes) == 1:
            return sizes[0]
        smallest = self._speed(sizes[0])

        def expected(size):
            times = size.macs / sizes[0].macs
            return dataclasses.replace(smallest, step=smallest.step * times)

        return budget.largest(sizes, self.work, self.minutes, expected)

    def _speed(self, size: budget.Size) -> Speed:
        if processes()[1] > 1:
            raise ValueError(
                "--budget measures one process; several need --budget=published"
            )
        return self.speeds.of(size)

    def line(self, line: Variant) -> Variant:
        """A line with its plan, which is printed if time decides any of it."""
        published = self._published(line)
        free = budget.ON_FEATURES.get(line.name, 0)
        size, total = self.size, sum(published["epochs"][free:])
        if free and not self.start:
            size = dataclasses.replace(size, backbone=published["backbone"])
        values = budget.settings(
            size, self.batch_size, published, line.settings
        )
        if self.own:
            values |= _pretrained(line, published, size.pixels)
        planned = dataclasses.replace(line, planned=values if self.own else {})
        chosen = "epochs" in line.settings or published.get("steps", 2) < 2
        given = line.settings.get("epochs", published["epochs"])
        if chosen and self.is_known:
            self._warn(line.name, sum(given), total)
            return planned
        work = dataclasses.replace(self.work, method=line.name)
        speed = self._speed(size)
        epochs = sum(given[free:])
        factor = 1.0
        if not chosen:
            epochs = budget.epochs_within(work, speed, self.minutes, total)
            if not free:
                factor = epochs / total
                scaled = line.method.scale_epochs(published, factor)
                epochs = sum(scaled["epochs"])  # a stage has two at least
        passes = epochs + budget.FORWARD * free
        seconds = passes * budget.epoch_seconds(work, speed)
        seconds += budget.PROGRAMS.get(line.name, 2) * speed.program
        plan = budget.Plan(size, epochs, self.batch_size, seconds, self.minutes)
        planned = dataclasses.replace(planned, seconds=seconds)
        if is_chief():
            print(plan_words.describe(plan, work, speed), flush=True)
        self._warn(line.name, epochs, total)
        if free and not chosen:
            values = {**planned.planned, "epochs": (*given[:free], epochs)}
            return dataclasses.replace(planned, planned=values)
        return dataclasses.replace(planned, epochs_factor=factor)

    def _warn(self, name: str, epochs: int, total: int) -> None:
        """Say in a line why a method may not help with own images."""
        told = plan_words.warning(name, epochs, total, self.ratio)
        if self.own and told and is_chief():
            print(told, flush=True)


def _pretrained(line, published, pixels) -> dict[str, Any]:
    """An encoder that takes part, where its weights are installed."""
    if "pretrained" not in published or line.settings.keys() & CHOSEN:
        return {}
    if not foreign.is_installed():
        if is_chief():
            print(f"{line.name}: {TO_INSTALL}", flush=True)
        return {}
    name = f"{foreign.LITE0}@size={max(pixels, LEAST)}"
    if is_chief():
        told = f"features of {name} take part (--set pretrained=None: not)"
        print(f"{line.name}: {told}", flush=True)
    return {"pretrained": name}
