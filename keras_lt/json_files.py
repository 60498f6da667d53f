"""JSON in files: written whole, read from anybody."""

import json
import math
import pathlib
from typing import Any

from keras_lt.array_files import check_regular
from keras_lt.atomic import write_atomically


def finite(values: Any) -> Any:
    """JSON data with None in place of numbers that are none."""
    if isinstance(values, dict):
        return {name: finite(value) for name, value in values.items()}
    if isinstance(values, list | tuple):
        return [finite(value) for value in values]
    if isinstance(values, float) and not math.isfinite(values):
        return None
    return values


def write_json(path: pathlib.Path, content: Any) -> None:
    """Write a file, whole or not at all, with `finite` numbers."""
    text = json.dumps(finite(content), indent=2, allow_nan=False)
    write_atomically(path, f"{text}\n".encode())


def read_json(path: pathlib.Path, kind: type = dict) -> Any:
    """Read what `write_json` wrote.

    Args:
        path: Of the file.
        kind: What it must hold, dict or list.

    Raises:
        ValueError: for anything else; the message does not name the file.
    """
    check_regular(path)
    try:
        found = json.loads(path.read_text("utf-8"))
    except RecursionError as error:
        raise ValueError("it is too deep") from error
    if not isinstance(found, kind):
        raise ValueError(f"expected a {kind.__name__}, found {found!r:.40}")
    return found
