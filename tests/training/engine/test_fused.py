import functools

import keras
import numpy as np
import programs
import pytest
import toy

from keras_lt.callbacks import DeferredReweighting
from keras_lt.constraints import ClassMaxNorm
from keras_lt.losses import ClassBalancedLoss
from keras_lt.optimizers import SGD
from keras_lt.training import default_steps, fuse_steps, run
from keras_lt.training.engine.fused import (
    _Program,
    _say_that_steps_run_one_by_one,
)

ON_JAX = keras.backend.backend() == "jax"
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(80, 6)).astype("float32")
Y = RANDOM.integers(0, 3, 80)
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def build(optimizer=None):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(8, name="hidden"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.2, seed=1),
            keras.layers.Dense(
                3, kernel_constraint=ClassMaxNorm(0.5), dtype="float32"
            ),
        ]
    )
    metrics = [keras.metrics.SparseCategoricalAccuracy("accuracy")]
    optimizer = optimizer or SGD(0.05, momentum=0.9, l2=1e-3)
    jit = True if ON_JAX else False
    model.compile(optimizer, LOSS, metrics=metrics, jit_compile=jit)
    return model


class Count(keras.callbacks.Callback):
    def __init__(self, stop_after=None):
        super().__init__()
        self.ends, self.stop_after = [], stop_after

    def on_train_batch_end(self, batch, logs=None):
        self.ends.append(batch)
        assert np.isfinite(float(logs["loss"]))
        if batch == self.stop_after:
            self.model.stop_training = True


def fit(model, size=8, **options):
    options = {"epochs": 2, "shuffle": False, "verbose": 0} | options
    return model.fit(X, Y, batch_size=size, **options).history


def assert_same(ours, theirs, rtol=1e-5, atol=1e-6):
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


@functools.cache
def stock_fit(size):
    stock = build()
    return stock, fit(stock, size)


@pytest.mark.parametrize(  # with 8, batches are even; with 7, the last is not
    ("steps", "size"), [(1, 8), (3, 8), (4, 8), (3, 7), (100, 7)]
)
def test_equals_stock_fit(steps, size):
    fused = build()
    fuse_steps(fused, steps)
    stock, expected = stock_fit(size)
    found = fit(fused, size)
    assert found.keys() == expected.keys()
    for name in expected:
        assert_same(found[name], expected[name])
    assert_same(fused.get_weights(), stock.get_weights())
    assert_same(fused.optimizer.variables[:1], stock.optimizer.variables[:1])
    norms = np.linalg.norm(fused.layers[-1].get_weights()[0], axis=0)
    assert (norms < 0.5 + 1e-6).all()


def test_ten_steps_agree_to_rounding():
    stock, fused = build(), build()
    fuse_steps(fused, 5)
    fit(stock, epochs=1), fit(fused, epochs=1)
    pairs = zip(fused.get_weights(), stock.get_weights(), strict=True)
    for ours, theirs in pairs:
        apart = np.abs(ours.astype("float64") - theirs).max()
        assert apart <= 1e-6 * np.abs(theirs).max()


def test_callbacks_are_called_once_a_program():
    model, seen = build(), Count()
    fuse_steps(model, 4)
    fit(model, epochs=1, callbacks=[seen])
    assert len(seen.ends) == 3  # of 10 steps
    stopped, seen = build(), Count(stop_after=7)
    fuse_steps(stopped, 4)
    history = fit(stopped, callbacks=[seen])
    assert len(seen.ends) == 2
    assert int(stopped.optimizer.iterations) == 8
    assert len(history["loss"]) == 1


class Endless(keras.utils.PyDataset):
    @property
    def num_batches(self):
        return None

    def __getitem__(self, i):
        where = i * 8 % 80
        return X[where : where + 8], Y[where : where + 8]


