"""Pages of the API reference, one for each public part; links to its names."""

import importlib
import re
import types
from collections.abc import Mapping
from typing import Any

import keras_lt

PARTS = [
    name
    for name in keras_lt.__all__
    if isinstance(getattr(keras_lt, name), types.ModuleType)
]
CODE = re.compile(r'(?<!">)<code>([\w.]+)</code>')


def public(part: str) -> dict[str, Any]:
    """What a part has for users, by name."""
    module = importlib.import_module(f"keras_lt.{part}")
    names = getattr(module, "__all__", None) or [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and getattr(value, "__module__", None) == module.__name__
    ]
    return {name: getattr(module, name) for name in sorted(names)}


def recipe(method: str) -> str:
    """Place of a method's documentation."""
    function = keras_lt.methods.METHODS[method].function
    return f"{function.__module__}.{function.__name__}"


def pages() -> dict[str, str]:
    """Text of each page, by its path."""
    own = [name for name in keras_lt.__all__ if name not in PARTS]
    entry = _entry("keras_lt", members=own)
    parts = {f"reference/{part}.md": _page(part) for part in PARTS}
    return {"reference/keras_lt.md": entry} | parts


def _page(part: str) -> str:
    text = _entry(f"keras_lt.{part}", members=[*public(part)])
    if part == "methods":
        for name in keras_lt.methods.METHODS:
            text += _entry(
                recipe(name), heading=name, heading_level=2, toc_label=name
            )
    return text


def _entry(path: str, **options: Any) -> str:
    lines = "".join(f"      {key}: {x!r}\n" for key, x in options.items())
    return f"::: {path}\n" + (f"    options:\n{lines}" if lines else "") + "\n"


def places() -> dict[str, str]:
    """Where names that are in one part only are documented."""
    found: dict[str, list[str]] = {}
    for part in PARTS:
        for name in public(part):
            place = f"keras_lt.{part}.{name}"
            for each in (place, f"{part}.{name}", name):
                found.setdefault(each, []).append(place)
    return {
        name: at[0]
        for name, at in found.items()
        if len(at) == 1 and re.search("[._A-Z]", name)
    }


def linked(html: str, places: Mapping[str, str]) -> str:
    """A page with links from public names, in running text, to their places."""

    def link(code: re.Match) -> str:
        place = places.get(code[1])
        if place is None:
            return code[0]
        return f'<autoref identifier="{place}">{code[0]}</autoref>'

    return CODE.sub(link, html)
