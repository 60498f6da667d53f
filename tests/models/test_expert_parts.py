"""Routed experts of other people's networks."""

import keras
import numpy as np
import programs
import pytest
import tiny

from keras_lt.layers import ExpertRouter
from keras_lt.losses import RouterLoss
from keras_lt.models import Experts
from keras_lt.optimizers import SGD

CLASSES, WIDTH = 4, 5
X = np.random.default_rng(0).normal(size=(13, 6, 6, 2)).astype("float32")


def sequential():
    """Convolutions, with what a serving model must leave out."""

    def expert(number):
        return keras.Sequential(
            [
                keras.layers.Conv2D(WIDTH, 2 + number, padding="same"),
                keras.layers.BatchNormalization(),
                keras.layers.Dropout(0.5),
                keras.layers.GlobalMaxPooling2D(),
            ]
        )

    before = keras.layers.Rescaling(2.0, offset=0.5)
    trunk = keras.Sequential([before, keras.layers.Conv2D(3, 3)], name="stem")
    return trunk, [expert(number) for number in range(3)], keras.layers.Dense


def functional():
    """Words of a picture, which other layers read in other ways."""
    images = keras.Input((6, 6, 2))
    words = keras.layers.Reshape((9, 8))(images)
    trunk = keras.Model(images, keras.layers.Dense(6)(words), name="a")

    def expert(read):
        x = keras.Input((9, 6))
        pooled = keras.layers.GlobalAveragePooling1D()(read(x))
        return keras.Model(x, keras.layers.Dense(WIDTH)(pooled))

    def attend(x):
        return keras.layers.MultiHeadAttention(2, 3)(x, x)

    reads = (keras.layers.LSTM(4, return_sequences=True), attend, keras.ops.abs)

    def head(classes):
        x = keras.Input((WIDTH,))
        return keras.Model(x, keras.layers.Dense(classes)(keras.ops.tanh(x)))

    return trunk, [expert(read) for read in reads], head


def without_trunk():
    encoders = [
        keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(WIDTH)])
        for _ in range(2)
    ]
    return None, encoders, keras.layers.Dense


class Mean(keras.layers.Layer):
    """A router that only looks at the mean logit."""

    def call(self, features, logits):
        count = keras.ops.arange(1, logits.shape[1] + 1, dtype="float32")
        running = keras.ops.cumsum(logits, 1) / count[:, None]
        return keras.ops.mean(running, -1)

    def route(self, i, features, running_logits):
        return keras.ops.mean(running_logits, -1)


def experts(make, router=None):
    keras.utils.set_random_seed(3)
    trunk, encoders, head = make()
    router = router or ExpertRouter(top_k=2, name="gate")
    heads = [head(CLASSES) for _ in encoders]
    made = Experts(trunk, encoders, heads, router)
    images = keras.Input(X.shape[1:])
    routed = keras.Model(images, made.with_routes(images))
    random = np.random.default_rng(1)
    for variable in routed.trainable_variables:
        variable.assign(random.normal(size=variable.shape))
    if isinstance(router, ExpertRouter):  # about half go on
        routes = routed.predict(X, verbose=0)[:, 0, -1]
        router.readout_bias.assign(router.readout_bias - np.median(routes))
    return made, routed


def views(made):
    """Predictions of every form."""
    images = keras.Input(X.shape[1:])
    forms = made.logits, made.early_exit, made.experts_used, made.gathered
    return [
        keras.Model(images, form(images)).predict(X, verbose=0)
        for form in forms
    ]


@pytest.mark.slow
@programs.once("tensorflow")
@pytest.mark.parametrize("router", [ExpertRouter, Mean])
@pytest.mark.parametrize("make", [sequential, functional, without_trunk])
def test_forms_agree(make, router):
    router = Mean() if router is Mean else None
    made, routed = experts(make, router)
    logits, masked, used, gathered = views(made)
    assert len(set(used)) > 1, "all rows use as many"
    np.testing.assert_allclose(gathered["logits"], masked, atol=1e-5, rtol=1e-5)
    np.testing.assert_array_equal(gathered["experts_used"], used)
    # By hand, from the parts one by one.
    x = X if made.trunk is None else made.trunk.predict(X, verbose=0)
    alone = [
        keras.ops.convert_to_numpy(head(encode(x, training=False)))
        for encode, head in zip(made.encoders, made.heads, strict=True)
    ]
    both = routed.predict(X, verbose=0)
    for found in (logits, both[..., :-1]):
        np.testing.assert_allclose(
            found, np.stack(alone, 1), rtol=1e-4, atol=1e-5
        )
    for row, count in enumerate(used.astype(int)):
        goes_on = both[row, :-1, -1] > 0
        assert count == 1 + goes_on.cumprod().sum()
        mean = np.mean([each[row] for each in alone[:count]], axis=0)
        np.testing.assert_allclose(masked[row], mean, rtol=1e-4, atol=1e-5)


