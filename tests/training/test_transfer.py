import keras
import numpy as np
import pytest
import toy

from keras_lt.models import multi_expert
from keras_lt.training import (
    Recipe,
    Stage,
    copy_weights,
    read_weights,
    rehearse,
    run,
)
from keras_lt.training.transfer import (
    named_variables,
    restore_weights,
    write_weights,
)

JIT = False if keras.backend.backend() == "tensorflow" else "auto"


def dense(units=3, name="head"):
    images = keras.Input((8, 8, 1))
    flat = keras.layers.Flatten()(images)
    hidden = keras.Sequential([keras.layers.Dense(4, name="in")], name="body")
    return keras.Model(
        images, keras.layers.Dense(units, name=name)(hidden(flat))
    )


def weights(model):
    return {n: np.array(variable) for n, variable in named_variables(model)}


def test_names_are_unique():
    model = multi_expert("micro", toy.problem(), num_experts=2, width=4)
    names = [name for name, _ in named_variables(model)]
    assert len(set(names)) == len(names) == len(model.variables)
    assert {"expert1_head/kernel", "trunk/stem_conv/kernel"} <= set(names)
    for number in (1, 2):
        name = f"expert{number}/stage2_block1_1_conv/kernel"
        assert name in names


def test_copies_by_name():
    source, target = dense(), dense()
    wider = keras.Model(
        source.inputs,
        [
            *source.outputs,
            keras.layers.Dense(2, name="more")(source.outputs[0]),
        ],
    )
    copy_weights(wider, target)
    ours, theirs = weights(target), weights(source)
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name])


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"name": "other"}, "no variable 'head/kernel'"),
        ({"units": 2}, r"'head/kernel' has shape \(4, 2\).*\(4, 3\) here"),
    ],
    ids=str,
)
def test_nothing_is_set_where_a_name_is_missing(source, message):
    target = dense()
    before = weights(target)
    with pytest.raises(ValueError, match=message):
        copy_weights(dense(**source), target)
    for name, value in weights(target).items():
        np.testing.assert_array_equal(value, before[name])


def test_random_states_stay():
    def dropping(seed):
        images = keras.Input((2,))
        x = keras.layers.Dense(3, name="in")(images)
        x = keras.layers.Dropout(0.5, seed=seed, name="drop")(x)
        return keras.Model(images, x)

    source, target = dropping(1), dropping(2)
    name = "drop/seed_generator_state"
    before = weights(target)[name]
    assert (before != weights(source)[name]).any()
    copy_weights(source, target)
    np.testing.assert_array_equal(weights(target)[name], before)
    np.testing.assert_array_equal(
        weights(target)["in/kernel"], weights(source)["in/kernel"]
    )


def test_weights_of_a_larger_model_are_refused(tmp_path):
    target = dense()
    more = keras.layers.Dense(2, name="more")(target.outputs[0])
    larger = keras.Model(target.inputs, more)
    write_weights(tmp_path / "larger.npz", larger)
    for variable in target.variables:
        variable.assign(np.zeros(variable.shape))
    message = r"larger.npz holds 6 variables, the model has 4"
    with pytest.raises(ValueError, match=message):
        restore_weights(tmp_path / "larger.npz", target)
    for value in weights(target).values():
        assert not value.any()  # nothing is set


class Calls:
    """Pickled, it is a call."""

    def __reduce__(self):
        return pytest.fail, ("code of a file runs",)


def test_no_code_of_a_file_runs(tmp_path):
    held = {"head/kernel": np.array([Calls()], dtype=object)}
    np.savez(tmp_path / "weights.npz", **held)
    with pytest.raises(ValueError, match="weights.npz is no file of arrays"):
        read_weights(tmp_path / "weights.npz")


def recipe(**later):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    options = {"loss": loss, "batch_size": 16, "epochs": 2}

    def sgd(steps):
        return keras.optimizers.SGD(0.01)

    return Recipe(
        build=dense,
        stages=(
            Stage(name="first", optimizer=sgd, **options),
            Stage(name="second", **({"optimizer": sgd} | options | later)),
        ),
    )


def train(start, workdir=None, callbacks=(), **later):
    return run(
        recipe(**later),
        toy.loader(),
        start=start,
        workdir=workdir,
        callbacks=lambda stage: callbacks,
        checkpoint_seconds=0,
        verbose=False,
        jit_compile=JIT,
    )


def test_starts_at_a_later_stage(tmp_path):
    source = dense()
    begun = []

    def setup(model):
        begun.append(weights(model))
        return model

    outcome = train(("second", source), setup=setup)
    for name, value in weights(source).items():
        np.testing.assert_array_equal(begun[0][name], value)
    assert list(outcome.records) == ["second"]
    assert outcome.images == 2 * sum(toy.COUNTS)
    # A kill inside of the stage does not change the end.
    with pytest.raises(InterruptedError):
        train(("second", source), tmp_path, [toy.KillIn(1)])
    resumed = train(("second", source), tmp_path)
    for name, value in weights(outcome.model).items():
        np.testing.assert_array_equal(weights(resumed.model)[name], value)
    assert not (tmp_path / "stages" / "0-first.npz").exists()


def test_starts_by_a_function():
    begun = []
    start = ("second", lambda model: begun.append(weights(model)))
    rehearse(recipe(), toy.loader(), start=start)
    assert [*begun[0]] == [*weights(dense())]


def test_starts_the_first_stage_from_weights():
    source = dense()
    whole = train(("first", source), epochs=0)
    other = train(None, epochs=0)
    assert list(whole.records) == ["first", "second"]
    a, b = weights(whole.model), weights(other.model)
    assert any(not np.allclose(a[name], b[name], atol=1e-3) for name in a)
    distance = max(
        np.abs(a[name] - value).max() for name, value in weights(source).items()
    )
    assert distance < np.abs(a["head/kernel"] - b["head/kernel"]).max()


@pytest.mark.parametrize(
    ("stage", "source", "later", "message"),
    [
        ("third", {}, {}, r"one of the stages \['first', 'second'\].*'third'"),
        ("second", {}, {"optimizer": None}, "carries on with the optimizer"),
        ("second", {"name": "other"}, {}, "no variable 'head/kernel'"),
    ],
)
def test_bad_starts_fail_before_training(stage, source, later, message):
    with pytest.raises(ValueError, match=message):
        rehearse(recipe(**later), toy.loader(), start=(stage, dense(**source)))
