r"""Ask an exported model: keras-lt predict ARTEFACT IMAGES...

ARTEFACT is what export wrote, but for model.keras. IMAGES are files, folders of
them, or .npy arrays of pixels `(B, H, W, channels)`. Prints the most probable
classes of each image, as soon as they are known. Files are read as training
reads them. One that cannot be read is named, the others are answered, and the
program ends with status 1.

Examples:
  keras-lt predict RUN/export/saved_model photos/ cat.png

  A table of all photographs, without an answer where none has half of the
  probability:
    keras-lt predict ARTEFACT photos/ --format=csv --abstain_below=0.5 > out.csv

  For traffic in which all classes are equally frequent:
    keras-lt predict RUN/export/model.onnx photos/ --prior=uniform
"""

import dataclasses
import pathlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from keras_lt.cli import arguments, given_images, usage
from keras_lt.cli.answers import WRITERS, Answer
from keras_lt.cli.asking import Ask, open_artefact
from keras_lt.domains import COUNT, SHARE, Domain
from keras_lt.evaluation.values import softmax
from keras_lt.runs.flags import option
from keras_lt.runs.folder import RunFolder

BATCH = 64  # images in memory
UNREAD = 1  # status of the program, if some images were not


@dataclasses.dataclass(frozen=True, kw_only=True)
class Question:
    """What to answer."""

    top: int = option(3, "Classes to show.", domain=COUNT)
    format: str = option(
        "text",
        "text, csv (a row for each image) or json (a list of objects).",
        domain=Domain(known=(*WRITERS,)),
    )
    abstain_below: float = option(
        0.0,
        "Least probability of an answer; where no class has it, the model is "
        "unsure.",
        domain=SHARE,
    )
    prior: str | None = option(
        None,
        "Prior of the classes where the images come from: uniform, or one "
        "number a class, with commas between them. Default: that of the "
        "training images.",
    )


GROUPS = (Question,)
NAMES = ("ARTEFACT", "IMAGES...")


@dataclasses.dataclass(frozen=True)
class Asked:
    """A model, and what it is asked.

    Args:
        ask: Function from uint8 `(B, H, W, channels)` to logits `(B, C)`.
        content: Metadata of the model, see `export`.
        files: Of images.
        shift: What `--prior` adds to the logits `(C,)`.
        question: How to answer.
    """

    ask: Ask
    content: Mapping[str, Any]
    files: Sequence[pathlib.Path]
    shift: np.ndarray
    question: Question


def prepare(argv: Sequence[str]) -> Asked:
    """Open the artefact and find the images."""
    given = arguments.parse(argv, GROUPS, NAMES)
    artefact, *paths = map(pathlib.Path, given.rest)
    ask, content = open_artefact(_exported(artefact))
    files = given_images.find(paths)
    shift = _shift(given[Question].prior, content["class_counts"])
    return Asked(ask, content, files, shift, given[Question])


def _exported(path: pathlib.Path) -> pathlib.Path:
    """What was exported of a run, where its folder is given."""
    folder = RunFolder(path)
    if not folder.result_file.exists():
        return path
    for format in ("onnx", "litert", "saved_model"):
        if folder.export(format).exists():
            return folder.export(format)
    raise ValueError(
        f"ARTEFACT: {path} is a run that is not exported yet; keras-lt export "
        f"{path} does that"
    )


def answers(asked: Asked) -> Iterator[Answer]:
    """Answer for each image, in order; a batch at a time is in memory."""
    names, images = [], []
    for name, found in given_images.read(asked.files, asked.content):
        readable = isinstance(found, np.ndarray)
        if readable:
            names.append(name)
            images.append(found)
        if len(images) == BATCH or not readable:
            yield from _answer(asked, names, images)
            names, images = [], []
        if not readable:
            yield Answer(image=name, error=str(found))
    yield from _answer(asked, names, images)


def _answer(asked, names, images):
    """Answer for a batch, which may be empty."""
    if not images:
        return
    shares = softmax(asked.ask(np.stack(images)) + asked.shift)
    known, question = asked.content["class_names"], asked.question
    for name, share in zip(names, shares, strict=True):
        best = np.argsort(-share, kind="stable")[: question.top]
        yield Answer(
            image=name,
            best=tuple((known[c], float(share[c])) for c in best),
            sure=bool(share.max() >= question.abstain_below),
        )


def _shift(prior: str | None, class_counts: Sequence[int]) -> np.ndarray:
    """What `--prior` adds to the logits."""
    if prior is None:
        return np.zeros(len(class_counts))
    counts = np.array(class_counts, "float64")
    if prior == "uniform":
        shares = np.ones_like(counts)
    else:
        try:
            shares = np.array([float(x) for x in prior.split(",")])
        except ValueError:
            shares = np.zeros(0)
    if shares.shape != counts.shape or not (shares > 0).all():
        raise ValueError(
            f"--prior must be uniform or {len(counts)} numbers > 0, got "
            f"{prior!r}"
        )
    shares, trained = shares / shares.sum(), counts / counts.sum()
    return np.log(shares) - np.log(trained)


def main(argv: Sequence[str]) -> None:
    """Ask, and print the answers; status 1 if an image was not read."""
    if usage.topic_of(argv) is not None:
        usage.print_flags(__doc__, GROUPS)
        return
    asked = arguments.checked(prepare, argv)
    unread = []

    def heard():
        for said in answers(asked):
            if said.error is not None:
                unread.append(said.image)
                print(f"error: {said.error}", file=sys.stderr)
            yield said

    write = WRITERS[asked.question.format]
    width = max(len(str(file)) for file in asked.files)
    top = min(asked.question.top, len(asked.content["class_names"]))
    arguments.checked(lambda: write(heard(), sys.stdout, width=width, top=top))
    if unread:
        sys.exit(UNREAD)
