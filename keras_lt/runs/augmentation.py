"""`--augment`: crops and flips, policies, mixing, and layers by name."""

import ast
import dataclasses
import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from keras_lt.data import (
    Augment,
    AutoAugment,
    CutMix,
    Cutout,
    Mixup,
    Policy,
    RandAugment,
    Transform,
)
from keras_lt.hyperparameters import nearest

POLICIES: Mapping[str, Callable[..., Policy]] = {
    "autoaugment": AutoAugment,
    "randaugment": RandAugment,
    "cutout": Cutout,
}
MIXING: Mapping[str, Callable[..., Transform]] = {
    "mixup": Mixup,
    "cutmix": CutMix,
}
KNOWN = ("none", "published", *POLICIES, *MIXING, "keras.", "keras_cv.")
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
        specifications: "none", "published", "autoaugment", "cutout(SIZE)",
            "randaugment(NUMBER, MAGNITUDE)", "keras.NAME(ARGUMENT=VALUE)",
            "keras_cv.NAME", or several of them with a + between; those of
            `transforms` are left to it.
        published: What "published" stands for.
        seed: Of layers that take one.

    Raises:
        ValueError: for a name or an argument that is not known.
    """
    augment, policies, layers = Augment(), [], []
    for name, text in _parts(specifications):
        if text == "published":
            augment = published
        elif name in POLICIES:
            policies.append(_made(text, POLICIES[name]))
        elif text != "none" and name not in MIXING:
            layers.append(_layer(text, seed))
    return dataclasses.replace(
        augment,
        policies=augment.policies + tuple(policies),
        layers=tuple(layers),
    )


def transforms(
    specifications: Sequence[str], num_classes: int
) -> tuple[Transform, ...]:
    """Make those that mix the labels of a batch, in their order.

    Args:
        specifications: Of `parse`; here "mixup(ALPHA)" and "cutmix(ALPHA)"
            count.
        num_classes: C.

    Raises:
        ValueError: for an argument that is not known or out of range.
    """
    return tuple(
        _made(text, MIXING[name], num_classes=num_classes)
        for name, text in _parts(specifications)
        if name in MIXING
    )


def _parts(specifications: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Names, and texts, of what a + outside of brackets joins."""
    for specification in specifications:
        depth, texts = 0, [""]
        for character in specification:
            depth += (character in "([{") - (character in ")]}")
            if character == "+" and not depth:
                texts.append("")
            else:
                texts[-1] += character
        for text in map(str.strip, texts):
            yield text.partition("(")[0].strip(), text


def _made(text, kind, **given):
    """A policy or transform with the numbers that a text gives."""
    _, positional, arguments = _call(text)
    values = [*positional, *arguments.values()]
    if not all(type(value) in (int, float) for value in values):
        raise ValueError(f"--augment: {text}: arguments must be numbers")
    try:
        bound = inspect.signature(kind).bind(*positional, **arguments, **given)
        return kind(*bound.args, **bound.kwargs)
    except (TypeError, ValueError) as error:
        raise ValueError(f"--augment: {text}: {error}") from error


def _call(text) -> tuple[str, list[Any], dict[str, Any]]:
    """Name and arguments of a call, or of a name alone."""
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
            f"--augment must look like NAME(ARGUMENT=VALUE), got {text!r}"
        ) from error
    return path, positional, arguments


def _layer(text, seed):
    path, positional, arguments = _call(text)
    package, _, name = path.rpartition(".")
    if package not in PACKAGES:
        raise ValueError(
            f"--augment: no augmentation {path!r}" + nearest(path, KNOWN)
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
