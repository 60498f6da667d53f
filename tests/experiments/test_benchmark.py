import importlib.util
import json
import subprocess
import sys

import keras
import numpy as np
import programs
import pytest

from benchmarks import child, communication, speed_of_data, speed_of_steps
from benchmarks.race import Race

ON_JAX = keras.backend.backend() == "jax"
TURNS = ("--steps=2", "--rounds=1", "--batch_size=2")
MICRO = (*TURNS, "--backbone=micro")
SHORT = (*TURNS, "--backbone=resnet8")  # which PyTorch and children know


def measured(*arguments, cwd):
    """Names of the numbers; the last line holds them all."""
    out, _ = programs.run("benchmark.py", *arguments, *MICRO, cwd=cwd)
    found = json.loads(out.splitlines()[-1])
    assert found.pop("what") == arguments[0]
    assert found.pop("backend") == keras.backend.backend()
    assert "cpu" in found.pop("device").lower()
    assert "keras" in found.pop("versions")
    assert arguments[0] in found.pop("command")
    ratios = found.pop("ratios")
    assert next(iter(ratios.values())) == 1
    assert all(value > 0 for value in found.values())
    assert set(ratios) <= set(found)
    return set(found)


@pytest.mark.slow
@programs.once("tensorflow")
def test_overhead(tmp_path):
    ours = "fit,stock_fit,default_fit"
    found = measured(
        *("overhead", f"--contenders={ours}", f"--trace={tmp_path}"),
        cwd=tmp_path,
    )
    assert found == {f"{name}_ms" for name in ours.split(",")}
    assert [*tmp_path.glob("plugins/profile/*/*.xplane.pb")]


@pytest.mark.slow
@programs.once("jax")
def test_train(tmp_path, monkeypatch):
    monkeypatch.setattr(speed_of_steps, "SEEDS", 2)
    ours = ["fit", "stock_fit", "device_fit", "scan"]
    ours += ["3_seeds", "3_seeds_in_turn"]
    found = measured(
        *("train", "--image_size=8", f"--contenders={','.join(ours)}"),
        cwd=tmp_path,
    )
    shares = {"achieved_flops", "matmul_flops", "share_of_matmul"}
    assert found == {f"{name}_per_s" for name in ours} | shares


@pytest.mark.slow
@programs.once("tensorflow")
def test_lines_tell_what_is_known(tmp_path, monkeypatch):
    """Also of processes of their own, which begin without our settings."""
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "1")
    started, own = [], child.subprocess.Popen

    def popen(*arguments, env, **options):
        started.append(env)
        return own(*arguments, env=env, **options)

    monkeypatch.setattr(child.subprocess, "Popen", popen)
    out, err = programs.run(
        *("benchmark.py", "train", "--contenders=fit,untuned_fit", *SHORT),
        "--image_size=8",
        cwd=tmp_path,
    )
    lines = [json.loads(line) for line in out.splitlines() if line[0] == "{"]
    (environment,) = started
    assert environment["KERAS_LT_CPU"] == "off"
    assert not {"TF_ENABLE_ONEDNN_OPTS", "XLA_FLAGS"} & set(environment)
    assert "untuned_fit: is built and compiled" in err
    told = [(line["contender"], line["rounds"]) for line in lines[:-1]]
    names = ("fit", "untuned_fit")
    assert told == [(name, turns) for turns in (0, 1) for name in names]
    assert [line["unit"] for line in lines[:-1]] == ["images/s"] * 4
    assert lines[-2]["ratio"] == pytest.approx(
        lines[-1]["untuned_fit_per_s"] / lines[-1]["fit_per_s"], rel=1e-3
    )


@pytest.mark.slow
def test_routing(tmp_path):
    found = measured("routing", "--image_size=8", cwd=tmp_path)
    assert {"all_experts_ms", "one_network_ms", "routed_0.3_ms"} <= found
    assert "routed_0.3_experts" in found


@pytest.mark.slow
@programs.once("jax")
@pytest.mark.parametrize("what", ["overhead", "train"])
def test_torch_takes_part_where_it_is_installed(what, tmp_path):
    contenders = "fit,torch_eager,torch_channels_last"
    options = ("--image_size=8", "--precision=mixed_bfloat16")
    known = SHORT if importlib.util.find_spec("torch") else MICRO
    if known is MICRO and what == "train":
        pytest.skip("PyTorch is not installed")
    out, _ = programs.run(
        *("benchmark.py", what, f"--contenders={contenders}", *known, *options),
        cwd=tmp_path,
    )
    found = json.loads(out.splitlines()[-1])
    unit = "_ms" if what == "overhead" else "_per_s"
    if importlib.util.find_spec("torch"):
        assert {n + unit for n in contenders.split(",")} == set(found["ratios"])
    else:
        assert "torch_eager does not take part: PyTorch is not inst" in out


TORCH = """
import json, torch
from benchmarks import torch_reference
parameters = torch.nn.Linear(2, 2).parameters()
print(torch_reference._optimizer(parameters, False).defaults["fused"])
images = torch.ones((4, 3, 8, 8)), torch.tensor([0, 1, 0, 0])
options = {"depth": 8, "layout": torch.channels_last, "compiled": False}
for bfloat16 in (False, True):
    torch.manual_seed(0)
    steps = torch_reference.train(
        "ride", [images], [3, 2], bfloat16=bfloat16, **options
    )
    print(json.dumps([float(next(steps)) for _ in range(2)]))
"""


