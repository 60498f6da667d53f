import inspect
import typing

import pytest
import toy

from keras_lt.methods import METHODS, Method, crossentropy, wb
from keras_lt.methods.following import THEN
from keras_lt.methods.settings.shared import SGDSettings

CE = METHODS["ce"]


def sgd(recipe):
    return recipe.stages[0].optimizer(1)


def test_hyperparameters_are_flat():
    (stage,) = CE(toy.problem(), l2=0.25, epochs=(3,)).stages
    assert (stage.epochs, stage.optimizer(1).l2) == (3, 0.25)
    whole = CE(toy.problem(), sgd=SGDSettings(l2=0.5, momentum=0.1))
    assert (sgd(whole).l2, sgd(whole).momentum) == (0.5, 0.1)


def test_an_unknown_name():
    with pytest.raises(TypeError, match="'widht'; did you mean 'width'"):
        CE(toy.problem(), widht=4)
    with pytest.raises(TypeError, match="no hyperparameter 'network'"):
        CE(toy.problem(), network=4)


def test_what_is_known_of_hyperparameters():
    names = [
        *("backbone", "width", "lr", "momentum", "nesterov", "l2", "epochs"),
        *("factor", "warmup_epochs", "batch_size", "sampler"),
    ]
    known = (CE.defaults, CE.hints, CE.descriptions)
    assert [[*each] for each in known] == [names] * 3
    assert CE.defaults["epochs"] == (200,)
    assert CE.hints["width"] == int | None
    assert CE.descriptions["l2"].startswith("Weight decay, coupled")
    assert "resnet34" in wb.recipe.descriptions["backbone"]


def test_looks_like_a_function():
    assert [*inspect.signature(CE).parameters] == ["problem", *CE.defaults]
    assert typing.get_type_hints(CE) == CE.hints
    assert "    lr: Learning rate after" in inspect.getdoc(CE)
    assert "sgd:" not in inspect.getdoc(CE)
    assert CE.__module__ == crossentropy.__name__


def test_stages_that_follow_bring_hyperparameters():
    method = CE.then(["crt"]).then(["tau"])
    assert isinstance(method, Method) and method.after == ("crt", "tau")
    new = [name for name in method.defaults if name not in CE.defaults]
    assert new == [
        *("crt_epochs", "crt_lr", "crt_momentum", "crt_l2", "crt_batch_size"),
        *("crt_sampler", "crt_statistics", "tau_exponent", "tau_bias"),
    ]
    assert method.presets["digits"]["crt_lr"] == 0.05
    assert method.presets["digits"]["lr"] == CE.presets["digits"]["lr"]
    assert "crt_lr" not in CE.presets["digits"]
    assert method.presets["inaturalist2018"]["crt_epochs"] == 30
    made = method(toy.problem(), batch_size=7, crt_l2=0.5, crt_epochs=4)
    train, crt, tau = made.stages
    assert (train.batch_size, crt.batch_size) == (7, 7)
    assert (crt.epochs, crt.optimizer(1).l2, tau.epochs) == (4, 0.5, 0)
    made = method(toy.problem(), crt_epochs=0)
    assert [stage.name for stage in made.stages] == ["train", "tau"]
    made = method(toy.problem(), crt_batch_size=9)
    assert made.stages[1].batch_size == 9


def test_variants_of_a_preset():
    reslt = METHODS["reslt"]
    for given, lr in (
        ({}, 0.1),
        ({"num_experts": 3}, 0.05),
        ({"num_experts": 2}, 0.1),  # which was not published
        ({"backbone": "resnext101"}, 0.05),
    ):
        for method in (reslt, reslt.then(["crt"])):
            found = method.published("imagenet_lt", given)
            assert set(found) == set(method.defaults)
            assert (found["lr"], found["tau"]) == (lr, 0.7)
            assert found["num_experts"] == 1  # what is asked for stays outside
    for family in ("cifar", "unknown"):
        assert reslt.published(family, {"num_experts": 3}) == reslt.defaults


@pytest.mark.parametrize("name", METHODS)
def test_variants_name_hyperparameters(name):
    method = METHODS[name]
    for family, variants in method.variants.items():
        assert family in method.presets
        for variant in variants:
            assert variant.given and variant.values
            assert {*variant.given, *variant.values} <= set(method.defaults)


# Nothing follows `auto`, which chooses what does.
@pytest.mark.parametrize("name", sorted(METHODS.keys() - {"auto"}))
def test_no_names_clash(name):
    after = [stage for stage in THEN if stage not in METHODS[name].after]
    every = METHODS[name].then(after)
    parts = [METHODS[name].then([stage]) for stage in after]
    own = len(METHODS[name].defaults)
    assert len(every.defaults) == own + sum(
        len(part.defaults) - own for part in parts
    )
    for preset in every.presets.values():
        assert set(preset) <= set(every.defaults)
        assert every(toy.problem(), **preset).stages


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["crd"], "no stage 'crd'; did you mean 'crt'"),
        (["crt", "crt"], r"must differ.*\['crt', 'crt'\]"),
        (["ncm", "tau"], "'ncm' be the last one"),
    ],
)
def test_stages_that_cannot_follow(names, message):
    with pytest.raises(ValueError, match=message):
        CE.then(names)


def test_epochs_are_scaled():
    method = METHODS["ride"].then(["crt", "tau"])
    values = method.defaults | {"epochs": (160, 0, 5), "warmup_epochs": 20}
    scaled = method.scale_epochs(values, 0.1)
    assert scaled["epochs"] == (16, 0, 2)
    assert scaled["crt_epochs"] == 2
    changed = {name for name in values if scaled[name] != values[name]}
    assert changed == {"epochs", "crt_epochs", "warmup_epochs"}
    assert scaled["warmup_epochs"] == 2
    assert method.scale_epochs(values, 0.01)["warmup_epochs"] == 1
