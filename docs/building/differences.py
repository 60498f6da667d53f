"""What docstrings say about released code, as one page."""

import inspect
import re
from collections.abc import Iterator

import reference

import keras_lt

INTRODUCTION = """# What differs from the released code

Every part and method is compared with the paper and, where there is one, with
the code that its authors released; `Source` in its reference names both. Where
the two disagree, hyperparameters say which one is followed. What follows is all
that is known to differ here, collected from the reference.

"""
SAID = re.compile(r"^Differs from the released code:((?: .*|\n +.*)*)", re.M)


def page() -> str:
    """Text of the page."""
    lines = [f"* [`{name}`][{path}]: {said}" for name, path, said in _found()]
    return INTRODUCTION + "\n".join(lines) + "\n"


def _found() -> Iterator[tuple[str, str, str]]:
    """Name, place in the reference, and what is said of it."""
    objects = [
        (f"{part}.{name}", f"keras_lt.{part}.{name}", value)
        for part in reference.PARTS
        for name, value in reference.public(part).items()
    ]
    for name, method in keras_lt.methods.METHODS.items():
        objects.append((name, reference.recipe(name), method))
    for name, path, value in objects:
        said = SAID.search(inspect.getdoc(value) or "")
        if said and "nothing known" not in said[1]:
            yield name, path, " ".join(said[1].split())
