import types

import plan
import pytest

from keras_lt import data

SOURCE = data.DATASETS["digits_lt"]


def flags(**options):
    defaults = {"batch_size": None, "lr_scaling": "none", "epochs_scale": 1}
    return types.SimpleNamespace(**defaults | options)


@pytest.mark.parametrize("scaling", ["none", "linear"])
def test_learning_rates_of_another_batch_size(scaling):
    own = plan._hyperparameters("wb", SOURCE, {}, flags())
    batch = 4 * own["batch_size"]
    chosen = {"head_lr": 0.5}
    found = plan._hyperparameters(
        "wb", SOURCE, chosen, flags(batch_size=batch, lr_scaling=scaling)
    )
    factor = 4 if scaling == "linear" else 1
    changed = {"batch_size": batch, "lr": factor * own["lr"], "head_lr": 0.5}
    assert found == own | changed


def test_every_batch_is_computed_in_parts(monkeypatch):
    values = {"batch_size": 96, "scales_batch_size": 48, "other": 7}
    monkeypatch.setattr(plan, "replicas", lambda: 2)
    found = plan._parts(values, flags(accumulate_steps=3))
    assert found == {"batch_size": 32, "scales_batch_size": 16, "other": 7}
    none = values | {"scales_batch_size": None}
    found = plan._parts(none, flags(accumulate_steps=3))
    assert found == none | {"batch_size": 32}
    with pytest.raises(ValueError, match="batch_size 48 does not divide"):
        plan._parts(values, flags(accumulate_steps=16))
