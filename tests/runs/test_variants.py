import pytest

from keras_lt.runs import variants
from keras_lt.runs.options import Choice, Conditions
from keras_lt.runs.variants import make_variants


def made(*, conditions=None, **choice):
    return make_variants(Choice(**choice), conditions or Conditions())


def test_one_chain_is_part_of_every_line():
    lines = made(method=("ce", "ldam"), then=(" crt, tau",))
    assert [(line.name, line.then) for line in lines] == [
        ("ce", ("crt", "tau")),
        ("ldam", ("crt", "tau")),
    ]
    assert not any(line.goes_on for line in lines)
    assert all(line.method.after == line.then for line in lines)
    (line,) = made(method=("ce",), then=("",))
    assert line.then == ()


def test_several_go_on_from_the_method_alone():
    then = ("crt", "lws,tau", "crt")
    lines = made(method=("ce", "ldam"), then=then)
    chains = [(), ("crt",), ("lws", "tau")]
    assert [line.name for line in lines] == ["ce"] * 3 + ["ldam"] * 3
    assert [line.then for line in lines] == chains * 2
    assert [line.goes_on for line in lines] == [False, True, True] * 2


def test_a_finished_run_takes_the_place_of_the_method_alone(tmp_path):
    run = Conditions(init_from=str(tmp_path))
    lines = made(method=("ce",), then=("crt", "tau"), conditions=run)
    assert [line.then for line in lines] == [("crt",), ("tau",)]
    assert not any(line.goes_on for line in lines)
    for start in (
        {"init_from": str(tmp_path), "from_stage": "train"},
        {"init_from": "encoder.npz"},
    ):
        conditions = Conditions(**start)
        lines = made(method=("ce",), then=("crt", "tau"), conditions=conditions)
        assert [line.goes_on for line in lines] == [False, True, True]


def test_each_line_takes_the_settings_that_are_its_own():
    settings = ("lr=0.2", "crt_lr=0.3", "tau_exponent=0.5")
    lines = made(method=("ce",), then=("crt", "tau"), set=settings)
    assert [dict(line.settings) for line in lines] == [
        {"lr": 0.2},
        {"lr": 0.2, "crt_lr": 0.3},
        {"lr": 0.2, "tau_exponent": 0.5},
    ]


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"set": ("crt_rl=1",)}, "no hyperparameter 'crt_rl'"),
        ({"set": ("lws_lr=1",)}, "no hyperparameter 'lws_lr'"),
        ({"set": ("lr",)}, "--set must be NAME=VALUE, got 'lr'"),
        ({"set": ("crt_epochs=0",)}, "leaves out the stage .* --then=crt"),
        ({"sweep": ("lr=1,2",)}, "--sweep needs one --then, got"),
    ],
)
def test_what_says_nothing(choice, message):
    with pytest.raises(ValueError, match=message):
        made(method=("ce",), then=("crt", "tau"), **choice)


def test_several_processes_need_a_finished_run(monkeypatch, tmp_path):
    monkeypatch.setattr(variants, "processes", lambda: (0, 2))
    with pytest.raises(ValueError, match="several processes need"):
        made(method=("ce",), then=("crt", "tau"))
    run = Conditions(init_from=str(tmp_path))
    assert made(method=("ce",), then=("crt", "tau"), conditions=run)
    assert made(method=("ce",), then=("crt",))


def test_values_that_are_swept_twice_make_one_line():
    lines = made(method=("ce",), sweep=("lr=0.1,0.10,0.2", "lr=0.2"))
    assert [line.shown for line in lines] == [{"lr": 0.1}, {"lr": 0.2}]