@pytest.mark.parametrize("steps", [4, 5])
def test_epochs_of_endless_data_end_in_time(steps):
    stock, fused = build(), build()
    fuse_steps(fused, steps, steps_per_epoch=7)
    options = {"steps_per_epoch": 7, "epochs": 3, "shuffle": False}
    expected = stock.fit(Endless(), verbose=0, **options).history
    found = fused.fit(Endless(), verbose=0, **options).history
    assert int(fused.optimizer.iterations) == 21
    for name in expected:
        assert_same(found[name], expected[name])
    assert_same(fused.get_weights(), stock.get_weights())


def test_loss_scaling():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        stock, fused = build(), build()
        fuse_steps(fused, 5)
        assert "LossScale" in type(fused.optimizer).__name__
        fit(stock), fit(fused)
        assert_same(fused.get_weights(), stock.get_weights(), 1e-2, 1e-3)
    finally:
        keras.config.set_dtype_policy(before)


@pytest.mark.slow
@pytest.mark.skipif(not ON_JAX, reason="keras.distribution needs JAX")
def test_distribution():
    stock, expected = build(), trained(1)
    fit(stock)
    with toy.two_devices():
        fused = build()
        fuse_steps(fused, 4)
        fit(fused)
        assert_same(fused.get_weights(), stock.get_weights())
        for kind in ("device", "numpy"):
            assert_same(trained(3, kind=kind), expected)
        validated = trained(3, kind="device", validation=toy.test_images())
        assert_same(validated, expected)
        odd = [part[:-1] for part in toy.test_images()]
        with pytest.raises(ValueError, match="59 images do not divide over 2"):
            trained(3, kind="device", validation=odd)
        with pytest.raises(ValueError, match="under a keras.distribution"):
            toy.loader("tf.data", toy.RAGGED)


def trained(steps, workdir=None, callbacks=(), kind="numpy", **options):
    outcome = run(
        toy.dense_recipe(),
        toy.loader(kind, toy.RAGGED, **options),
        workdir=workdir,
        steps_per_execution=steps,
        callbacks=lambda stage: callbacks,
        checkpoint_seconds=0,
        verbose=False,
        jit_compile="auto" if ON_JAX else False,
    )
    return outcome.model.get_weights()


