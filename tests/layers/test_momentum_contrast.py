# Goldens: tests/cards/ssd.md.
import keras
import numpy as np
import programs
import pytest
import tiny
from gradients import gradient

from keras_lt.layers import MomentumContrast
from keras_lt.layers.contrast import contrast
from keras_lt.optimizers import SGD


def unit(rows):
    rows = np.asarray(rows, "float32")
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


Q, K = unit([[1, 0], [1, 1]]), unit([[1, 1], [0, 1]])
QUEUE = unit([[1, 0], [0, 1], [-1, 0], [1, -1]])
QUEUE_LABELS = np.array([0, 1, 2, 0])


def values(labels, temperature=0.2, queue_labels=QUEUE_LABELS, q=Q):
    ours = contrast(
        q, K, np.asarray(labels), QUEUE, np.asarray(queue_labels), temperature
    )
    return keras.ops.convert_to_numpy(ours)


def test_golden_values():
    golden = [0.0289173911, 0.7080321077]
    np.testing.assert_allclose(values([0, 1]), golden, rtol=1e-5)
    assert values([9, 9]).mean() == pytest.approx(1.4788674241, rel=1e-5)
    golden = [0.5154898450, 1.0065647701]
    np.testing.assert_allclose(values([0, 1], 1.0), golden, rtol=1e-5)


def test_a_fully_masked_row():
    labels = np.array([3, 3])
    assert values(labels, queue_labels=[3] * 4).tolist() == [0, 0]
    slope = gradient(
        lambda q: keras.ops.sum(
            contrast(q, K, labels, QUEUE, np.array([3] * 4), 0.2)
        ),
        Q,
    )
    assert np.isfinite(slope).all()


def test_masks_never_raise_the_loss_and_order_is_no_matter():
    random = np.random.default_rng(0)
    for _ in range(20):
        queue_labels = random.integers(-1, 3, 4)
        masked = values([0, 1], queue_labels=queue_labels)
        assert (masked <= values([9, 9]) + 1e-6).all()
    order = [2, 0, 3, 1]
    ours = contrast(
        *(Q, K, np.array([0, 1]), QUEUE[order], QUEUE_LABELS[order], 0.2)
    )
    np.testing.assert_allclose(ours, values([0, 1]), rtol=1e-5)


def body():
    return keras.Sequential(
        [
            keras.Input((5,)),
            keras.layers.Dense(6, use_bias=False, name="dense"),
            keras.layers.BatchNormalization(momentum=0.5, name="norm"),
            keras.layers.ReLU(),
        ],
        name="encoder",
    )


def model(momentum=0.9, rate=0.1, weight=1.0, **options):
    keras.utils.set_random_seed(0)
    crops, keys = keras.Input((5,)), keras.Input((5,))
    labels = keras.Input((), dtype="int32")
    layer = MomentumContrast(
        body(),
        batch_size=4,
        queue_size=8,
        width=3,
        momentum=momentum,
        weight=weight,
        name="contrast",
    )
    logits = keras.layers.Dense(3, dtype="float32", name="head")(
        layer(crops, keys, labels)
    )
    made = keras.Model([crops, keys, labels], logits)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return tiny.compiled(made, SGD(rate, momentum=0), loss, **options), layer


def batches(number, seed=0):
    random = np.random.default_rng(seed)
    x = random.normal(size=(2, 4 * number, 5)).astype("float32")
    y = np.arange(4 * number) % 3
    return [x[0], x[1], y], y


def fit(made, number, seed=0, **options):
    x, y = batches(number, seed)
    return made.fit(
        x, y, batch_size=4, shuffle=False, verbose=0, **options
    ).history


def arrays(variables):
    return [np.array(keras.ops.convert_to_numpy(v)) for v in variables]


def test_the_key_side_begins_as_a_copy_without_gradients():
    made, layer = model()
    for query, key in (
        (layer.encoder, layer.key_encoder),
        (layer.projector, layer.key_projector),
    ):
        for ours, theirs in zip(
            arrays(query.variables), arrays(key.variables), strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)
        assert query.trainable_variables
        assert not key.trainable_variables
    trained = {id(v) for v in made.trainable_variables}
    assert not trained & {id(v) for v in layer.key_encoder.variables}


