import importlib.util
import json

import communication
import keras
import programs
import pytest
import speed_of_data
import speed_of_steps
from absl import flags

ON_JAX = keras.backend.backend() == "jax"
OURS = "fit,stock_fit,default_fit" + ",scan" * ON_JAX
SHORT = ("--steps=2", "--rounds=1", "--batch_size=2", "--backbone=resnet8")


def measured(*arguments, cwd):
    """Names of the numbers; the last line holds them all."""
    out, _ = programs.run("benchmark.py", *arguments, *SHORT, cwd=cwd)
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


@programs.once("jax")
def test_overhead(tmp_path):
    found = measured("overhead", f"--contenders={OURS}", cwd=tmp_path)
    names = {"fit_ms", "stock_fit_ms", "default_fit_ms"}
    assert found == names | ({"scan_ms"} if ON_JAX else set())


@programs.once("jax")
def test_train(tmp_path, monkeypatch):
    monkeypatch.setattr(speed_of_steps, "SEEDS", 2)
    ours = "fit,stock_fit"
    if ON_JAX:
        ours += ",device_fit,scan,2_seeds"
    found = measured(
        *("train", "--image_size=8", f"--contenders={ours}"), cwd=tmp_path
    )
    names = {"fit_per_s", "stock_fit_per_s", "share_of_matmul"}
    only_jax = {"device_fit_per_s", "scan_per_s", "2_seeds_per_s"}
    assert names <= found
    assert (only_jax <= found) == ON_JAX


def test_routing(tmp_path):
    found = measured("routing", "--image_size=8", cwd=tmp_path)
    assert {"all_experts_ms", "one_network_ms", "routed_0.3_ms"} <= found
    assert "routed_0.3_experts" in found


def test_torch_takes_part_where_it_is_installed(tmp_path, capsys):
    values = flags.FlagValues()
    flags.DEFINE_list("contenders", None, "", flag_values=values)
    flags.DEFINE_string("backbone", "resnet8", "", flag_values=values)
    flags.DEFINE_integer("steps", 1, "", flag_values=values)
    values.mark_as_parsed()
    counts, installed = (3, 2), importlib.util.find_spec("torch")
    found = speed_of_steps._torch(values, "ride", counts, 8, 2, workers=0)
    if installed:
        assert found.keys() >= {"torch_eager", "torch_channels_last"}
        assert found["torch_eager"]() > 0
    else:
        assert found == {}
        assert "PyTorch is not installed" in capsys.readouterr().out


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


@programs.once("jax")
def test_serving(tmp_path):
    found = measured("serving", "--image_size=8", cwd=tmp_path)
    names = {
        f"{name}_batch_{batch}_p{quantile}_ms"
        for name in ("single", "always_on", "routed")
        for batch in (1, 32, 256)
        for quantile in (50, 95)
    }
    assert found == names | {"routed_experts"}


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
