"""Changes of some images of a batch; `ops` is numpy or `keras.ops`."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def change_rows(
    rows: Any,
    change: Callable[..., Any],
    x: Any,
    arguments: Sequence[Any],
    ops: Any,
) -> Any:
    """Change some images only.

    Args:
        rows: Which images, `(B,)` booleans.
        change: Function `(x, *arguments, ops=ops) -> x`.
        x: Images `(B, ...)`; those of numpy are changed in place.
        arguments: Of `change`, `(B, ...)` each.
        ops: numpy, which computes only these images, or `keras.ops`.

    Returns:
        `(B, ...)`.
    """
    if ops is np:
        if rows.any():
            x[rows] = change(x[rows], *(a[rows] for a in arguments), ops=np)
        return x
    changed = change(x, *arguments, ops=ops)
    return ops.where(rows[:, None, None, None], changed, x)