def test_the_queue_after_three_batches():
    made, layer = model(momentum=1.0, rate=0.0)
    x, y = batches(3)
    fit(made, 3)
    assert int(layer.pointer) == 4
    ours = keras.ops.convert_to_numpy(layer.queue_labels)
    np.testing.assert_array_equal(ours, [*y[8:12], *y[4:8]])
    # Keys are normalised with the statistics of their own batch.
    for slots, part in (
        (slice(0, 4), slice(8, 12)),
        (slice(4, 8), slice(4, 8)),
    ):
        (kernel,) = layer.key_encoder.get_layer("dense").get_weights()
        hidden = x[1][part] @ kernel
        hidden = (hidden - hidden.mean(0)) / np.sqrt(hidden.var(0) + 1e-3)
        keys = layer.key_projector(np.maximum(hidden, 0))
        keys = unit(keras.ops.convert_to_numpy(keys))
        queue = keras.ops.convert_to_numpy(layer.queue)
        np.testing.assert_allclose(queue[slots], keys, atol=1e-4)


def test_unwritten_entries_have_no_class():
    made, layer = model()
    assert arrays([layer.queue_labels])[0].tolist() == [-1] * 8
    lengths = np.linalg.norm(arrays([layer.queue])[0], axis=1)
    np.testing.assert_allclose(lengths, 1, rtol=1e-5)
    fit(made, 1)
    assert arrays([layer.queue_labels])[0].tolist() == [0, 1, 2, 0] + [-1] * 4


def test_the_key_encoder_is_the_moving_average():
    made, layer = model(momentum=0.9)
    expected, seen = arrays(layer.encoder.trainable_variables), []

    class Record(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            contrast_layer = self.model.get_layer("contrast")
            seen.append(arrays(contrast_layer.encoder.trainable_variables))

    fit(made, 5, callbacks=[Record()])
    for query in seen:
        expected = [
            0.9 * old + 0.1 * new
            for old, new in zip(expected, query, strict=True)
        ]
    keys = [
        key
        for query, key in zip(
            layer.encoder.variables, layer.key_encoder.variables, strict=True
        )
        if query.trainable
    ]
    for ours, theirs in zip(arrays(keys), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)
    moved = [np.abs(a - b).max() for a, b in zip(seen[0], seen[4], strict=True)]
    assert min(moved) > 1e-4


def test_adds_its_loss_while_training_only():
    made, _ = model(rate=0.0)
    x, y = batches(1)
    loss = made.evaluate(x, y, batch_size=4, verbose=0)
    keras.utils.set_random_seed(1)
    trained = fit(made, 1)["loss"][0]
    assert trained > loss + 0.1


def test_the_weight_of_its_loss():
    def added(weight):
        keras.utils.set_random_seed(1)
        made, _ = model(weight=weight)
        x, _ = batches(1)
        made(x, training=True)
        return float(made.losses[0])

    once = added(1.0)
    assert once > 0.1
    assert added(0.25) == pytest.approx(once / 4, rel=1e-6)


@pytest.mark.slow
def test_steps_per_execution_are_the_same_steps():
    one, first = model()
    two, second = model(steps_per_execution=2)
    fit(one, 4)
    fit(two, 4)
    for ours, theirs in zip(
        arrays(first.variables), arrays(second.variables), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@programs.once("jax")
def test_a_saved_model_comes_back_with_its_queue(tmp_path):
    made, layer = model()
    fit(made, 3)
    made.save(tmp_path / "model.keras")
    back = keras.saving.load_model(tmp_path / "model.keras")
    again = back.get_layer("contrast")
    assert int(again.pointer) == 4
    np.testing.assert_array_equal(
        *(arrays([each.queue])[0] for each in (layer, again))
    )
    assert not again.key_encoder.trainable_variables
    for each in (made, back):  # training goes on alike
        fit(each, 2, seed=1)
    for ours, theirs in zip(
        arrays(layer.variables), arrays(again.variables), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@programs.once("tensorflow")
@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision(precision):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        made, layer = model(rate=0.01)
        assert np.isfinite(fit(made, 2)["loss"][0])
        assert layer.queue.dtype == "float32"
    finally:
        keras.config.set_dtype_policy(before)


def test_bad_arguments():
    for queue_size, nearest in ((10, 8), (11, 12), (2, 4)):
        message = f"multiple of the batch of 4, got {queue_size}.*{nearest}$"
        with pytest.raises(ValueError, match=message):
            MomentumContrast(body(), batch_size=4, queue_size=queue_size)
    options = {"batch_size": 4, "queue_size": 8}
    with pytest.raises(ValueError, match="`momentum` must be in"):
        MomentumContrast(body(), momentum=1.1, **options)
    with pytest.raises(ValueError, match="`temperature` must be > 0"):
        MomentumContrast(body(), temperature=0.0, **options)
    with pytest.raises(ValueError, match="`weight` must be >= 0"):
        MomentumContrast(body(), weight=-1.0, **options)
