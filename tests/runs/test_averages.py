"""The average of weights is part of a run's configuration and name."""

import programs
import pytest

from keras_lt.runs import plan
from keras_lt.runs.config import RunConfig
from keras_lt.runs.manner import Manner
from keras_lt.runs.options import Choice, Conditions, DataOptions
from keras_lt.runs.request import Request
from keras_lt.training import Average

pytestmark = programs.once("tensorflow")


def made(**conditions):
    return plan.make_runs(
        Request(
            choice=Choice(method=("ce",), set=("backbone=micro",)),
            conditions=Conditions(**conditions),
            images=DataOptions(),
            manner=Manner(),
            command="",
        )
    )


def test_is_part_of_a_run():
    (run,) = made(average="swa", average_from=0.5)
    assert run.recipe.average == Average("swa", start=0.5)
    assert run.folder.path.name == "digits_lt-50-ce-swa-seed0"
    kept = RunConfig.from_json(run.config.to_json())
    assert kept.difference(run.config) is None
    assert (kept.average, kept.average_from) == ("swa", 0.5)
    (plain,) = made()
    assert plain.recipe.average is None
    assert plain.folder.path.name == "digits_lt-50-ce-seed0"
    assert "average" not in plain.config.to_json()  # as in older folders
    assert RunConfig.from_json(plain.config.to_json()).average is None
    assert plain.config.difference(run.config) == ("average", None, "swa")


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"average": "mean"}, "--average must be ema or swa, got 'mean'"),
        ({"average_momentum": 1.0}, "--average_momentum must be < 1"),
        ({"average": "swa", "average_from": -0.1}, "--average_from must be"),
    ],
)
def test_bad_values(bad, message):
    with pytest.raises(ValueError, match=message):
        made(**bad)
