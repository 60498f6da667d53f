from typing import Literal

import pytest

from keras_lt.methods import METHODS, Method
from keras_lt.runs import assignments


def function(
    problem,
    *,
    lr: float = 0.1,
    layers: int = 2,
    decay: float | None = None,
    mode: Literal["fast", "slow"] = "fast",
    epochs: tuple[int, int] = (3, 1),
    nesterov: bool = True,
):
    """Do nothing.

    Args:
        problem: What to solve.
        lr: Learning rate,
            per step.
        layers: How many.

    Raises:
        ValueError: never.
    """


RECIPE = Method(function, {})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("lr=0.5", 0.5),
        ("lr=1e-3", 1e-3),
        ("lr=2", 2.0),
        ("layers=3", 3),
        ("decay=None", None),
        ("decay=1", 1.0),
        ("mode=slow", "slow"),
        ("mode='slow'", "slow"),
        ("epochs=(20, 5)", (20, 5)),
        ("epochs=20,5", (20, 5)),
        ("epochs=[20, 5]", (20, 5)),
        ("nesterov=False", False),
        ("lr= 0.5", 0.5),
    ],
)
def test_values(text, value):
    name = text.partition("=")[0]
    parsed = assignments.parse(RECIPE, [text])
    assert parsed == {name: value}
    assert type(parsed[name]) is type(value)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("lr=0.5,1", [0.5, 1.0]),
        ("layers=3", [3]),
        ("mode=fast,slow", ["fast", "slow"]),
        ("decay=None,0.1", [None, 0.1]),
        ("epochs=(2,3),(4,5)", [(2, 3), (4, 5)]),
    ],
)
def test_sweeps(text, values):
    name = text.partition("=")[0]
    expected = [{name: value} for value in values]
    assert assignments.sweep(RECIPE, text) == expected


def test_the_last_assignment_wins():
    texts = ["lr=1", "layers=1", "lr=2"]
    assert assignments.parse(RECIPE, texts) == {"lr": 2.0, "layers": 1}
    assert assignments.parse(RECIPE, []) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lr", "NAME=VALUE, got 'lr'"),
        ("lrr=1", "no hyperparameter 'lrr'; did you mean 'lr'"),
        ("problem=1", "no hyperparameter 'problem'"),
        ("lr=fast", "lr must be float, got 'fast'"),
        ("lr=True", "lr must be float, got 'True'"),
        ("lr=None", "lr must be float, got 'None'"),
        ("layers=1.5", "layers must be int, got '1.5'"),
        ("layers=True", "layers must be int"),
        ("decay=no", "decay must be float or None, got 'no'"),
        ("mode=quick", "mode must be 'fast' or 'slow', got 'quick'"),
        ("mode=[1]", "mode must be 'fast' or 'slow'"),
        ("epochs=(1, 2, 3)", r"epochs must be \(int, int\), got"),
        ("epochs=5", r"epochs must be \(int, int\), got '5'"),
        ("epochs=(1, 2.5)", r"epochs must be \(int, int\)"),
        ("nesterov=1", "nesterov must be bool"),
        ("lr=", "lr must be float, got ''"),
        ("mode={[]: 1}", "mode must be 'fast' or 'slow', got"),
        ("lr=1" + "0" * 400, "lr must be float, got '1000"),
        ("layers=" + "-" * 3000 + "1", "layers must be int, got '---"),
    ],
)
def test_misfits(text, message):
    with pytest.raises(ValueError, match=message):
        assignments.parse(RECIPE, [text])


def test_a_tuple_of_one_may_be_a_number():
    def one(problem, *, epochs: tuple[int] = (3,)):
        pass

    method = Method(one, {})
    assert assignments.parse(method, ["epochs=7"]) == {"epochs": (7,)}
    assert assignments.parse(method, ["epochs=(7,)"]) == {"epochs": (7,)}
    with pytest.raises(ValueError, match=r"epochs must be \(int,\)"):
        assignments.parse(method, ["epochs=7.5"])


@pytest.mark.parametrize("name", METHODS)
def test_every_default_can_be_typed(name):
    method = METHODS[name].then(["crt", "tau"])
    for hyperparameter, default in method.defaults.items():
        text = f"{hyperparameter}={default!r}"
        parsed = assignments.parse(method, [text])
        assert parsed == {hyperparameter: default}