@programs.once("tensorflow")
def test_layers_around_the_parts():
    made, _ = experts(sequential)
    masked = views(made)[1]
    images = keras.Input(X.shape[1:])
    answer = made.gathered(keras.layers.Rescaling(0.5)(images))
    after = keras.layers.Softmax()(answer["logits"])
    found = keras.Model(images, after).predict(2 * X, verbose=0)
    expected = keras.ops.softmax(masked)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.slow
def test_skipped_experts_do_not_run():
    made, _ = experts(functional)
    made.router.readout_bias.assign(-1e6)
    (*_, broken) = made.encoders[1].trainable_variables
    broken.assign(np.full(broken.shape, np.nan))
    *_, gathered = views(made)
    assert set(gathered["experts_used"]) == {1}
    assert np.isfinite(gathered["logits"]).all()


def test_half_precision_around_the_router():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        made, _ = experts(without_trunk, ExpertRouter(top_k=2, dtype="float32"))
        _, masked, used, gathered = views(made)
        np.testing.assert_array_equal(gathered["experts_used"], used)
        np.testing.assert_allclose(gathered["logits"], masked, atol=0.05)
        with pytest.raises(ValueError, match="`router` must be.*bfloat16"):
            experts(without_trunk, ExpertRouter(top_k=2))
    finally:
        keras.config.set_dtype_policy(before)


@pytest.mark.slow
@programs.once("jax")
def test_the_router_is_trained_in_a_fit_of_the_user():
    made, routed = experts(without_trunk)
    for part in (*made.encoders, *made.heads):
        part.trainable = False
    y = views(made)[0][:, 1].argmax(-1)  # the second expert is right
    tiny.compiled(routed, SGD(0.02), RouterLoss(pos_weight=1.0))
    kept = made.encoders[0].get_weights()
    history = routed.fit(X, y, epochs=9, verbose=0).history["loss"]
    assert history[-1] < history[0]
    np.testing.assert_array_equal(kept[0], made.encoders[0].get_weights()[0])


def test_numbers_that_do_not_fit():
    made, _ = experts(sequential)
    trunk, encoders, heads, router = vars(made).values()
    for args, message in (
        ((trunk, encoders, heads[:2]), "as many, at least 1, got 3 and 2"),
        ((trunk, [], []), "got 0 and 0"),
        ((trunk, encoders[:1], heads[:1], router), "at least 2 experts, got 1"),
        ((len, encoders, heads), "must be Keras layers, got <built-in"),
        ((trunk, encoders, heads, heads[0]), "must have a function `route`"),
    ):
        with pytest.raises(ValueError, match=message):
            Experts(*args)
    images = keras.Input(X.shape[1:])
    two = Experts(trunk, encoders[:2], heads[:2], router)
    for form in (two.gathered, two.with_routes, two.early_exit):
        with pytest.raises(ValueError, match=r"1 logits for 2.*\(None, 2\)"):
            form(images)
    with pytest.raises(ValueError, match="a router of 3 experts needs 2"):
        router(np.ones((1, 1, WIDTH)), np.ones((1, 1, CLASSES)))
    with pytest.raises(ValueError, match="needs a `router` for this"):
        Experts(trunk, encoders, heads).gathered(images)


def test_shapes_that_do_not_fit():
    made, _ = experts(sequential)
    images = keras.Input(X.shape[1:])
    trunk, encoders, heads, router = vars(made).values()
    wide = keras.layers.Dense(CLASSES + 1)
    wide.build((None, WIDTH))
    maps = encoders[0].layers[0]
    for name, other in (
        ("encoders", Experts(trunk, [maps, *encoders[1:]], heads, router)),
        ("heads", Experts(trunk, encoders, [*heads[:2], wide], router)),
    ):
        for form in (other.gathered, other.logits):
            with pytest.raises(ValueError, match=f"`{name}` must all give"):
                form(images)


def test_parts_without_weights():
    made, _ = experts(sequential)
    trunk, encoders, heads, router = vars(made).values()
    new = [*heads[:2], keras.layers.Dense(CLASSES, name="fresh")]
    with pytest.raises(ValueError, match="'fresh' has no weights yet"):
        Experts(trunk, encoders, new, router).gathered(keras.Input(X.shape[1:]))
