"""`--augment`: published crops and flips, and layers by their names."""

import ast
import dataclasses
import importlib
import inspect
from collections.abc import Sequence

from settings import nearest

from keras_lt.data import Augment

PACKAGES = {
    "keras": "keras.layers",
    "keras.layers": "keras.layers",
    "keras_cv": "keras_cv.layers",
    "keras_cv.layers": "keras_cv.layers",
}


def parse(
    specifications: Sequence[str] | None, published: Augment, seed: int
) -> Augment:
    """Make the augmentation that the command line describes.

    Args:
        specifications: "none", "published", "keras.NAME(ARGUMENT=VALUE)" or
            "keras_cv.NAME"; None means ["published"].
        published: What "published" stands for.
        seed: Of layers that take one.

    Raises:
        ValueError: for a name or an argument that is not known.
    """
    augment, layers = Augment(), []
    for text in specifications or ["published"]:
        if text == "published":
            augment = published
        elif text != "none":
            layers.append(_layer(text, seed))
    return dataclasses.replace(augment, layers=tuple(layers))


def _layer(text, seed):
    try:
        tree = ast.parse(text, mode="eval").body
        call = isinstance(tree, ast.Call)
        positional = [ast.literal_eval(a) for a in (tree.args if call else [])]
        arguments = {
            k.arg: ast.literal_eval(k.value)
            for k in (tree.keywords if call else [])
        }
        path = ast.unparse(tree.func if call else tree)
    except (SyntaxError, ValueError) as error:
        raise ValueError(
            f"--augment must look like keras.NAME(ARGUMENT=VALUE), got {text!r}"
        ) from error
    package, _, name = path.rpartition(".")
    if package not in PACKAGES:
        raise ValueError(
            f"--augment: no augmentation {text!r}"
            + nearest(text, ["none", "published", "keras.", "keras_cv."])
        )
    try:
        module = importlib.import_module(PACKAGES[package])
    except ImportError as error:
        raise ValueError(
            f"--augment={text} needs {package} (the extra `cv`), which does "
            f"not import: {error}"
        ) from error
    layer = getattr(module, name, None)
    if layer is None:
        known = [n for n in dir(module) if n.startswith(("Rand", "Auto"))]
        raise ValueError(
            f"--augment: {package} has no layer {name!r}{nearest(name, known)}"
        )
    accepted = inspect.signature(layer).parameters
    for argument, value in (("value_range", (0, 255)), ("seed", seed)):
        if argument in accepted:
            arguments.setdefault(argument, value)
    try:
        return layer(*positional, **arguments)
    except (TypeError, ValueError, NotImplementedError) as error:
        raise ValueError(f"--augment: {text}: {error}") from error
