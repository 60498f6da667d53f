"""Bad input ends in one line of error and status 2, before training."""

import dataclasses
import importlib
import os
import sys

import keras
import programs
import pytest

from keras_lt.cli import arguments, main, train
from keras_lt.cli.main import COMMANDS
from keras_lt.methods import METHODS
from keras_lt.runs import flags


def error(capsys, *argv):
    """Prepare a run that must fail, and return its line of error."""
    with pytest.raises(SystemExit) as exit:
        arguments.checked(train.prepare, ["train.py", *argv])
    assert exit.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    return lines[0]


@programs.once("tensorflow")
@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--method=wbb"], ["wbb", "did you mean 'wb'"]),
        (["--dataset=cifar100lt"], ["did you mean 'cifar100_lt'"]),
        (["--set=lrr=1"], ["lrr", "did you mean 'lr'"]),
        (["--set=lr=fast"], ["lr must be float", "'fast'"]),
        (["--set=lr"], ["NAME=VALUE"]),
        (["--set=backbone=resnet99"], ["backbone", "resnet32", "resnet99"]),
        (["--set=epochs=(1,2,3)"], ["epochs must be (int, int)"]),
        (["--set=l2=-1.0"], ["l2", "-1"]),
        (["--imbalance_ratio=0.5"], ["imbalance_ratio", ">= 1", "0.5"]),
        (["--imbalance_ratio=100000"], ["class", "imbalance_ratio"]),
        (
            ["--validation_per_class=2", "--validation_share=0.2"],
            ["--validation_per_class and --validation_share exclude"],
        ),
        (["--validation_share=1"], ["--validation_share must be"]),
        (["--validation_per_class=500"], ["validation_per_class", "class 0"]),
        (["--dataset=cifar100_lt", "--data_dir=none"], ["data_dir", "none"]),
        (
            ["--profile=stepp"],
            ["--profile must be exponential or step", "'stepp'"],
        ),
        (["--precision=float8"], ["precision", "float8"]),
        (["--seed=one"], ["--seed", "one"]),
        (["--seeds=0", "--seed=1"], ["--seeds and --seed exclude"]),
        (
            ["--seeds_mode=both"],
            ["--seeds_mode must be vectorised or in_turn", "'both'"],
        ),
        (["--input=gpu"], ["--input must be one of", "'gpu'"]),
        (
            ["--input=device", "--augment=keras.RandomFlip"],
            ["with `layers`, got 'device'"],
        ),
        (["--epochs_scale=0"], ["epochs_scale", "> 0"]),
        (["--batch_size=0"], ["batch_size", "> 0"]),
        (["--backend=torch"], ["backend", "torch"]),
        (["--metod=wb"], ["metod", "method"]),
        (["--input=pandas"], ["--input", "pandas"]),
        (["--augment=keras.RandAugmentt"], ["RandAugmentt", "RandAugment"]),
        (["--augment=keras.RandomCrop(2,2,3)"], ["--augment"]),
        (["--augment=published+cutouts"], ["did you mean 'cutout'"]),
        (["--augment=cutout"], ["`size` must be at most the 8 pixels", "16"]),
        (["--augment=cutmix(0)"], ["cutmix(0): `alpha` must be > 0, got 0"]),
        (["--augment=keras.RandomHue(factor=0.5)"], ["(8, 8, 1)"]),
        (["wb"], ["wb"]),
        (["--from_stage=features"], ["--from_stage needs --init_from"]),
        (["--init_from=none"], ["--init_from", "none/model.keras is missing"]),
        (["--sweep=lr"], ["--sweep must be NAME=VALUE"]),
        (["--sweep=lrr=1,2"], ["lrr", "did you mean 'lr'"]),
        (["--sweep=lr=1,2", "--method=ce,wb"], ["--sweep needs one --method"]),
        (
            ["--method=ride", "--set=distill_from=none"],
            ["`distill_from`", "none/model.keras is missing"],
        ),
        (["--method=ride", "--set=num_experts=1"], ["at least 2 experts"]),
    ],
    ids=str,
)
def test_one_line_says_what_is_wrong(argv, words, capsys):
    line = error(capsys, *argv)
    for word in words:
        assert word in line


def test_missing_and_truncated_files_are_named(tmp_path, capsys):
    folder = f"--data_dir={tmp_path}"
    line = error(capsys, "--dataset=cifar100_lt", folder)
    assert "train.bin is missing" in line
    (tmp_path / "train.bin").write_bytes(b"\0" * 30740)
    line = error(capsys, "--dataset=cifar100_lt", folder)
    assert "153,700,000" in line and "30,740" in line


