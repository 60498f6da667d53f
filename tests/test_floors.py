"""Rules of the house: who imports whom, what hides what, and how much."""

import pathlib

import pytest
import rules

import keras_lt

ROOT = pathlib.Path(keras_lt.__file__).parent
FLOORS = (
    (
        *("array_files", "atomic", "checking", "compilation_cache", "cpu"),
        *("devices", "domains", "extras", "groups", "hyperparameters"),
        *("image_reader",),
        *("json_files", "keras_internals", "names", "ops", "preemption"),
        *("problem", "shuffled_cycles", "stats", "terminal", "workdir"),
    ),
    (
        *("losses", "constraints", "layers", "metrics", "callbacks"),
        *("evaluation", "optimizers", "schedules", "samplers"),
    ),
    ("models", "data"),
    ("training",),
    ("methods", "export"),
    ("runs", "reporting"),
    ("cli",),
    ("__main__",),
)
SHARED_BY_METHODS = {
    *(
        "following",
        "fused_experts",
        "method",
        "on_features",
        "second_stages",
        "settings",
    ),
    "stages",
}
LINES = 250
SMALL = (ROOT, ROOT.parent / "experiments")  # folders with small files
HEAVY = {"tensorflow", "tensorflow_datasets", "keras_cv", "jax", "torch"}
MAY_BE_HEAVY = {"data", "export", "runs"}
# What Keras has no words for: programs, and replicas of tf.distribute.
MAY_TOO = {
    "training/engine/fused.py": "jax",
    "training/engine/replicas.py": "tensorflow",
    "devices.py": "tensorflow",
    "ops.py": "tensorflow",
}
SOURCES = rules.sources(ROOT)
INNER = {path: text for path, text in SOURCES.items() if path != "__init__.py"}


def test_imports_go_down():
    assert not rules.broken(lambda *file: rules.not_down(*file, FLOORS), INNER)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("models/experts.py", "from keras_lt.methods import METHODS"),
        ("models/experts.py", "from keras_lt import methods"),
        ("models/experts.py", "def f():\n    import keras_lt.runs.plan"),
        ("models/experts.py", "from keras_lt.training import run"),  # beside
        ("data/sources/cifar.py", "from keras_lt.models import classifier"),
        ("training/engine/fused.py", "from keras_lt.cli import train"),
        ("runs/plan.py", "from keras_lt.cli import train"),
        ("stats.py", "from keras_lt.losses import LDAMLoss"),
        ("losses/ldam.py", "from keras_lt.layers import ReLU"),
        ("new_part.py", "import numpy"),  # which has no floor
        ("models/experts.py", "from keras_lt.new_part import f"),
    ],
)
def test_an_arrow_upwards_is_found(path, source):
    assert rules.not_down(path, source, FLOORS)
    down = "from keras_lt.stats import class_norms\nimport keras"
    assert not rules.not_down("training/engine/fused.py", down, FLOORS)


def test_no_import_circle():
    assert not rules.circle(SOURCES)


@pytest.mark.parametrize(
    "source",
    [
        "from keras_lt.models.experts import multi_expert",
        "from keras_lt.models import experts",
        "def late():\n    import keras_lt.models.experts",
        "from keras_lt.models import multi_expert",  # by its own package
    ],
)
def test_a_circle_is_found(source):
    """`experts` imports `blocks`; `blocks` must not import it back."""
    changed = SOURCES["models/blocks.py"] + "\n" + source
    found = rules.circle(SOURCES | {"models/blocks.py": changed})
    assert "keras_lt.models.blocks" in found


def test_methods_stand_alone():
    assert not rules.broken(_of_others, INNER)


def _of_others(path, source):
    if rules.part(path) != "methods":
        return []
    return rules.of_other_methods(path, source, SHARED_BY_METHODS)


def test_a_method_in_a_method_is_found():
    path = "methods/wb.py"
    for wrong in (
        "from keras_lt.methods import ride",
        "from keras_lt.methods.ride import recipe",
        "from keras_lt.methods import METHODS",
        "import keras_lt.methods.ride",
    ):
        assert _of_others(path, wrong)
    for right in (
        "from keras_lt.methods import stages",
        "from keras_lt.methods.method import Method",
        "from keras_lt.models import classifier",
    ):
        assert not _of_others(path, right)


def too_heavy(path, source):
    """Frameworks where they do not belong, or too early."""
    allowed = rules.part(path) in MAY_BE_HEAVY
    found = [
        (name.split(".")[0], at_module_level)
        for name, at_module_level in rules.imports(source)
    ]
    return [
        name
        for name, at_module_level in found
        if name in HEAVY
        and (at_module_level or not (allowed or MAY_TOO.get(path) == name))
    ]


def test_frameworks_are_imported_where_they_are_needed():
    assert not rules.broken(too_heavy, INNER)


def test_a_framework_is_found():
    inside = "def f():\n    import jax"
    assert too_heavy("data/pipeline/device.py", "import jax")
    assert too_heavy("models/blocks.py", inside)
    assert too_heavy("training/engine/replicas.py", inside)
    assert not too_heavy("training/engine/fused.py", inside)
    found = dict(rules.imports(SOURCES["training/engine/fused.py"]))
    assert found["jax"] is False
    assert found["keras_lt.devices.replicas"] is True


def long_files(folders):
    """Files with too many lines, and how many they have."""
    return {
        path: lines
        for folder in folders
        for path in folder.rglob("*.py")
        if (lines := len(path.read_text().splitlines())) > LINES
    }


def test_files_are_small():
    assert not long_files(SMALL)


def test_a_long_file_is_found(tmp_path):
    for name, lines in (("short", LINES), ("long", LINES + 1)):
        (tmp_path / f"{name}.py").write_text("\n" * lines)
    assert [path.name for path in long_files([tmp_path])] == ["long.py"]


def shadowing(path, source, files=SOURCES):
    """Modules that an `__init__.py` hides."""
    folder, name = pathlib.PurePath(path).parent, pathlib.PurePath(path).name
    if name != "__init__.py":
        return []
    inside = [
        pathlib.PurePath(other).relative_to(folder).parts[0]
        for other in files
        if pathlib.PurePath(other).is_relative_to(folder)
    ]
    modules = {part.removesuffix(".py") for part in inside}
    return rules.shadows(f"keras_lt/{path}", source, modules)


def test_no_function_hides_its_module():
    assert not rules.broken(shadowing, SOURCES)


def test_a_function_that_hides_its_module_is_found():
    path = "training/__init__.py"
    for wrong in (
        "from keras_lt.training.runner import runner",
        "from keras_lt.training.runner import run as runner",
        "from keras_lt.training.engine.steps import engine",
        "def runner(): ...",
    ):
        assert shadowing(path, wrong)
    for right in (
        "from keras_lt.training import runner",
        "from keras_lt.training.runner import run",
        "from keras_lt.training.engine.together import together",
    ):
        assert not shadowing(path, right)
    assert shadowing(
        "data/pipeline/__init__.py",
        "from keras_lt.data.pipeline.plan import plan",
        ["data/pipeline/__init__.py", "data/pipeline/plan.py"],
    )
