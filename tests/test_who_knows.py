"""Who knows names of layers, and private names of Keras: one file each."""

import ast
import functools
import importlib
import inspect
import pathlib
import pkgutil
import sys
import textwrap

import keras
import programs
import pytest
import rules

import keras_lt
from keras_lt.layers import Distillation

# Who may look up layers by name, and why.
KNOWS_NAMES = {
    "models/anatomy.py",  # ours
    "models/inventory.py",  # ours too, all that are in a model
    "models/transformer_blocks.py",  # KerasHub's
    "callbacks/paths.py",  # those that a user gives
    "names.py",  # those that Keras makes
}
KNOWS_KERAS = {"keras_internals.py"}
OF_KERAS = (
    *(keras.Layer, keras.Loss, keras.Metric, keras.callbacks.Callback),
    *(keras.optimizers.Optimizer, keras.utils.PyDataset),
    keras.optimizers.schedules.LearningRateSchedule,
    keras.constraints.Constraint,
)
SOURCES = rules.sources(pathlib.Path(keras_lt.__file__).parent)


def found_outside(files, rule):
    """What a rule finds in all other files."""
    others = {k: v for k, v in SOURCES.items() if k not in files}
    assert len(others) == len(SOURCES) - len(files)
    return rules.broken(lambda path, source: rule(source), others)


def test_layers_are_looked_up_in_one_file():
    found = found_outside(KNOWS_NAMES, rules.look_ups)
    assert not found, "ask models/anatomy.py (or see `rules.NOT_LAYERS`)"


@pytest.mark.parametrize(
    "source",
    [
        'model.get_layer("router")',
        'any(layer.name == "router" for layer in model.layers)',
        '"shortcut" not in layer.name',
        "layer.name in names",
        'head.name.removesuffix("_head")',
        'part.name.startswith("expert")',
        'HEADS[encoder.name] or {"encoder": "head"}.get(x)',
        "names = {layer.name for layer in model.layers}",
        "found = {layer.name: layer for layer in model.layers}",
        're.fullmatch("expert[0-9]", self.layers[0].name)',
    ],
)
def test_a_look_up_is_found(source):
    assert rules.look_ups(source)


def test_names_may_be_shown():
    for right in (
        'f"{encoder.name}/{layer.name}"',
        "[layer.name for layer in model.layers]",
        'path.name.startswith(".")',
        "[e for e in found if e.name in wanted]",
        "keras.Model(images, logits, name=model.name)",
    ):
        assert not rules.look_ups(right)


def test_the_path_of_a_user_is_theirs():
    """The file that may look up names has none of its own."""
    source = SOURCES["callbacks/paths.py"]
    assert rules.look_ups(source) == ["layer.get_layer(name)"]


def test_private_names_are_in_one_file():
    others = {k: v for k, v in SOURCES.items() if k not in KNOWS_KERAS}
    assert not rules.broken(
        lambda path, source: rules.private_names(source), others
    )


@pytest.mark.parametrize(
    "source",
    [
        "model._symbolic_build(batch)",
        "self.model._layers",
        "model._make_function = f",
        "super()._flatten_layers()",
        "getattr(distribution, '_process_id', 0)",
        "def f():\n    from keras.src.utils import module_utils",
        "import keras.src",
        "keras.src.utils",
        "from keras_lt.training.engine.fused import _Program",
    ],
)
def test_a_private_name_is_found(source):
    assert rules.private_names(source)


def test_names_of_ones_own_are_free():
    for right in (
        "self._saved = now",
        "counts._asdict()",
        "model.__class__",
        "_helper(model)",
        "getattr(layer, 'layers', ())",
    ):
        assert not rules.private_names(right)


def of_keras(cls):
    """Private names of other bases that a class of ours takes for its own."""
    ours, theirs = set(), set()
    for base in inspect.getmro(cls):
        module = base.__module__
        if module in ("builtins", "keras_lt.keras_internals"):
            continue
        is_ours = module == __name__ or module.startswith("keras_lt.")
        names = ours if is_ours else theirs
        names |= private_names(base)
    return ours & theirs


@functools.cache  # many classes have the same bases
def private_names(cls):
    source = textwrap.dedent(inspect.getsource(cls))
    return rules.own_private_names(source)


@programs.once("jax")
def test_classes_do_not_use_private_names_of_their_bases():
    for module in pkgutil.walk_packages(keras_lt.__path__, "keras_lt."):
        importlib.import_module(module.name)
    found = {
        cls: of_keras(cls)
        for name, module in list(sys.modules.items())
        if name.startswith("keras_lt.")
        for cls in vars(module).values()
        if inspect.isclass(cls) and issubclass(cls, OF_KERAS)
    }
    assert len(found) > 30
    assert not {cls: names for cls, names in found.items() if names}


def test_a_private_name_of_a_base_is_found():
    class Ours(Distillation):
        def call(self, inputs):
            self._own = 1
            return self._losses

    assert of_keras(Ours) == {"_losses"}
    assert not of_keras(Distillation)


def is_of_keras(name):
    """Whether Keras says what a method of this name takes."""
    return any(hasattr(base, name) for base in OF_KERAS)


def untyped(source):
    """Public functions and methods of ours that lack a hint."""
    tree = ast.parse(source)
    found = []
    for node in tree.body:
        inner = [node]
        if isinstance(node, ast.ClassDef) and node.name[0] != "_":
            inner = node.body
        for each in inner:
            if isinstance(each, ast.FunctionDef) and not _is_complete(each):
                found.append(each.name)
    return found


def _is_complete(function):
    if function.name.startswith("_") or is_of_keras(function.name):
        return True
    arguments = (*function.args.args, *function.args.kwonlyargs)
    own = [a for a in arguments if a.arg not in ("self", "cls")]
    return function.returns is not None and all(a.annotation for a in own)


def test_public_functions_have_type_hints():
    assert not rules.broken(lambda path, source: untyped(source), SOURCES)


def test_a_missing_hint_is_found():
    assert untyped("def f(x) -> int: ...") == ["f"]
    assert untyped("def f(*, x: int): ...") == ["f"]
    assert untyped("class A:\n    def f(self, x): ...") == ["f"]
    assert not untyped("class A:\n    def call(self, x): ...")
    assert not untyped("def f(x: int) -> int: ...\ndef _g(x): ...")