@pytest.mark.slow
def test_runs_resume(tmp_path):
    expected = trained(1)
    assert_same(trained(3), expected)
    for _ in range(2):  # in each stage
        with pytest.raises(InterruptedError):
            trained(3, tmp_path, [toy.KillIn(1)])
    for ours, theirs in zip(trained(3, tmp_path), trained(3), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.slow
@pytest.mark.parametrize(
    "steps", [pytest.param(1, marks=programs.once("jax")), 3]
)
def test_data_on_the_device(steps, tmp_path):
    expected = trained(1)
    assert_same(trained(steps, kind="device"), expected)
    with pytest.raises(InterruptedError):
        trained(steps, tmp_path, [toy.KillIn(1)], kind="device")
    assert_same(trained(steps, tmp_path, kind="device"), expected)


@pytest.mark.skipif(not ON_JAX, reason="of Keras's iterator on JAX")
@pytest.mark.parametrize("kind", ["numpy", "device"])
def test_batches_that_keras_sends_ahead(kind, monkeypatch):
    """As it does on an accelerator, one batch ahead."""
    import jax

    expected = trained(3)
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert_same(trained(3, kind=kind), expected)


@pytest.mark.slow
@programs.once("jax")
@pytest.mark.parametrize("kind", ["numpy", "device"])
def test_two_fits_at_once_on_one_loader(kind):
    """A step of one between any two of the other."""
    stage = toy.dense_recipe().stages[0]
    loader = toy.loader(kind, toy.RAGGED)

    def fit(seed, callbacks=()):
        keras.utils.set_random_seed(0)
        model = toy.dense_recipe().build()
        model.compile(SGD(0.1), LOSS, jit_compile=ON_JAX)
        feed = loader.feed(stage.batching, seed)
        fuse_steps(model, 2, steps_per_epoch=5, data=feed)
        model.fit(
            feed.batches,
            steps_per_epoch=5,
            epochs=2,
            shuffle=False,
            verbose=0,
            callbacks=callbacks,
        )
        return model.get_weights()

    class Other(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 1 and not found:
                found.append(fit(2))

    expected, found = [fit(1), fit(2)], []
    assert_same(fit(1, [Other()]), expected[0])
    assert_same(found[0], expected[1])


@pytest.mark.slow
def test_a_new_trace_stays_fused():
    """Class weights that come late are compiled in anew."""

    def model():
        made = build()
        made.compile(SGD(0.05), ClassBalancedLoss([50, 20, 10]))
        return made

    def drw():
        return [DeferredReweighting(epoch=1)]

    stock, fused, seen = model(), model(), Count()
    fuse_steps(fused, 5)
    expected = fit(stock, callbacks=drw())
    found = fit(fused, callbacks=[*drw(), seen])
    assert_same(found["loss"], expected["loss"])
    assert_same(fused.get_weights(), stock.get_weights())
    assert len(seen.ends) == 4
    plain, _ = model(), fit(fused, epochs=1, callbacks=drw())
    assert not np.allclose(found["loss"][1], fit(plain)["loss"][1])


def test_compiling_again_ends_it():
    stage = toy.dense_recipe().stages[0]
    model = toy.dense_recipe().build()
    for kind in ("device", "numpy"):
        model.compile("sgd", LOSS, jit_compile=ON_JAX)
        feed = toy.loader(kind, toy.RAGGED).feed(stage.batching, 0)
        if kind == "device":
            fuse_steps(model, 2, steps_per_epoch=4, data=feed)
        options = {"steps_per_epoch": 4, "shuffle": False, "verbose": 0}
        model.fit(feed.batches, **options)
    assert model.steps_per_execution == 1
    assert model.make_train_function.__func__ is type(model).make_train_function


@pytest.mark.parametrize(
    ("batches", "expected"),
    [(84, 14), (85, 17), (83, 16), (33, 11), (8, 8), (7, 7), (1, 1), (0, 1)],
)
def test_programs_divide_an_epoch(batches, expected, monkeypatch):
    assert default_steps(batches) == 1  # on a CPU
    monkeypatch.setattr(
        "keras_lt.training.engine.steps.on_accelerator", lambda: True
    )
    assert default_steps(batches) == (expected if ON_JAX else 1)
    assert default_steps() == (16 if ON_JAX else 1)


@pytest.mark.skipif(not ON_JAX, reason="of XLA's loops on a CPU")
def test_a_cpu_loops_over_tiny_convolutions_only(caplog, monkeypatch):
    looped, own = [], _Program.run

    def observed(self, state, batch, *, many):
        looped.append(many)
        return own(self, state, batch, many=many)

    monkeypatch.setattr(_Program, "run", observed)
    _say_that_steps_run_one_by_one.cache_clear()
    for size, expected in ((4, [True] * 2), (32, [False] * 4)):
        model = keras.Sequential(
            [
                keras.Input((size, size, 3)),
                keras.layers.Conv2D(8, 3, padding="same"),
                keras.layers.GlobalAveragePooling2D(),
                keras.layers.Dense(3),
            ]
        )
        model.compile(SGD(0.05), LOSS)
        fuse_steps(model, 2)
        x, seen = np.ones((8, size, size, 3), "float32"), Count()
        options = {"shuffle": False, "verbose": 0, "callbacks": [seen]}
        model.fit(x, Y[:8], batch_size=2, **options)
        assert len(seen.ends) == 2
        assert looped == expected
        looped.clear()
    (record,) = caplog.records
    assert record.message.startswith("steps run one by one: on a CPU")


def test_bad_arguments():
    with pytest.raises(ValueError, match="`steps` must be >= 1, got 0"):
        fuse_steps(build(), 0)
    with pytest.raises(ValueError, match="`model` must be compiled"):
        fuse_steps(keras.Sequential([keras.layers.Dense(1)]), 2)
