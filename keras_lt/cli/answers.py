"""What a model says of images, as text, CSV or JSON, line by line."""

import csv
import dataclasses
import json
from collections.abc import Iterable
from typing import TextIO

UNSURE = "unsure"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answer:
    """What a model says of an image.

    Args:
        image: Its name.
        best: Names and probabilities of the most probable classes, in order.
        sure: Whether the first is probable enough to be the answer.
        error: Why there is no answer, if so.
    """

    image: str
    best: tuple[tuple[str, float], ...] = ()
    sure: bool = True
    error: str | None = None

    @property
    def answer(self) -> str | None:
        """Name of the class, unless the model is unsure or was not asked."""
        return self.best[0][0] if self.best and self.sure else None


def write_text(
    answers: Iterable[Answer], file: TextIO, *, width: int, top: int
) -> None:
    """Write a line for each image that was read.

    Args:
        answers: One an image.
        file: To write to.
        width: Of the longest name.
        top: Classes of each.
    """
    for said in answers:
        if said.error is None:
            cells = [f"{name} {100 * share:.1f} %" for name, share in said.best]
            unsure = "" if said.sure else f"{UNSURE}: "
            line = f"{said.image:<{width}}  {unsure}{',  '.join(cells)}"
            print(line, file=file)


def write_csv(
    answers: Iterable[Answer], file: TextIO, *, width: int, top: int
) -> None:
    """Write a table; its columns do not depend on what is said."""
    table = csv.writer(file, lineterminator="\n")
    pairs = [(f"class_{i}", f"probability_{i}") for i in range(1, top + 1)]
    table.writerow(["image", "answer", *sum(pairs, ()), "error"])
    for said in answers:
        cells = [c for name, share in said.best for c in (name, f"{share:.6f}")]
        cells += [""] * (2 * top - len(cells))
        table.writerow([said.image, said.answer, *cells, said.error])


def write_json(
    answers: Iterable[Answer], file: TextIO, *, width: int, top: int
) -> None:
    """Write a list of objects, one a line."""
    before = "["
    for said in answers:
        value = {
            "image": said.image,
            "answer": said.answer,
            "probabilities": {name: round(p, 6) for name, p in said.best},
            "error": said.error,
        }
        print(before, json.dumps(value), sep="\n", end="", file=file)
        before = ","
    print("\n]", file=file)


WRITERS = {"text": write_text, "csv": write_csv, "json": write_json}
