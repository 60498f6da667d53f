import dataclasses

import pytest

from keras_lt import hyperparameters


@dataclasses.dataclass(frozen=True)
class Speed:
    """How fast.

    Args:
        lr: Learning rate,
            per step.
        momentum: Of it.
    """

    lr: float = 0.1
    momentum: float | None = None


FAST = Speed(lr=0.5)


def slow(problem, *, speed: Speed, epochs: tuple[int, int] = (3, 1)):
    """Do something.

    Args:
        problem: What to solve.
        speed: See `Speed`.
        momentum: Of the slow one.
        epochs: How many.

    Returns:
        Its arguments.
    """
    return speed, epochs


def fast(problem, *, speed: Speed = FAST):
    return speed


def test_groups_count_field_by_field():
    lr, momentum, epochs = hyperparameters.of(slow)
    assert [lr.name, momentum.name, epochs.name] == ["lr", "momentum", "epochs"]
    assert (lr.default, momentum.default, epochs.default) == (0.1, None, (3, 1))
    assert momentum.hint == float | None
    assert lr.description == "Learning rate, per step."
    assert momentum.description == "Of the slow one."  # goes before the group's
    assert (lr.group, epochs.group) == ("speed", None)
    assert [each.default for each in hyperparameters.of(fast)] == [0.5, None]


def test_values_come_back_in_groups():
    values = {"lr": 1.0, "momentum": 0.9, "epochs": (1, 2), "other": 3}
    arguments = hyperparameters.grouped(slow, values)
    assert slow(None, **arguments) == (Speed(1.0, 0.9), (1, 2))


def test_documentation_with_other_arguments():
    entries = {"lr": "Learning rate.", "epochs": "Many. " * 20}
    text = hyperparameters.with_arguments(slow.__doc__, entries)
    assert "speed" not in text and "Its arguments." in text
    assert max(map(len, text.splitlines())) <= 80
    assert hyperparameters.with_arguments("None.", entries) == "None."


@pytest.mark.parametrize(
    ("name", "near"), [("epoch", "epochs"), ("learning", "lr")]
)
def test_nearest(name, near):
    text = hyperparameters.nearest(name, ["lr", "epochs"])
    assert text == f"; did you mean {near!r}? Known: lr, epochs"
