from collections.abc import Mapping, Sequence
from typing import Any, Literal

import keras
import numpy as np
import programs
import pytest

from keras_lt.checking import checked

pytestmark = programs.once("tensorflow")


@checked
def told(
    first: float = 1,
    *others: int,
    count: int | None = None,
    kind: Literal["a", "b"] = "a",
    several: Sequence[float] = (),
    flag: bool = False,
    part: keras.Layer | None = None,
    free: Any = None,
    named: Mapping[str, int] = {},
    **more: float,
):
    return first


GOOD = [
    {"first": 2, "count": 3, "kind": "b", "several": [1, 2.5]},
    {"first": np.float32(2), "count": np.int64(3), "several": np.ones(3)},
    {"count": None, "flag": True, "part": keras.layers.Dense(1)},
    {"free": "text", "named": {"a": 1}, "unknown": "text"},
]
BAD = [
    ({"first": "1"}, "`first` must be a finite number, got '1'"),
    ({"first": True}, "`first` must be a finite number, got True"),
    ({"first": np.nan}, "`first` must be a finite number, got nan"),
    ({"first": None}, "`first` must be a finite number, got None"),
    ({"count": 1.0}, "`count` must be a whole number or None, got 1.0"),
    ({"kind": "c"}, "`kind` must be 'a' or 'b', got 'c'"),
    ({"several": "12"}, "`several` must be .*, got '12'"),
    ({"several": [1, "2"]}, "`several` must be .*, got "),
    ({"several": [1, np.inf]}, "`several` must be .*, got "),
    ({"several": 1}, "`several` must be .*, got 1"),
    ({"flag": 1}, "`flag` must be bool, got 1"),
    ({"part": "dense"}, "`part` must be Layer or None, got 'dense'"),
]


@pytest.mark.parametrize("given", GOOD)
def test_what_fits_is_taken(given):
    assert told(**given) == given.get("first", 1)


@pytest.mark.parametrize(("given", "message"), BAD)
def test_what_does_not_is_named(given, message):
    with pytest.raises(ValueError, match=message):
        told(**given)


def test_missing_and_unknown_arguments_are_errors_of_python():
    with pytest.raises(TypeError, match="required"):
        checked(lambda needed: needed)()
    with pytest.raises(TypeError, match="unexpected"):
        checked(lambda: 0)(unknown=1)


def test_positions_count():
    assert told(3, 4, 5) == 3
    with pytest.raises(ValueError, match="`first`"):
        told("3", 4)
