"""Weights of released code give the released answers, and go back whole."""

import keras
import numpy as np
import programs
import pytest
import released_layout as there
import torch_layout

from keras_lt import models
from keras_lt.models import anatomy, from_released, to_released
from keras_lt.models.released import classes_from_the_rarest, first_branches
from keras_lt.problem import Problem

pytestmark = programs.once("tensorflow")
PROBLEM = Problem((8, 8, 1), (9, 5, 2), (0.4,), (0.3,))
PIXELS = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 1))
NORMALISED = ((PIXELS / 255 - 0.4) / 0.3).transpose(0, 3, 1, 2)
KINDS = {
    "ldam": ("ldam", there.ldam),
    "ldam linear": ("ldam", lambda: there.ldam(cosine=False)),
    "ride": ("ride", there.ride),
    "ride routed": ("ride", lambda: there.ride(top_k=2)),
    "reslt": ("reslt", there.reslt),
    "reslt large": ("reslt", there.reslt_large),
    "wb": ("wb", there.wb),
    "ssd first": ("ssd", lambda: there.ssd("self_supervised")),
    "ssd second": ("ssd", lambda: there.ssd("soft_labels")),
    "ssd third": ("ssd", lambda: there.ssd("distill")),
}


def agree(model, wanted, training=False):
    found = keras.ops.convert_to_numpy(model(PIXELS, training=training))
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_way_back_is_whole(kind):
    layout, make = KINDS[kind]
    state = make()
    back = to_released(from_released(state, layout, PROBLEM), layout)
    assert back.keys() == state.keys()
    for name, array in state.items():
        if name.endswith("num_batches_tracked"):
            assert back[name].shape == () and back[name].dtype == "int64"
        else:
            np.testing.assert_array_equal(back[name], array)
            assert back[name].dtype == array.dtype


@pytest.mark.parametrize("training", [False, True])
def test_ldam_answers(training):
    state = there.ldam()
    x = there.maps(
        state, NORMALISED, ("layer1", "layer2", "layer3"), training=training
    )
    wanted = 30 * there.cosines(state, "linear", x.mean((2, 3)))
    agree(from_released(state, "ldam", PROBLEM), wanted, training)
    state = there.ldam(cosine=False)
    x = there.maps(
        state, NORMALISED, ("layer1", "layer2", "layer3"), training=training
    )
    wanted = there.linear(state, "linear", x.mean((2, 3)))
    agree(from_released(state, "ldam", PROBLEM), wanted, training)


@pytest.mark.slow
def test_ride_answers():
    state = there.ride(top_k=2)
    state = {n.removeprefix("backbone."): a for n, a in state.items()}
    features = [there.expert_features(state, NORMALISED, i) for i in range(3)]
    logits = [
        30 * there.cosines(state, f"linears.{i}", x)
        for i, x in enumerate(features)
    ]
    # Some images go on after the first expert, and some do not.
    routes = np.sort(there.routes(state, features[0], logits[0], 0, 2))
    state["expert_help_pred_fc.bias"] -= (routes[1] + routes[2]) / 2
    model = from_released(state, "ride", PROBLEM)
    agree(models.ensemble(model), np.mean(logits, 0))
    total, used = logits[0].copy(), np.ones(5)
    active = np.ones(5, bool)
    for i in (1, 2):
        running = total / used[:, None]
        active &= there.routes(state, features[i - 1], running, i - 1, 2) > 0
        total[active] += logits[i][active]
        used[active] += 1
    assert len({*used}) > 1
    agree(models.early_exit(model), total / used[:, None])


def test_reslt_answers():
    state = there.reslt()
    wanted = there.branches(state, NORMALISED)
    agree(from_released(state, "reslt", PROBLEM), wanted)


def large_branches(state):
    """Logits `(B, 3, C)` while training, but on moving statistics."""
    x = torch_layout.last_maps(state, NORMALISED)
    x = torch_layout.conv_norm(state, "finalBlock.0", "finalBlock.1", x, 1)
    wide = np.maximum(x, 0).mean((2, 3)).reshape(len(x), -1, 32)
    return there.linear(state, "fc", wide)


