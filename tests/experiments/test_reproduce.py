"""The tables: declared runs, executed, resumed, and shown."""

import argparse
import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import types

import programs
import pytest

from keras_lt.methods import METHODS
from keras_lt.problem import Problem
from keras_lt.runs import RunFolder, assignments
from keras_lt.runs.lock import locked
from reproduction import page, studies, tables
from reproduction.jobs import Job, Row
from reproduction.workers import Workers

TINY = ("--set=width=4", "--set=backbone=micro", "--set=batch_size=41")
CE = Job(
    "tiny-ce",
    "digits_lt",
    50,
    "ce",
    (*TINY, "--set=epochs=(4,)", "--test_freq=2"),
    (Row("Plain", "train", published=50.0, source="a paper", best=True),),
    seeds=(0,),
)
TAU = Job(
    "tiny-tau",
    "digits_lt",
    50,
    "wb",
    (
        *(*TINY, "--set=epochs=(1,0)", "--set=tau=1.9", "--flip_tta"),
        *("--from_stage=tau", "--init_from={needs}"),
    ),
    (Row("Divided by norms", "tau", "accuracy_without_flip"),),
    needs="tiny-ce",
    seeds=(0,),
)


@pytest.mark.parametrize("study", studies.STUDIES)
def test_declared_runs_have_the_stages_they_show(study):
    jobs = studies.STUDIES[study]()
    names = [job.name for job in jobs]
    assert len(set(names)) == len(names)
    for job in jobs:
        assert job.needs is None or job.needs in names
        then = [f[7:] for f in job.flags if f.startswith("--then=")]
        recipe = METHODS[job.method].then(then)
        set_flags = [f[6:] for f in job.flags if f.startswith("--set=")]
        chosen = assignments.parse(recipe, set_flags)
        problem = Problem((32, 32, 3), class_counts=(500, 50, 5))
        stages = [stage.name for stage in recipe(problem, **chosen).stages]
        assert {row.stage for row in job.rows} <= set(stages)


def test_the_full_study_is_whole():
    jobs = studies.full()
    sets = {(job.dataset, job.ratio) for job in jobs}
    assert sets == {
        (dataset, ratio)
        for dataset in ("cifar10_lt", "cifar100_lt")
        for ratio in (100, 50, 10)
    }
    first = jobs[: studies.MAIN]
    assert [job.name.removeprefix("cifar100_lt-100-") for job in first] == [
        *("ce", "reslt", "ride3", "ldam", "ssd"),
        *("wb-resnet32", "wb-resnet32-tau", "wb-resnet34", "wb-resnet34-tau"),
    ]
    published = {row.title: row.published for j in first for row in j.rows}
    assert published["WB, ResNet-34, stage 2"] == 51.83
    assert published["RIDE, 3 experts, routed"] == 48.6


@pytest.fixture
def workers(tmp_path):
    flags = argparse.Namespace(
        workdir=str(tmp_path / "runs"),
        data_dir=None,
        subset=None,
        backend=None,
        processes=2,
    )
    return Workers([CE, TAU], tmp_path / "results", flags)


@pytest.fixture(autouse=True)
def backend_of_the_children(monkeypatch):
    for name, value in programs.environment().items():
        monkeypatch.setenv(name, value)


