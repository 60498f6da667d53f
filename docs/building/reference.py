"""Pages of the API reference: one for each public part of the package."""

import importlib
import types

import keras_lt

PARTS = [
    name
    for name in keras_lt.__all__
    if isinstance(getattr(keras_lt, name), types.ModuleType)
]


def public_names(part: str) -> list[str]:
    """Names of a part that are for users, sorted."""
    module = importlib.import_module(f"keras_lt.{part}")
    listed = getattr(module, "__all__", None) or [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and getattr(value, "__module__", None) == module.__name__
    ]
    return sorted(listed)


def pages() -> dict[str, str]:
    """Text of each page, by its path."""
    return {f"reference/{part}.md": _page(part) for part in PARTS}


def _page(part: str) -> str:
    names = public_names(part)
    return f"::: keras_lt.{part}\n    options:\n      members: {names}\n"
