"""Keys of a batch in another order, and statistics of parts of it."""

import contextlib

import keras
import numpy as np
import programs
import pytest
import tiny
import toy

from keras_lt.layers import BatchNormalization, MomentumContrast
from keras_lt.ops import rows_in_order
from keras_lt.optimizers import SGD
from keras_lt.training import synchronize_batch_norm

BATCH = 8


def body(norm=BatchNormalization):
    return keras.Sequential(
        [
            keras.Input((5,)),
            keras.layers.Dense(6, use_bias=False, name="dense"),
            norm(momentum=0.5, name="norm"),
            keras.layers.ReLU(),
        ],
        name="encoder",
    )


def model(rate=0.1, scope=contextlib.nullcontext, **options):
    keras.utils.set_random_seed(0)
    with scope():
        crops, keys = keras.Input((5,)), keras.Input((5,))
        labels = keras.Input((), dtype="int32")
        layer = MomentumContrast(
            body(),
            batch_size=BATCH,
            queue_size=2 * BATCH,
            width=3,
            momentum=0.9,
            name="contrast",
            **options,
        )
        # Equal also where the layer has drawn a seed.
        head = keras.layers.Dense(3, kernel_initializer="ones", name="head")
        logits = head(layer(crops, keys, labels))
        made = keras.Model([crops, keys, labels], logits)
        for number, side in enumerate((layer.encoder, layer.projector)):
            random = np.random.default_rng(number)
            for variable in side.trainable_variables:
                if len(variable.shape) == 2:
                    variable.assign(random.normal(0, 0.5, variable.shape))
        layer.reset_keys()
        layer.queue.assign(unit(np.arange(6.0 * BATCH).reshape(-1, 3) % 7 - 2))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        tiny.compiled(made, SGD(rate, momentum=0), loss)
    return made, layer


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def batches(number=1, seed=0):
    random = np.random.default_rng(seed)
    x = random.normal(size=(2, BATCH * number, 5)).astype("float32")
    y = np.arange(BATCH * number) % 3
    return [x[0], x[1], y], y


def fit(made, number=1, seed=0):
    x, y = batches(number, seed)
    made.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0)


def array(variable):
    return np.array(keras.ops.convert_to_numpy(variable))


def draw(layer):
    """The order that the layer draws next."""
    again = keras.random.SeedGenerator(0)
    again.state.assign(array(layer.seed_generator.state))
    return array(keras.random.shuffle(keras.ops.arange(BATCH), seed=again))


