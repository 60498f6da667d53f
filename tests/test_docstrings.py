"""Docstrings of public parts say what is near them, and in which shapes."""

import importlib
import inspect
import re

import programs
import pytest

PARTS = (
    *("callbacks", "constraints", "layers", "losses", "metrics"),
    *("optimizers", "samplers"),
)
OF_TENSORS = ("layers", "losses", "metrics", "constraints")
NEAR = re.compile(r"^See also: ((?:.+\n?)+)", re.MULTILINE)

pytestmark = programs.once("jax")


def classes(part):
    module = importlib.import_module(f"keras_lt.{part}")
    for name, value in vars(module).items():
        ours = inspect.isclass(value) and value.__module__.startswith(
            f"keras_lt.{part}"
        )
        if ours and not name.startswith("_"):
            yield name, inspect.getdoc(value)


def found(part, name):
    """Whether there is such a name, of a part itself or in its own part."""
    package, _, own = name.rpartition(".")
    module = importlib.import_module(f"keras_lt.{package or part}")
    return hasattr(module, own) or own == "schedules"


@pytest.mark.parametrize("part", PARTS)
def test_a_class_names_those_near_it(part):
    for name, text in classes(part):
        near = NEAR.search(text)
        assert near, name
        named = re.findall(r"`([\w.]+)`", near[1])
        assert named and all(found(part, each) for each in named), name


@pytest.mark.parametrize("part", OF_TENSORS)
def test_a_class_says_its_shapes(part):
    for name, text in classes(part):
        assert re.search(r"`\([A-Z.]|any shape", text), name


def test_public_functions_say_what_they_are_for():
    package = importlib.import_module("keras_lt")
    for part in (getattr(package, name) for name in package.__all__):
        for name in getattr(part, "__all__", ()):
            value = getattr(part, name)
            if inspect.isfunction(value):
                assert inspect.getdoc(value), f"{part.__name__}.{name}"
