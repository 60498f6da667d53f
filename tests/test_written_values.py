"""What is written comes back, or is refused: on command lines, and on disk."""

import ast
import pathlib
from typing import Literal

import numpy as np
import programs
import pytest
import same_examples  # noqa: F401
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from keras_lt.array_files import read_arrays, write_arrays
from keras_lt.methods import Method
from keras_lt.runs import assignments

ONCE = programs.once("tensorflow")  # it says nothing of a backend


def recipe(
    problem,
    *,
    rate: float = 0.1,
    layers: int = 2,
    decay: float | None = None,
    mode: Literal["fast", "slow"] = "fast",
    epochs: tuple[int, int] = (3, 1),
    weights: tuple[float, int | None, str] = (0.1, None, "a"),
    nesterov: bool = True,
    backbone: str = "micro",
):
    """Do nothing."""


METHOD = Method(recipe, {})
SIGNS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
TEXT = st.text(SIGNS, min_size=1, max_size=20)
EPOCHS = st.integers(0, 10**6)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
VALUES = {
    "rate": FINITE,
    "layers": st.integers(),
    "decay": FINITE | st.none(),
    "mode": st.sampled_from(["fast", "slow"]),
    "epochs": st.tuples(EPOCHS, EPOCHS),
    "weights": st.tuples(FINITE, st.integers() | st.none(), TEXT),
    "nesterov": st.booleans(),
    "backbone": TEXT,
}


@ONCE
@given(st.fixed_dictionaries({}, optional=VALUES))
def test_what_python_writes_comes_back_from_the_command_line(values):
    texts = [f"{name}={value!r}" for name, value in values.items()]
    parsed = assignments.parse(METHOD, texts)
    assert parsed == values
    assert repr(parsed) == repr(dict(values))  # of the same types, and -0.0


@ONCE
@given(TEXT)
def test_words_need_no_quotes(text):
    try:
        ast.literal_eval(text)
    except Exception:  # Python reads no value, so it is a word
        parsed = assignments.parse(METHOD, [f"backbone={text}"])
        assert parsed == {"backbone": text}


PYTHON = st.text("([{'\"}]),:.-+*0123456789eEjxNonTrue_ ", max_size=12)


@ONCE
@pytest.mark.parametrize("name", VALUES)
@given(PYTHON | TEXT)
@example("{[]: 1}")
@example("1" + "0" * 400)
@example("1" * 5000)
@example("(" * 300)
@example("-" * 3000 + "1")
def test_bad_text_is_one_error_that_names_the_flag(name, text):
    try:
        value = assignments.parse(METHOD, [f"{name}={text}"])[name]
    except ValueError as error:
        assert str(error).startswith(f"--set: {name} must be ")
    else:
        again = assignments.parse(METHOD, [f"{name}={value!r}"])
        assert again == {name: value} or "inf" in repr(value)


DTYPES = st.sampled_from(
    ["float16", "float32", "float64", "int8", "int32", "int64", "bool"]
    + ["uint8", "uint32", "complex64", "<U3", ">f4"]
)
SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
NAMES = st.lists(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8),
    min_size=1,
    max_size=3,
).map("/".join)
ARRAYS = st.dictionaries(NAMES, hnp.arrays(DTYPES, SHAPES), max_size=4)
FILE = pathlib.Path("arrays.npz")


@ONCE
@given(ARRAYS, st.booleans())
@example({"file": np.arange(3), "allow_pickle": np.ones(2)}, False)
@example({"a.npy": np.zeros(1), "a": np.ones(1)}, False)
@example({"größe/β:0": np.float32(np.nan), "": np.array(7)}, False)
def test_arrays_come_back_bit_by_bit(arrays, turned):
    if turned:
        arrays = {name: array.T for name, array in arrays.items()}
    write_arrays(FILE, arrays)
    found = read_arrays(FILE)
    assert [*found] == [*arrays]  # in this order
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        assert found[name].tobytes() == array.tobytes()
    assert [path.name for path in FILE.absolute().parent.iterdir()] == [
        FILE.name
    ]


@ONCE
@given(ARRAYS, st.data())
def test_half_a_file_of_arrays_is_refused(arrays, data):
    write_arrays(FILE, arrays)
    whole = FILE.read_bytes()
    FILE.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(ValueError, match=f"{FILE} .*cut off"):
        read_arrays(FILE)