def test_large_reslt_answers():
    state = there.reslt_large()
    model = from_released(state, "reslt", PROBLEM)
    agree(model, large_branches(state))
    served = models.fused(model, tau=0.7)
    features = torch_layout.last_maps(state, NORMALISED).mean(
        (2, 3), keepdims=True
    )
    x = torch_layout.conv_norm(
        state, "finalBlock.0", "finalBlock.1", features, 1
    )
    wide = np.maximum(x, 0).reshape(5, -1, 32).sum(1)
    kernel = state["fc.weight"]
    norms = np.linalg.norm(kernel, axis=1, keepdims=True)
    agree(served, wide @ (kernel / norms**0.7).T)
    assert to_released(served, "reslt").keys() == state.keys()


def test_wb_answers():
    state = there.wb()
    plain = {n.removeprefix("encoder."): a for n, a in state.items()}
    wanted = torch_layout.forward(plain, NORMALISED)
    agree(from_released(state, "wb", PROBLEM), wanted)


def encoded(state, prefix):
    state = {n.removeprefix(prefix): a for n, a in state.items()}
    return torch_layout.last_maps(state, NORMALISED).mean((2, 3))


def test_ssd_answers():
    state = there.ssd("self_supervised")
    model = from_released(state, "ssd", PROBLEM)
    x = encoded(state, "encoder_q.")
    wanted = there.linear(state, "classifier", x)
    agree(models.plain_classifier(model), wanted)
    contrast = anatomy.contrast(model)
    np.testing.assert_array_equal(contrast.queue, state["queue"].T)
    state = there.ssd("soft_labels")
    wanted = there.linear(state, "classifier.fc", encoded(state, "encoder."))
    wanted = wanted * state["classifier.scales"]
    agree(from_released(state, "ssd", PROBLEM), wanted)
    state = there.ssd("distill")
    x = encoded(state, "encoder_q.")
    lesson = there.linear(
        state, "classifier_t.fc", encoded(state, "encoder_t.")
    )
    each = (
        there.linear(state, "classifier_kd", x),
        there.linear(state, "classifier", x),
        lesson * state["classifier_t.scales"],
    )
    agree(from_released(state, "ssd", PROBLEM), np.stack(each, 1))


def test_one_expert_has_other_names():
    model = models.multi_expert(
        "resnet8", PROBLEM, num_experts=1, width=4, head="linear"
    )
    state = to_released(model, "ride")
    assert state["backbone.layer2.0.conv1.weight"].shape == (6, 4, 3, 3)
    assert state["backbone.linear.weight"].shape == (3, 12)
    again = from_released(state, "ride", PROBLEM)
    for variable, wanted in zip(again.weights, model.weights, strict=True):
        np.testing.assert_array_equal(variable, wanted)


def test_experts_of_branches_go_there_and_back():
    model = models.branched_classifier(
        "resnet10",
        PROBLEM,
        form="convolution",
        num_experts=2,
        width=4,
    )
    state = to_released(model, "reslt")
    assert state["ResLTBlocks.1.0.weight"].shape == (72, 24, 1, 1)
    assert state["layer3s.1.0.downsample.0.weight"].shape == (12, 8, 1, 1)
    assert state["linears.0.weight"].shape == (3, 24)
    again = from_released(state, "reslt", PROBLEM)
    for variable, wanted in zip(again.weights, model.weights, strict=True):
        np.testing.assert_array_equal(variable, wanted)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnext50", "resnet50"])
def test_deep_networks_are_known_by_their_shapes(name):
    model = models.classifier(name, PROBLEM, width=16)
    state = to_released(model, "ldam")
    network = models.released_network(state, "ldam")
    assert (network.backbone, network.width) == (name, 16)
    assert (network.channels, network.num_classes) == (1, 3)


def test_experts_are_known_by_their_shapes():
    network = models.released_network(there.ride(top_k=2), "ride")
    assert (network.backbone, network.width) == ("resnet8", 4)
    assert (network.num_experts, network.thin) == (3, 0.75)
    assert (network.kind, network.head, network.top_k) == (
        *("routed", "cosine", 2),
    )
    network = models.released_network(there.ssd("self_supervised"), "ssd")
    assert (network.kind, network.queue_size) == ("self_supervised", 8)


