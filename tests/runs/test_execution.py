"""Several runs, of which some fail."""

import pathlib
import types

import keras
import numpy as np
import programs
import pytest
import toy

from keras_lt import stats
from keras_lt.data import DataError
from keras_lt.methods import METHODS
from keras_lt.runs import judging
from keras_lt.runs.execution import StartFailed, execute
from keras_lt.training import Diverged


class FakeRun:
    """What `execute` needs of a run."""

    together, verbose = False, True

    def __init__(self, name, error=None, after=None):
        self.folder = types.SimpleNamespace(path=pathlib.Path(name))
        content = {"method": name}
        self.config = types.SimpleNamespace(
            init_from=after, to_json=lambda: content
        )
        self.waits, self.error, self.cleared = bool(after), error, False

    def clear(self):
        self.cleared = True

    def execute(self):
        if self.error:
            raise self.error
        return self.folder.path.name


@programs.once("jax")
def test_others_go_on_but_for_those_that_begin_at_its_end():
    nan = Diverged(stage="train", epoch=0, step=1, rate=1.0, what="loss")
    bug = RuntimeError("no room")
    runs = [
        FakeRun("ce"),
        FakeRun("wb", error=nan),
        FakeRun("wb+crt", after="wb"),
        FakeRun("ride", error=bug),
        FakeRun("ce+crt", after="ce"),
    ]
    failures = {}

    def note(run, error):
        failures[run.folder.path.name] = error

    assert execute(runs, note) == ["ce", "ce+crt"]
    assert [*failures] == ["wb", "wb+crt", "ride"]
    assert failures["wb"] is nan and failures["ride"] is bug
    assert isinstance(failures["wb+crt"], StartFailed)
    assert "begins where wb ends" in str(failures["wb+crt"])
    with pytest.raises(Diverged):
        execute(runs)


@programs.once("jax")
@pytest.mark.parametrize("error", [DataError("damaged"), OSError("full")])
def test_what_all_would_meet_ends_all(error):
    runs = [FakeRun("ce", error=error), FakeRun("wb")]
    with pytest.raises(type(error)):
        execute(runs, lambda run, error: None)
    assert not runs[1].cleared


@programs.once("jax")
def test_a_single_run_raises():
    with pytest.raises(RuntimeError):
        execute([FakeRun("ce", error=RuntimeError())], lambda run, error: None)


def test_a_divergence_of_one_method_does_not_end_the_others(tmp_path):
    command = ("train.py", *programs.TINY, "--sweep=lr=1e30,0.05")
    out, err = programs.run(*command, cwd=tmp_path, status=3)
    assert "lr=1e+30-seed0 failed: training diverged in stage train" in err
    assert "Traceback" not in err
    results = [*tmp_path.glob("runs/*/result.json")]
    assert len(results) == 1 and "lr=0.05" in str(results[0])
    assert "ce, seed 0" in out


def test_norms_of_a_served_model_without_classifiers_of_its_own():
    """ResLT serves a graph of its own where `tau` is a number."""
    options = {"backbone": "micro", "width": 4, "tau": 0.7}
    recipe = METHODS["reslt"](toy.problem(), **options)
    model = recipe.build()
    found = judging.class_norms(recipe.serve(model), model)
    (kernel,) = [
        keras.ops.convert_to_numpy(layer.kernel)
        for layer in model.layers
        if layer.name == "head"
    ]
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, stats.class_norms(kernel), rtol=1e-6)
