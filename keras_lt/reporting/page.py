"""From what is known to one HTML file."""

import importlib.metadata
import importlib.util
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_lt import evaluation
from keras_lt.reporting import charts, classes, figures, words
from keras_lt.reporting.findings import findings
from keras_lt.reporting.live import HIGH, LOW, STEP, live
from keras_lt.reporting.subject import Subject, check_alike

TINY = 40  # pixels of images that are shown as squares


def check_installed() -> None:
    """Check that what pages need is there, before long work.

    Raises:
        ImportError: saying what to install.
    """
    for package, module in (("Jinja2", "jinja2"), ("Pillow", "PIL")):
        if not importlib.util.find_spec(module):
            raise ImportError(
                f"pages need {package}, which is not installed; pip install "
                "'keras_lt[report]' brings it"
            )


def render(template: str, **context: Any) -> str:
    """Fill in a template of this package.

    Args:
        template: Name of its file.
        **context: What it shows; text is escaped.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("keras_lt.reporting"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    version = importlib.metadata.version("keras_lt")
    context = {"version": version, "command": "", **context}
    return environment.get_template(template).render(context)


def report_page(
    subjects: Sequence[Subject], *, title: str | None = None, command: str = ""
) -> str:
    """Make the report of one model, or of several side by side.

    Args:
        subjects: Answers of the models to the same images.
        title: Of the page; by default the names.
        command: That made it, for its foot.

    Returns:
        HTML that needs no other file and no network.

    Raises:
        ValueError: if they were judged on different images.
        ImportError: if Jinja2 or Pillow is not installed.
    """
    check_installed()
    check_alike(subjects)
    every = [figures.Figures(subject) for subject in subjects]
    first = subjects[0]
    models = [_model(each, len(every)) for each in every]
    names = [subject.name for subject in subjects]
    compared = [n for n in figures.COMPARED if n in every[0].measured]
    return render(
        "report.html",
        title=title or " and ".join(names),
        subtitle=(
            "What it is good for, and where it fails"
            if len(subjects) == 1
            else f"{len(subjects)} models on the same images"
        ),
        command=command,
        models=models,
        groups=classes.GROUPS[first.groups],
        images=words.count(len(first.labels)),
        classes=words.count(first.num_classes),
        cards=figures.cards(every),
        measures=figures.measure_rows(every),
        differences=figures.differences(every),
        compared=[evaluation.NAMES[name] for name in compared],
        rows=classes.class_rows(every),
        pictured=any(model["gallery"] for model in models),
        kinds=[*classes.KINDS],
        tiny=any(_is_tiny(subject.images) for subject in subjects),
        calibrated=all(subject.validation for subject in subjects),
        judged_on="test" if first.validation is None else "validation",
        slider={"low": LOW, "high": HIGH, "step": STEP},
        live=live(every),
        rank_chart=_rank_chart(every),
        shifted_chart=charts.shifted(_by_name(every, lambda e: e.shifted)),
        shifted_rows=_shifted_rows(every),
        norm_charts=_norm_charts(every),
    )


def _model(each: figures.Figures, models: int) -> dict[str, Any]:
    """What is shown of one model alone."""
    subject = each.subject
    return {
        "name": subject.name,
        "findings": findings(each),
        "expects_tail": each.expects_tail,
        "has_norms": bool(subject.norms),
        "confusions": classes.confusions(each),
        "gallery": classes.gallery(each, models),
        "reliability": [
            charts.reliability(title, lines, bars="as trained" in lines)
            for title, lines in each.reliabilities().items()
        ],
        "calibration": each.calibration(),
        "temperature": each.temperature and f"{each.temperature:.2f}",
        "sets": each.sets(),
        "curves": charts.curves(subject),
        "facts": subject.facts,
    }


def _by_name(every, value) -> dict[str, Any]:
    """A value of each model by its name, which is made its own."""
    found: dict[str, Any] = {}
    for each in every:
        name = each.subject.name
        while name in found:
            name += "'"
        found[name] = value(each)
    return found


def _rank_chart(every):
    return charts.by_rank(
        "Test accuracy of each class",
        _by_name(every, lambda e: 100 * evaluation.recalls(e.counts)),
        every[0].subject.class_counts,
        "right in %",
        top=100,
    )


def _norm_charts(every: Sequence[figures.Figures]) -> list[Any]:
    """Norms of all stages of one model, or of the last stages of several."""
    lines: Mapping[str, Any] = every[0].subject.norms
    if len(every) > 1:
        known = [each for each in every if each.subject.norms]
        lines = _by_name(known, lambda e: [*e.subject.norms.values()][-1])
    if not lines:
        return []
    counts = every[0].subject.class_counts
    title = "Norm of each class vector"
    return [charts.by_rank(title, lines, counts, "norm")]


def _shifted_rows(every: Sequence[figures.Figures]) -> list[dict[str, Any]]:
    names = {
        "forward": "as in training, {:g}",
        "uniform": "all alike",
        "backward": "inverse, {:g}",
    }
    return [
        {
            "name": names[row["direction"]].format(row["ratio"]),
            "cells": [
                words.percent(each.shifted[number][kind])
                for each in every
                for kind in ("plain", "corrected")
            ],
        }
        for number, row in enumerate(every[0].shifted)
    ]


def _is_tiny(images: Any) -> bool:
    return images is not None and int(np.max(images.shape[1:3])) <= TINY