@pytest.mark.slow
@programs.once("jax")
def test_torch_trains_with_its_best_settings():
    """A fused optimizer; in bfloat16 as in float32, but for rounding."""
    if not importlib.util.find_spec("torch"):
        pytest.skip("PyTorch is not installed")
    done = subprocess.run(  # PyTorch does not bear all that is loaded here
        [sys.executable, "-c", TORCH],
        cwd=programs.ROOT / "experiments",
        capture_output=True,
        text=True,
        check=True,
    )
    fused, *losses = done.stdout.splitlines()
    assert fused == "True"
    single, half = map(json.loads, losses)
    assert single != half
    np.testing.assert_allclose(half, single, rtol=0.05)


@programs.once("jax")
@pytest.mark.parametrize(
    ("turns", "minutes", "expected"),
    [(2, 0, 2), (None, 0, 3), (None, 1, 15)],
)
def test_rounds_of_a_race(turns, minutes, expected, capsys):
    """A contender may leave before it starts, at its start, or later."""
    seconds = iter([9.0, 9.0, 1.0, 2.0, 3.0, 4.0] + 20 * [5.0])

    def absent():
        raise child.Absent("no compiler")

    def late():
        if len(left) == 4:
            absent()
        return left.append(2.0) or 2.0

    left = []
    entries = {
        "away": absent,
        "broken": lambda: absent,
        "first": lambda: lambda: next(seconds),
        "late": lambda: late,
    }
    race = Race(entries, lambda name, seconds: 10 * seconds, "ms")
    found = race.run(turns, minutes)
    out = capsys.readouterr().out.splitlines()
    for name in ("away", "broken"):
        assert f"{name} does not take part: no compiler" in out
    told = [json.loads(line) for line in out if line[0] == "{"]
    assert told[0]["value"] == 90
    early = next(line for line in told if line["contender"] == "late")
    assert early == {
        "contender": "late",
        "value": 20,
        "unit": "ms",
        "ratio": 2,
        "rounds": 0,
    }
    rounds = [line["rounds"] for line in told if line["contender"] == "first"]
    assert rounds == [*range(expected + 1)]
    medians = {2: 25, 3: 30, 15: 50}  # of 2, 3, 4, 5, 5...
    assert found["first"] == medians[expected]
    assert ("late" in found) == (expected == 2)


@pytest.mark.slow
def test_input(tmp_path):
    pytest.importorskip("tensorflow")
    found = measured("input", cwd=tmp_path)
    assert {"numpy_two_views_per_s", "tf.data_crop_flip_per_s"} <= found


def test_sampler(tmp_path, monkeypatch):
    monkeypatch.setattr(speed_of_data, "IMAGES", 10_000)
    monkeypatch.setattr(speed_of_data, "CLASSES", 200)
    found = measured("sampler", cwd=tmp_path)
    assert {"class_per_s", "class_bytes_per_image"} <= found


def test_an_unknown_measurement(tmp_path):
    _, err = programs.run("benchmark.py", "speed", cwd=tmp_path, status=2)
    assert "WHAT must be one of ['overhead', 'train', 'input'" in err
    _, err = programs.run(
        "benchmark.py", "train", "--method=wb", cwd=tmp_path, status=2
    )
    assert "--method must be ce or ride, got 'wb'" in err
    _, err = programs.run(
        *("benchmark.py", "overhead", "--contenders=us", *SHORT),
        cwd=tmp_path,
        status=2,
    )
    assert "--contenders must be of" in err and "['us']" in err
    _, err = programs.run(
        *("benchmark.py", "overhead", "--precision=mixed_float16", *SHORT),
        cwd=tmp_path,
        status=2,
    )
    assert "--precision must be float32 or mixed_bfloat16" in err


@pytest.mark.slow
@programs.once("tensorflow")
def test_serving(tmp_path, monkeypatch):
    programs.ask_here(monkeypatch)
    found = measured("serving", "--image_size=8", cwd=tmp_path)
    names = {
        f"{name}_batch_{batch}_p{quantile}_ms"
        for name in ("single", "always_on", "routed")
        for batch in (1, 32, 256)
        for quantile in (50, 95)
    }
    assert found == names | {"routed_experts"}


@pytest.mark.slow
def test_communication(tmp_path):
    if not ON_JAX:
        _, err = programs.run(
            "benchmark.py", "communication", cwd=tmp_path, status=2
        )
        assert "needs --backend=jax" in err
        return
    out, _ = programs.run(
        *("benchmark.py", "communication", "--backbone=resnet8"),
        *("--image_size=8", "--classes=10"),
        cwd=tmp_path,
    )
    found = json.loads(out.splitlines()[-1])
    statistics = found["replica_bytes"] - found["parameter_bytes"]
    assert 0 < statistics < 0.02 * found["parameter_bytes"]
    assert found["sync_collectives"] > found["replica_collectives"] >= 1
    assert found["sync_projected_64_ms"] > found["replica_projected_64_ms"]


def test_collectives_are_read_from_a_program():
    program = """
  %a = (f32[3,2]{1,0}, bf16[5]{0}) all-reduce(%x, %y), channel_id=1
  %b = f32[] all-reduce-start(%z), to_apply=%add
  %c = s32[4]{0} all-gather(%w), dimensions={0}
  %d = f32[100]{0} add(%a, %b)
"""
    assert communication.collectives(program) == (24 + 10 + 4 + 16, 3)