@pytest.mark.parametrize("prefix", ["module.", "module.backbone.", ""])
def test_prefixes_may_be_there(prefix):
    plain = {n.removeprefix("backbone."): a for n, a in there.ride().items()}
    wanted = from_released(plain, "ride", PROBLEM)
    state = {prefix + name: array for name, array in plain.items()}
    found = from_released(state, "ride", PROBLEM)
    for mine, theirs in zip(found.weights, wanted.weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_all_that_does_not_fit_is_said_at_once():
    state = there.ldam()
    del state["bn1.bias"], state["layer2.0.bn2.running_var"]
    state["layer3.0.conv2.weight"] = np.zeros((16, 16, 1, 1))
    state |= {"extra.weight": np.zeros(3), "fc.num_batches_tracked": 0}
    with pytest.raises(ValueError) as error:
        from_released(state, "ldam", PROBLEM)
    assert str(error.value) == (
        "`state` does not fit; unknown: extra.weight, fc.num_batches_tracked; "
        "missing: bn1.bias, layer2.0.bn2.running_var; of another shape: "
        "layer3.0.conv2.weight with (16, 16, 1, 1) instead of (16, 16, 3, 3)"
    )


@pytest.mark.parametrize(
    ("layout", "state", "message"),
    [
        ("paco", there.ldam(), r"`layout` must be one of \['ride', .*'paco'"),
        ("wb", there.ldam(), r"of no network of ShadeAlsha.*'encoder.fc.weig"),
        ("ldam", {}, "it must have one of .* got 0 entries"),
        (
            "ldam",
            {n: a for n, a in there.ldam().items() if n != "conv1.weight"},
            "must have 'conv1.weight' with 4 axes, got none",
        ),
        (
            "ldam",
            there.ldam() | {"linear.weight": np.zeros(3)},
            r"'linear.weight' with 2 axes, got shape \(3,\)",
        ),
        (
            "ldam",
            there.ldam() | {"layer1.1.conv1.weight": np.zeros((4, 4, 3, 3))},
            r"stem of 3x3 pixels, then \(2, 1, 1\) blocks of 2 convolutions",
        ),
        ("ldam", there.ldam(classes=4), "must have the 4 classes .*, got 3"),
    ],
)
def test_states_that_are_refused(layout, state, message):
    with pytest.raises(ValueError, match=message):
        from_released(state, layout, PROBLEM)


def test_models_that_are_refused():
    model = models.classifier("resnet8", PROBLEM, width=4)
    message = r"no network of MCG-NJU/SSD-LT has the parts .*\['encoder', 'hea"
    with pytest.raises(ValueError, match=message):
        to_released(model, "ssd")
    to_released(models.scaled_classifier(model), "ssd")


def test_classes_get_another_order():
    state, order = there.reslt_large(), (1, 2, 0)  # class 0 there is 1 here
    model = from_released(state, "reslt", PROBLEM, class_order=order)
    found = keras.ops.convert_to_numpy(model(PIXELS))
    wanted = large_branches(state)
    for number, mine in enumerate(order):
        np.testing.assert_allclose(
            found[..., mine], wanted[..., number], rtol=1e-4, atol=1e-5
        )
    back = to_released(model, "reslt", class_order=order)
    np.testing.assert_array_equal(back["fc.weight"], state["fc.weight"])
    np.testing.assert_array_equal(back["fc.bias"], state["fc.bias"])
    served = to_released(models.fused(model, tau=1), "reslt", class_order=order)
    np.testing.assert_array_equal(served["fc.weight"], state["fc.weight"])
    with pytest.raises(ValueError, match=r"each of the 3 classes once.*0, 0"):
        from_released(state, "reslt", PROBLEM, class_order=(0, 0, 1))


def test_branches_that_were_not_trained_are_left_out():
    state = there.reslt_large()
    model = from_released(first_branches(state, 2), "reslt", PROBLEM)
    agree(model, large_branches(state)[:, :2])


def test_ties_are_sorted_as_an_older_numpy_did():
    """`np.argsort` of numpy 2.4 with NPY_DISABLE_CPU_FEATURES=X86_V3."""
    counts = [3, 1, 2, 2, 1, 3, 1, 1, 2, 3, 3, 2, 1, 2, 3, 1, 2, 3, 1, 2]
    found = classes_from_the_rarest(counts)
    assert found[:10] == (1, 4, 6, 7, 18, 12, 15, 19, 2, 3)
    assert found[10:] == (8, 16, 11, 13, 17, 0, 10, 5, 14, 9)
    assert found != (*np.argsort(counts, kind="stable"),)
