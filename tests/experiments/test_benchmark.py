import json

import keras
import programs
import pytest

ON_JAX = keras.backend.backend() == "jax"
SHORT = ("--steps=2", "--rounds=1", "--batch_size=2")


def measured(*arguments, cwd):
    out, _ = programs.run("benchmark.py", *arguments, *SHORT, cwd=cwd)
    found = json.loads(out.splitlines()[-1])
    assert all(value > 0 for value in found.values())
    return found


def test_overhead(tmp_path):
    found = measured("overhead", "--backbone=resnet8", cwd=tmp_path)
    names = {"fit_ms", "stock_fit_ms", "default_fit_ms"}
    assert set(found) == names | ({"scan_ms"} if ON_JAX else set())


def test_input(tmp_path):
    pytest.importorskip("tensorflow")
    found = measured("input", cwd=tmp_path)
    assert {"numpy_two_views_per_s", "tf.data_crop_flip_per_s"} <= set(found)


def test_sampler(tmp_path):
    found = measured("sampler", cwd=tmp_path)
    assert {"class_per_s", "class_bytes_per_image"} <= set(found)


def test_an_unknown_measurement(tmp_path):
    _, err = programs.run("benchmark.py", "speed", cwd=tmp_path, status=2)
    assert "WHAT must be one of ['overhead', 'input', 'sampler']" in err
