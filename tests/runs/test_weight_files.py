"""What lies around a state dict is named, not run."""

import numpy as np
import pytest

from keras_lt.runs import weight_files

torch = pytest.importorskip("torch")


class Settings:
    """As released code keeps its configuration beside the weights."""

    def __init__(self, value):
        self.value = value

    def __setstate__(self, state):
        raise AssertionError("code of a file runs")


@pytest.mark.parametrize("name", ["a.pth", "a.pth.tar", "a_best.paramOnly"])
def test_state_dicts_are_found_in_what_is_kept_with_them(name, tmp_path):
    state = torch.nn.BatchNorm2d(3).state_dict()
    kept = {"arch": "net", "state_dict": state, "config": Settings(7)}
    torch.save(kept | {"optimizer": {"state": {}}}, tmp_path / name)
    found, beside = weight_files.read_state(tmp_path / name, "FILE")
    assert found.keys() == state.keys()
    np.testing.assert_array_equal(found["weight"], np.ones(3))
    assert beside == ["arch", "config", "optimizer"]
    assert weight_files.read(tmp_path / name).keys() == state.keys()


def test_state_dicts_alone_have_nothing_beside_them(tmp_path):
    torch.save(torch.nn.Linear(2, 3).state_dict(), tmp_path / "a.pth")
    found, beside = weight_files.read_state(tmp_path / "a.pth", "FILE")
    assert {name: array.shape for name, array in found.items()} == {
        "weight": (3, 2),
        "bias": (3,),
    }
    assert not beside


def test_values_that_are_no_tensors_are_refused(tmp_path):
    torch.save({"state_dict": {"weight": Settings(1)}}, tmp_path / "a.pth")
    with pytest.raises(ValueError, match="FILE: .*holds no state dict"):
        weight_files.read_state(tmp_path / "a.pth", "FILE")


def test_a_model_of_keras_is_no_state_dict(tmp_path):
    with pytest.raises(ValueError, match="FILE must be a file .npz.*a.keras"):
        weight_files.read_state(tmp_path / "a.keras", "FILE")
