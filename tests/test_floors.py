"""Imports go down a floor, or stay in their package."""

import ast
import pathlib

import pytest

import keras_lt

ROOT = pathlib.Path(keras_lt.__file__).parent
FLOORS = (
    ("devices", "names", "ops", "stats"),
    (
        *("losses", "constraints", "layers", "metrics", "callbacks"),
        *("optimizers", "schedules", "samplers"),
    ),
    ("models", "data", "training"),
    ("methods", "export"),
)
FLOOR = {name: level for level, names in enumerate(FLOORS) for name in names}
FILES = sorted(path.relative_to(ROOT) for path in ROOT.rglob("*.py"))
HEAVY = {"tensorflow", "tensorflow_datasets", "keras_cv", "jax", "torch"}
MAY_BE_HEAVY = {"data", "export"}
# What Keras has no words for: programs, and replicas of tf.distribute.
MAY_TOO = {
    "training/fused.py": "jax",
    "training/replicas.py": "tensorflow",
    "devices.py": "tensorflow",
    "ops.py": "tensorflow",
}


def imports(path):
    """Dotted names imported by a file, and whether at module level."""
    tree = ast.parse((ROOT / path).read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            inner = node.module == "keras_lt"
            names = [
                f"keras_lt.{alias.name}" if inner else node.module
                for alias in node.names
            ]
        else:
            continue
        for name in names:
            yield name, node in tree.body


@pytest.mark.parametrize("path", FILES, ids=str)
def test_imports_go_down(path):
    own = path.parts[0].removesuffix(".py")
    if own == "__init__":
        return
    assert own in FLOOR, "a new part needs its floor"
    for name, at_module_level in imports(path):
        package = name.split(".")[0]
        if package == "keras_lt":
            part = name.split(".")[1]
            assert part == own or FLOOR[part] < FLOOR[own], name
            if own == "methods" and part == own:
                assert path.name == "__init__.py", "methods stand alone"
        if package in HEAVY:
            allowed = MAY_TOO.get(path.as_posix()) == package
            assert own in MAY_BE_HEAVY or allowed, name
            assert not at_module_level, f"import {name} where it is needed"


def test_the_rule_finds_imports():
    found = dict(imports(pathlib.Path("data/tf_streams.py")))
    assert found["tensorflow"] is False
    assert found["keras_lt.devices"] is True


def test_files_are_small():
    long = {
        str(path): lines
        for path in FILES
        if (lines := len((ROOT / path).read_text().splitlines())) > 250
    }
    assert not long
