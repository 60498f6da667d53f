"""`--augment`: published crops and flips, mixup, and layers by name."""

import ast
import dataclasses
import importlib
import inspect
import re
from collections.abc import Sequence

from keras_lt.data import Augment, Mixup, Transform
from keras_lt.hyperparameters import nearest

MIXUP = re.compile(r"mixup\b")
KNOWN = ("none", "published", "mixup", "keras.", "keras_cv.")
PACKAGES = {
    "keras": "keras.layers",
    "keras.layers": "keras.layers",
    "keras_cv": "keras_cv.layers",
    "keras_cv.layers": "keras_cv.layers",
}


def parse(
    specifications: Sequence[str], published: Augment, seed: int
) -> Augment:
    """Make the augmentation that the command line describes.

    Args:
        specifications: "none", "published", "mixup(ALPHA)",
            "keras.NAME(ARGUMENT=VALUE)" or "keras_cv.NAME".
        published: What "published" stands for.
        seed: Of layers that take one.

    Raises:
        ValueError: for a name or an argument that is not known.
    """
    augment, layers = Augment(), []
    for text in specifications:
        if text == "published":
            augment = published
        elif text != "none" and not MIXUP.match(text):
            layers.append(_layer(text, seed))
    return dataclasses.replace(augment, layers=tuple(layers))


def transforms(
    specifications: Sequence[str], num_classes: int
) -> tuple[Transform, ...]:
    """Make those that mix the labels of a batch, in their order.

    Args:
        specifications: Of `parse`; here "mixup(ALPHA)" counts.
        num_classes: C.

    Raises:
        ValueError: if `ALPHA` is no number > 0.
    """
    found: list[Transform] = []
    for text in filter(MIXUP.match, specifications):
        try:
            alpha = float(text.removeprefix("mixup").strip("()"))
            found.append(Mixup(alpha, num_classes))
        except ValueError as error:
            raise ValueError(
                f"--augment: mixup(ALPHA) needs a number > 0, got {text!r}"
            ) from error
    return tuple(found)


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
            f"--augment: no augmentation {text!r}" + nearest(text, KNOWN)
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