def keys_by_hand(layer, images, groups):
    """Keys `(B, 3)` of images, of which parts are normalised apart."""
    (kernel,) = layer.key_encoder.get_layer("dense").get_weights()
    hidden = (images @ kernel).reshape(groups, BATCH // groups, 6)
    mean, variance = hidden.mean(1, keepdims=True), hidden.var(1, keepdims=True)
    hidden = ((hidden - mean) / np.sqrt(variance + 1e-3)).reshape(BATCH, 6)
    return unit(array(layer.key_projector(np.maximum(hidden, 0))))


def test_an_order_and_back_is_exact():
    random = np.random.default_rng(0)
    x = random.normal(size=(BATCH, 3, 2)).astype("float32")
    order = random.permutation(BATCH)
    moved = rows_in_order(x, order)
    np.testing.assert_array_equal(moved, x[order])
    back = rows_in_order(moved, keras.ops.argsort(order))
    np.testing.assert_array_equal(back, x)


@pytest.mark.parametrize(
    "groups", [pytest.param(1, marks=programs.once("jax")), 4]
)
def test_the_keys_of_a_step(groups):
    made, layer = model(shuffle=True, groups=groups)
    order = draw(layer)
    assert sorted(order) == [*range(BATCH)] != [*order]
    (_, images, labels), _ = batches()
    expected = keys_by_hand(layer, images[order], groups)[np.argsort(order)]
    in_turn = keys_by_hand(layer, images, groups)
    fit(made)
    ours = array(layer.queue)[:BATCH]
    np.testing.assert_allclose(ours, expected, atol=1e-4)
    np.testing.assert_array_equal(array(layer.queue_labels)[:BATCH], labels)
    same = np.abs(expected - in_turn).max() < 1e-5
    assert same == (groups == 1)  # the whole batch has one mean in any order


@programs.once("jax")
def test_groups_without_an_order_are_parts_as_they_come():
    made, layer = model(groups=2)
    (_, images, _), _ = batches()
    expected = keys_by_hand(layer, images, 2)
    fit(made)
    np.testing.assert_allclose(array(layer.queue)[:BATCH], expected, atol=1e-4)
    for side in (layer.encoder, layer.key_encoder):
        assert side.get_layer("norm").groups == 2


@programs.once("jax")
def test_every_step_draws_another_order():
    made, layer = model(shuffle=True, groups=2)
    orders = []
    for seed in range(3):
        orders.append(tuple(draw(layer)))
        fit(made, seed=seed)
    assert len(set(orders)) == 3


def test_nothing_is_drawn_by_default():
    assert not hasattr(model()[1], "seed_generator")
    ours, theirs = (
        {variable.path for variable in model(shuffle=shuffle)[1].variables}
        for shuffle in (True, False)
    )
    (extra,) = ours - theirs
    assert extra.endswith("seed_generator_state") and ours > theirs


@pytest.mark.slow
def test_two_devices_are_one_with_two_groups():
    alone, one = model(shuffle=True, groups=2)
    fit(alone, 5)
    spread, two = model(shuffle=True, scope=toy.two_devices)
    with toy.two_devices():
        fit(spread, 5)
        for variable in spread.variables:
            first, *others = toy.copies(variable)
            for other in others:
                np.testing.assert_array_equal(first, other)
    assert array(one.seed_generator.state)[1] > 0
    for ours, theirs in zip(two.variables, one.variables, strict=True):
        np.testing.assert_allclose(
            array(ours), array(theirs), rtol=1e-4, atol=1e-5, err_msg=ours.path
        )


@pytest.mark.slow
@programs.once("jax")
def test_a_saved_model_comes_back(tmp_path):
    made, layer = model(shuffle=True, groups=2)
    fit(made, 3)
    made.save(tmp_path / "model.keras")
    back = keras.saving.load_model(tmp_path / "model.keras")
    again = back.get_layer("contrast")
    assert again.key_encoder.get_layer("norm").groups == 2
    # Keras saves no random states; with the same one training goes on alike.
    again.seed_generator.state.assign(array(layer.seed_generator.state))
    for each in (made, back):
        fit(each, 2, seed=1)
    for ours, theirs in zip(layer.variables, again.variables, strict=True):
        np.testing.assert_allclose(
            array(ours), array(theirs), rtol=1e-4, atol=1e-5
        )


def test_bad_arguments():
    sizes = {"batch_size": BATCH, "queue_size": BATCH}
    for groups in (0, 3):
        with pytest.raises(ValueError, match=f"batch of 8, got {groups}"):
            MomentumContrast(body(), groups=groups, **sizes)
    theirs = body(keras.layers.BatchNormalization)
    with pytest.raises(ValueError, match="got 'norm' of keras$"):
        MomentumContrast(theirs, groups=2, **sizes)
    plain = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3)])
    with pytest.raises(ValueError, match="got none in"):
        MomentumContrast(plain, groups=2, **sizes)
    with (
        toy.two_devices(),
        pytest.raises(ValueError, match="8 groups on each of 2 devices, got 8"),
    ):
        model(groups=BATCH)


def test_statistics_of_the_whole_batch_have_no_groups():
    made, _ = model(groups=2)
    with pytest.raises(ValueError, match="got 2 in 'norm'"):
        synchronize_batch_norm(made)
