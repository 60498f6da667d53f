"""A search is checked first, and a kill loses nothing of it."""

import dataclasses

import programs
import pytest

from keras_lt.methods import METHODS
from keras_lt.methods.settings.domains import DOMAINS, RANGES, Range
from keras_lt.runs.tuning import shown, study, trial
from keras_lt.runs.tuning.space import Dimension, space

pytest.importorskip("optuna")
pytestmark = programs.once("jax")
WB = METHODS["wb"].then(("crt",))
L2 = Dimension("l2", 0.0, Range(1e-5, 0.1, log=True))
IDENTITY = {"seed": 0, "method": "wb", "hyperparameters": {"lr": 0.1}}


def opened(folder, identity=IDENTITY):
    return study.Study(folder, [L2], identity, epochs=6)


@pytest.mark.parametrize("name", RANGES)
def test_ranges_lie_in_the_domains(name):
    low, high, log = dataclasses.astuple(RANGES[name])
    assert low < high and (not log or low > 0)
    assert not DOMAINS[name].wrong((low, high))


def test_names_are_checked():
    found = space(WB, ["l2", "crt_lr", "constraint", "l2"], WB.defaults)
    assert [each.name for each in found] == ["l2", "crt_lr", "constraint"]
    assert found[2].choices == (None, "max_norm", "unit_norm")
    with pytest.raises(ValueError, match="no hyperparameter 'l3'.*l2"):
        space(WB, ["l3"], WB.defaults)
    with pytest.raises(
        ValueError, match="epochs, .int, int. with.*has no range; .*lr"
    ):
        space(WB, ["epochs"], WB.defaults)


def test_the_preset_comes_first_and_a_killed_trial_goes_on(tmp_path):
    with opened(tmp_path) as first:
        begun = first.next(3)
        assert first.values(begun) == {"l2": 0.0}  # though the range has none
        first.end(begun, "COMPLETE", 0.5)
        killed = first.next(3)
        asked = first.values(killed)
        killed.report(0.2, 1)
    with opened(tmp_path) as second:
        again = second.next(3)
        assert again.number == killed.number == 1
        assert second.values(again) == asked
        watch = trial.Watch(again, [200, 50, 5], "shots")
        watch.log({"val_accuracy_many": 0.9}, 1)  # which was reported before
        watch.log({"loss": 1.0}, 2)  # no accuracy
        second.end(again, "FAIL")
        last = second.next(3)
        second.values(last)
        second.end(last, "COMPLETE", 0.4)
        assert second.next(3) is None
        assert second.best() == {"l2": 0.0}
        trials = second.trials()
    assert [t.state for t in trials] == ["COMPLETE", "FAIL", "COMPLETE"]
    shown.write(tmp_path, trials, [L2])
    table = (tmp_path / "trials.csv").read_text().splitlines()
    assert table[:2] == ["trial,l2,balanced,state", "1,0.0,0.5,COMPLETE"]
    other = IDENTITY | {"hyperparameters": {"lr": 0.2}}
    with pytest.raises(ValueError, match="different configuration: hyperpara"):
        opened(tmp_path, other).__enter__()


def test_a_trial_that_falls_behind_ends_early(tmp_path):
    with opened(tmp_path) as search:
        for _ in range(study.COMPARED):
            good = search.next(9)
            search.values(good)
            for epoch in range(1, 7):
                trial.Watch(good, [200, 50, 5], "shots").log(
                    {"val_accuracy_many": 0.9, "val_accuracy_few": 0.5}, epoch
                )
            search.end(good, "COMPLETE", 0.7)
        bad = search.next(9)
        search.values(bad)
        watch = trial.Watch(bad, [200, 50, 5], "shots")
        watch.log({"val_accuracy_many": 0.0, "val_accuracy_few": 0.1}, 1)
        with pytest.raises(trial.Pruned, match="after 4 epochs"):
            watch.log({"val_accuracy_many": 0.1}, 4)
        search.end(bad, "PRUNED")
        assert search.trials()[-1].state == "PRUNED"


@pytest.mark.slow
def test_a_search_ends_in_a_run_with_the_best_values(tmp_path):
    flags = ("--method=ce", "--set=epochs=(1,)", *programs.MICRO)
    asked = (*flags, "--tune=l2", "--trials=2", "--workdir=here")
    out, _ = programs.run("train.py", *asked, cwd=tmp_path)
    assert "1 (preset)" in out and "trials hold out training images" in out
    folder = tmp_path / "here"
    assert not list(folder.glob("tuning/*/model.keras"))
    result = programs.result(folder)
    assert sum(result["class_counts"]) == 287  # all of them
    table = (folder / "tuning" / "trials.csv").read_text().splitlines()[1:]
    best = max(table, key=lambda line: float(line.split(",")[2]))
    assert result["hyperparameters"]["l2"] == float(best.split(",")[1])
    out, _ = programs.run("train.py", *asked, cwd=tmp_path)
    assert "trial 1 of" not in out and "is complete already" in out


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--method=ce,wb",), "needs one --method"),
        (("--seed=0,1",), "one --seed"),
        (("--sweep=lr=0.1,0.2",), "without --sweep"),
    ],
)
def test_one_run_is_tuned(flags, message, tmp_path):
    _, error = programs.run(
        "train.py", "--tune=l2", *flags, cwd=tmp_path, status=2
    )
    assert message in error