@pytest.mark.slow
@programs.once("jax")
def test_runs_leave_results_and_are_not_repeated(
    workers, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("reproduction.workers.PROGRAM", programs.TRAIN)
    assert workers.run([TAU, CE], time.monotonic() + 300)
    assert workers.state(CE).split() == ["tiny-ce", "done"]
    assert workers.state(TAU).split() == ["tiny-tau", "done"]
    files = sorted(path.name for path in workers.target.iterdir())
    assert files == ["tiny-ce-seed0.json", "tiny-tau-seed0.json"]
    texts = [(workers.target / name).read_text() for name in files]
    assert not any(str(tmp_path) in text for text in texts)
    ce, tau = map(json.loads, texts)
    folder = tmp_path / "runs" / "tiny-ce-seed0"
    run = programs.result(folder)
    curves = ce["curves"]["train"]
    assert len(curves["loss"]) == len(curves["accuracy"]) == 4
    assert curves["test_accuracy"][0] is None
    same = run.keys() - {"command"}
    assert {k: ce[k] for k in same} == {k: run[k] for k in same}
    assert tau["init_from"] == "tiny-ce-seed0"

    progress = (folder / "metrics.jsonl").read_text().splitlines()
    looks = [json.loads(x).get("test_accuracy") for x in progress]
    assert looks[0] is looks[2] is None  # every second epoch
    best = ce["stages"]["train"]["best_test"]
    assert best["overall"] == max(looks[1], looks[3])
    assert looks[best["epoch"] - 1] == best["overall"]
    assert looks[3] == pytest.approx(ce["accuracy"]["overall"])
    record = tau["stages"]["tau"]
    assert record["accuracy"] == tau["accuracy"]
    assert record["accuracy_without_flip"] != record["accuracy"]

    capsys.readouterr()
    assert workers.run([CE, TAU], time.monotonic() + 300)
    assert capsys.readouterr().out == ""  # nothing is trained twice


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Put a script in the place of the trainer."""

    def put(text):
        path = tmp_path / "program.py"
        path.write_text(text)
        monkeypatch.setattr("reproduction.workers.PROGRAM", path)

    return put


HANGS = """
import os, pathlib, sys, time
(folder,) = [a[10:] for a in sys.argv if a.startswith("--workdir=")]
pathlib.Path(folder).mkdir()
(pathlib.Path(folder) / "metrics.jsonl").write_text(
    '{"stage": "train", "epoch": 6}'
)
pathlib.Path(folder, "pid").write_text(str(os.getpid()))
time.sleep(300)
"""


def test_time_is_up(workers, program, monkeypatch, capsys):
    program(HANGS)
    pid = workers.folder(CE, 0).path / "pid"
    clock = types.SimpleNamespace(
        monotonic=lambda: float(pid.exists() and bool(pid.read_text())),
        sleep=time.sleep,
    )
    monkeypatch.setattr("reproduction.workers.time", clock)
    assert workers.run([TAU], end=0.5)  # begins with what it needs
    assert "time is up; the same command goes on" in capsys.readouterr().out
    assert workers.state(CE).split() == ["tiny-ce", "train", "epoch", "7"]
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_a_run_that_fails_is_named(workers, program, capsys):
    program("import sys; sys.exit('error: --set: no such network')")
    other = dataclasses.replace(CE, name="tiny-other")
    workers.jobs["tiny-other"] = other
    assert not workers.run([CE, TAU, other], time.monotonic() + 300)
    out = capsys.readouterr().out
    for name in ("tiny-ce", "tiny-other"):
        assert f"{name}, seed 0: failed: error: --set: no such network" in out
    assert "tiny-tau, seed 0: left out, as tiny-ce failed" in out


def test_a_run_that_was_killed_is_named_with_its_signal(
    workers, program, capsys
):
    program("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert not workers.run([CE], time.monotonic() + 300)
    out = capsys.readouterr().out
    assert "tiny-ce, seed 0: failed (SIGKILL ended it): " in out


def test_half_a_line_of_metrics_is_skipped(workers):
    path = workers.folder(CE, 0).metrics
    path.parent.mkdir(parents=True)
    path.write_text('{"stage": "train", "epoch": 6}\n{"stage": "tr')
    assert workers.state(CE).split() == ["tiny-ce", "train", "epoch", "7"]


PARENT = """
import sys, time
from reproduction import children
code = "import os, time; print(os.getpid(), flush=True); time.sleep(300)"
command = [sys.executable, "-c", code]
child = children.start(command)
time.sleep(300)
"""


@programs.once("tensorflow")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_children_end_with_their_parent_whatever_ends_it(number):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdout=subprocess.PIPE,
        text=True,
        cwd=programs.ROOT / "experiments",
    )
    child = int(parent.stdout.readline())
    assert os.getpgid(child) == child
    parent.send_signal(number)
    parent.wait()
    assert parent.stdout.read() == ""  # which the child held open
    with pytest.raises(ProcessLookupError):
        while True:  # until somebody buries it
            os.kill(child, 0)
            if "Z" in pathlib.Path(f"/proc/{child}/stat").read_text():
                raise ProcessLookupError
    parent.stdout.close()


def test_two_at_once_share_the_work(workers, program, tmp_path, capsys):
    """What another process trains is left to it, and not trained again."""
    program("raise SystemExit('error: trained twice')")
    lock = workers.workdir / "tiny-ce-seed0.lock"
    result = tables.path(workers.target, CE, 0)
    with locked(lock, "tiny-ce, seed 0"):
        sleeps = []

        def sleep(seconds):
            sleeps.append(seconds)
            if len(sleeps) == 3:  # the other one is done
                result.parent.mkdir()
                result.touch()

        with pytest.MonkeyPatch.context() as patch:
            clock = types.SimpleNamespace(monotonic=lambda: 0.0, sleep=sleep)
            patch.setattr("reproduction.workers.time", clock)
            assert workers.run([CE], 1.0)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("tiny-ce, seed 0 is in use by process")
    assert len(sleeps) >= 3


def test_seeds_train_together_where_there_is_an_accelerator(workers):
    several = dataclasses.replace(CE, seeds=(0, 1, 2))
    own = dataclasses.replace(TAU, seeds=(0, 1))
    shared = dataclasses.replace(own, name="tiny-shared", needs_seed=0)
    workers.jobs |= {"tiny-ce": several, "tiny-shared": shared}
    jobs = [several, own, shared]
    alone = [(task.job.name, task.seeds) for task in workers._tasks(jobs)]
    assert alone == [
        *((f"tiny-{name}", (0,)) for name in ("ce", "tau", "shared")),
        *((f"tiny-{name}", (1,)) for name in ("ce", "tau", "shared")),
        ("tiny-ce", (2,)),
    ]
    workers.together = True
    tasks = workers._tasks(jobs)
    assert [(task.job.name, task.seeds) for task in tasks] == [
        ("tiny-ce", (0, 1, 2)),
        ("tiny-tau", (0,)),
        ("tiny-shared", (0, 1)),
        ("tiny-tau", (1,)),
    ]
    run = workers.workdir / "tiny-ce" / "digits_lt-50-ce-seed1"
    run.mkdir(parents=True)  # where train.py puts it, after all is planned
    assert workers.source(tasks[3]).path == run


def test_results_name_the_run_that_they_needed(tmp_path):
    (tmp_path / "metrics.jsonl").write_text("")
    (tmp_path / "result.json").write_text(
        json.dumps(
            {
                "stages": {},
                "init_from": None,
                "hyperparameters": {"distill_from": "a/folder/here"},
            }
        )
    )
    for needs_seed, expected in ((0, "tiny-ce-seed0"), (None, "tiny-ce-seed2")):
        job = dataclasses.replace(TAU, needs_seed=needs_seed)
        kept = tables.keep(tmp_path / "kept", job, 2, RunFolder(tmp_path))
        assert kept["hyperparameters"] == {"distill_from": expected}
        assert kept["init_from"] is None


def finished(overall, few, *, best, seconds=100.0):
    accuracy = {"overall": overall, "many": 0.9, "medium": 0.5, "few": few}
    record = {
        "accuracy": accuracy,
        "best_test": {"epoch": 2, "overall": best},
        "epochs": 30,
        "views": {"hard": accuracy | {"overall": 0.25}},
    }
    return {
        "stages": {"train": record, "later": record},
        "flip_tta": False,
        "train_seconds": seconds,
        "images_per_second": 10 * seconds,
        "device": "a device",
        "backend": "jax",
        "versions": {"keras": "3.1"},
        "split_sha256": "0123456789abcdef0",
        "commit": "abcdef0123",
    }


def row_of(text, title):
    (line,) = [x for x in text.splitlines() if x.startswith(f"| {title} |")]
    return [cell.strip() for cell in line.split("|")[2:-1]]


def test_the_page_is_made_of_the_files(tmp_path, monkeypatch):
    monkeypatch.setitem(page.NAMES, "digits_lt", "Digits")
    monkeypatch.setattr(page, "_picture", lambda *arguments: "")
    later = Row("View", "later", "hard", published=20.0, source="a log")
    other = dataclasses.replace(CE, name="tiny-other", rows=(later,))
    open_ = dataclasses.replace(CE, name="tiny-open", ratio=10)
    jobs = [dataclasses.replace(job, seeds=(0, 1, 2)) for job in (CE, other)]
    declared = {"reduced": jobs[:1], "full": [jobs[1], open_]}
    declared |= dict.fromkeys(("middle", "ablation", "stages"), [])
    for name, study in declared.items():
        monkeypatch.setitem(studies.STUDIES, name, lambda study=study: study)
    for seed, overall in enumerate((0.3, 0.32)):
        result = finished(overall, 0.1, best=overall + 0.02)
        for job in jobs:
            tables.path(tmp_path, job, seed).write_text(json.dumps(result))
    text = page.write(tmp_path).read_text()
    end = ["100", "2", "a device", "abcdef0"]
    three = ["90.0 ± 0.0", "50.0 ± 0.0", "10.0 ± 0.0"]
    assert row_of(text, "Plain") == [
        *("Digits, 50", "31.0 ± 1.4", *three, "+0.0", "+0.0", "30", *end)
    ]
    assert row_of(text, "View") == [
        *("Digits, 50", "25.0 ± 0.0", *three),
        *("", "20.0 (a log)", "+5.0", "60", *end),
    ]
    assert "* `tiny-open`: Plain, 50.0 (a paper)" in text
    assert "Middle" not in text and "open |" not in text
    assert "jax; keras 3.1; split 0123456789abcdef" in text
    assert "--imbalance_ratio=50 --set=width=4" in text

    trained = dataclasses.replace(jobs[0], name="tiny-other")
    monkeypatch.setitem(studies.STUDIES, "full", lambda: [trained])
    text = page.write(tmp_path).read_text().split("## Reduced")[0]
    assert row_of(text, "Plain")[5:8] == [
        *("33.0 ± 1.4", "50.0 † (a paper)", "-19.0")
    ]
    tables.path(tmp_path, CE, 0).write_text("{")
    with pytest.raises(ValueError, match="tiny-ce-seed0.json is damaged"):
        page.write(tmp_path)


def test_stages_that_follow_are_a_matrix(tmp_path, monkeypatch):
    monkeypatch.setattr(page, "_picture", lambda *arguments: "")
    ce, *_ = studies.reduced()
    crt, tau = (
        job
        for job in studies.stages()
        if job.name in ("reduced-ce+crt", "reduced-ce+tau")
    )
    assert "--init_from={needs}" in crt.flags and crt.needs == ce.name
    text = page.write(tmp_path).read_text()
    assert "Stages that follow" not in text
    for job, overall in ((ce, 0.2), (crt, 0.25), (tau, 0.3)):
        result = finished(overall, overall / 2, best=overall)
        result["accuracy"] = result["stages"]["train"]["accuracy"]
        tables.path(tmp_path, job, 0).write_text(json.dumps(result))
    text = page.write(tmp_path).read_text()
    section = text.partition("### Stages that follow")[2]
    cells = dict(zip(row_of(section, ""), row_of(section, "`ce`"), strict=True))
    assert cells["alone"] == "20.0 / 10.0"
    assert cells["crt"] == "25.0 / 12.5" and cells["tau"] == "30.0 / 15.0"
    assert cells["la"] == "–"
    assert section.count("`reduced-ce+crt`") == 1  # its command
    assert section.count("`reduced-ce`") == 1


def test_the_page_in_the_repository_is_that_of_its_files(tmp_path):
    folder = programs.ROOT / "experiments" / "results"
    for path in folder.glob("*.json"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    text = page.write(tmp_path).read_text()
    assert text == (folder / "README.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["trian"],
            "expected one of ['list', 'run', 'table', 'images'], got 'trian'",
        ),
        (["run", "--study=small"], "--study must be one of"),
        (["run", "--minutes=0"], "--minutes must be > 0, got 0.0"),
        (["run", "--processes=0"], "--processes must be >= 1, got 0"),
        (["run", "--data_dir=absent"], "--data_dir must be a folder"),
        (["list", "--only=vgg"], "--only: no training of reduced begins"),
    ],
)
def test_bad_flags(arguments, message, tmp_path):
    _, err = programs.run("reproduce.py", *arguments, cwd=tmp_path, status=2)
    assert message in err
    assert err.count("\n") == 1


def test_list_shows_what_is_open(tmp_path):
    options = ("--study=full", f"--results={tmp_path}", "--only=cifar10_lt-50")
    out, _ = programs.run("reproduce.py", "list", *options, cwd=tmp_path)
    assert len(out.splitlines()) == len(studies.full()) / 6
    assert all(line.split()[1:] == ["open"] * 3 for line in out.splitlines())
