"""The page about a data set, before training."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_lt.reporting import charts, words
from keras_lt.reporting.advice import Facts, advise, tail_numbers
from keras_lt.reporting.classes import GROUPS, group_names
from keras_lt.reporting.inspection import SPLITS, Inspection, Place
from keras_lt.reporting.page import TINY, check_installed, render
from keras_lt.reporting.thumbnails import pictures

EQUAL, ODD, SUSPECTS, FILES = 24, 12, 24, 50  # that are shown


def data_page(found: Inspection, *, title: str, command: str = "") -> str:
    """Make the page.

    Args:
        found: What is in the images.
        title: Of the page.
        command: That made it, for its foot.

    Returns:
        HTML that needs no other file and no network.

    Raises:
        ImportError: if Jinja2 or Pillow is not installed.
    """
    check_installed()
    dataset = found.dataset
    counts = {split: found.counts(split) for split in SPLITS}
    odd = [
        {"what": what, "number": words.count(len(places)), "cells": cells}
        for what, places in found.odd.items()
        if (cells := _cells(found, places[:ODD]))
    ]
    suspects = found.suspects
    return render(
        "inspect.html",
        title=title,
        subtitle="What is in the images, and what to do with them",
        command=command,
        advice=advise(_facts(found)),
        numbers=tail_numbers(dataset.class_counts),
        tail_chart=charts.tail(dataset.class_counts),
        groups=GROUPS[dataset.groups],
        splits=_splits(counts),
        rows=_rows(dataset, counts),
        equal=[_cells(found, group) for group in found.equal[:EQUAL]],
        equal_number=words.count(len(found.equal)),
        similar=[_cells(found, pair) for pair in found.similar[:EQUAL]],
        similar_number=words.count(len(found.similar)),
        odd=odd,
        unreadable=sorted(found.unreadable.values())[:FILES],
        unreadable_number=len(found.unreadable),
        ignored=[*dataset.ignored[:FILES]],
        ignored_number=len(dataset.ignored),
        suspects=suspects and _cells(found, suspects[:SUSPECTS]),
        suspects_number=None if suspects is None else len(suspects),
        tiny=max(dataset.input_shape[:2]) <= TINY,
    )


def _facts(found: Inspection) -> Facts:
    shorter = [
        len(places)
        for what, places in found.odd.items()
        if "--image_size" in what
    ]
    return Facts(
        train=found.dataset.class_counts,
        test=found.counts("test"),
        has_validation=found.dataset.validation is not None,
        names=found.dataset.class_names,
        on_disk=found.sizes is not None,
        unreadable=len(found.unreadable),
        leaks=found.leaks,
        conflicts=found.conflicts,
        stretched=sum(shorter),
    )


def _splits(counts: dict[str, list[int]]) -> list[dict[str, str]]:
    return [
        {
            "name": split,
            "images": words.count(sum(own)),
            "least": words.count(min(own)),
            "most": words.count(max(own)),
        }
        for split, own in counts.items()
        if sum(own)
    ]


def _rows(dataset: Any, counts: dict[str, list[int]]) -> list[dict[str, str]]:
    groups = group_names(dataset.class_counts, dataset.groups)
    return [
        {
            "name": name,
            "group": groups[c],
            **{part: words.count(own[c]) for part, own in counts.items()},
        }
        for c, name in enumerate(dataset.class_names)
    ]


def _cells(found: Inspection, places: Sequence[Place]) -> list[dict[str, str]]:
    """Pictures of images, with what they are."""
    cells = []
    for place in places:
        images, _ = getattr(found.dataset, place.split)
        (uri,) = pictures(images, np.array([place.position]))
        file = ""
        if hasattr(images, "path"):
            file = str(images.path(place.position))
        cells.append(
            {
                "picture": uri,
                "name": str(found.dataset.class_names[place.label]),
                "split": place.split,
                "file": file or f"number {place.position}",
            }
        )
    return cells