@pytest.mark.slow
@programs.once("jax")
def test_a_workdir_of_another_configuration_is_refused(
    finished, tmp_path, capsys
):
    folder, _ = finished("ce")
    workdir = f"--workdir={folder}"
    before = sorted(folder.rglob("*"))
    _, err = programs.run(
        "train.py", *programs.TINY, workdir, "--seed=1", cwd=tmp_path, status=2
    )
    assert "seed is 0 there, 1 here" in err.splitlines()[-1]
    line = error(capsys, *programs.TINY, workdir, "--noresume")
    assert "holds a run already" in line
    assert sorted(folder.rglob("*")) == before


def test_a_folder_with_something_else_is_refused(tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("years of work")
    line = error(capsys, f"--workdir={tmp_path}")
    assert "is not empty and holds no run" in line
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_tensorboard_needs_its_package(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    line = error(capsys, "--tensorboard")
    assert "keras_lt[tensorboard]" in line


@pytest.mark.parametrize(
    ("topic", "words"),
    [
        ("", ("--dataset=folder", "--budget", "--help=all", *METHODS)),
        (
            "=all",
            ("--imbalance_ratio", "--wandb", "float, > 0", "--then=crt"),
        ),
        (
            "=wb",
            ("radius_fraction", "(float, >= 0)", "places_lt: ", '"epoch"'),
        ),
        ("=reslt+tau", ("with num_experts=3: lr", "tau_exponent")),
    ],
)
def test_help(topic, words, capsys):
    train.main(["keras-lt train", f"--help{topic}"])
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    for word in words:
        assert word in out
    assert topic or 24 <= len(lines) <= 40


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_fits_on_a_screen(name, capsys):
    main.run(["keras-lt", name, "--help"])
    out = capsys.readouterr().out
    assert 8 <= len(out.splitlines()) <= 40
    main.run(["keras-lt", name, "--help=all"])
    more = capsys.readouterr().out
    program = importlib.import_module(f"keras_lt.cli.{COMMANDS[name]}")
    names = {
        flags.name_of(field)
        for group in program.GROUPS
        for field in dataclasses.fields(group)
    }
    assert all(f"  --{flag} " in more for flag in names)
    assert ("--help=all" in out) == (len(out) < len(more))


def test_a_folder_without_its_flag(tmp_path, capsys):
    line = error(capsys, str(tmp_path))
    assert "own images: --dataset=folder --data_dir=FOLDER" in line


def test_help_about_nothing(capsys):
    with pytest.raises(SystemExit):
        train.main(["keras-lt train", "--help=web"])
    (line,) = capsys.readouterr().err.splitlines()
    assert "no method 'web'; did you mean 'wb'?" in line


def test_a_backend_that_is_not_installed(monkeypatch, capsys):
    other = {"tensorflow": "jax", "jax": "tensorflow"}
    missing = other[os.environ.get("KERAS_BACKEND", "tensorflow")]
    monkeypatch.setitem(sys.modules, missing, None)
    line = error(capsys, f"--backend={missing}")
    assert "not installed" in line and f"keras_lt[{missing}]" in line


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--strategy=mirror"], ["--strategy must be one of", "'mirror'"]),
        (
            ["--strategy=none", "--num_processes=2"],
            ["--num_processes needs --strategy=data_parallel"],
        ),
        (["--strategy=multi_worker"], ["the variable TF_CONFIG", "got None"]),
        (
            ["--strategy=mirrored", "--seeds=0"],
            ["--seeds and --strategy exclude each other"],
        ),
        (["--coordinator=a:1"], ["--num_processes is missing"]),
        (
            ["--coordinator=a:1", "--num_processes=2", "--process_id=2"],
            ["--process_id must be from 0 to 1, got 2"],
        ),
        (["--seeds=0,1"], ["exclude each other"]),
        (["--input=tf.data"], ["--input must be 'device' or 'numpy' under"]),
    ],
    ids=str,
)
def test_strategies(argv, words, capsys):
    if "--strategy" not in argv[0]:
        argv = ["--strategy=data_parallel", *argv]
    strategy = argv[0].partition("=")[2]
    needed = {
        "data_parallel": "jax",
        "mirrored": "tensorflow",
        "multi_worker": "tensorflow",
    }.get(strategy)
    if needed and needed != keras.backend.backend():
        words = [f"--strategy={strategy} needs --backend={needed}"]
    try:
        line = error(capsys, *argv)
    finally:
        keras.distribution.set_distribution(None)
    for word in words:
        assert word in line


def test_seeds_side_by_side_need_jax(capsys):
    line = error(capsys, "--seeds=0,a")
    on_jax = keras.backend.backend() == "jax"
    assert ("'a'" if on_jax else "only with --backend=jax") in line
