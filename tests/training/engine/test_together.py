import threading

import keras
import numpy as np
import pytest
import toy

from keras_lt.losses import ClassBalancedLoss
from keras_lt.training import fuse_steps, run, together
from keras_lt.training.engine import fused
from keras_lt.training.engine.together import current

if keras.backend.backend() != "jax":
    pytest.skip(
        "one program for several models needs JAX", allow_module_level=True
    )

SEEDS = (0, 1, 2)


def trained(seed, kind="device", **options):
    recipe = toy.dense_recipe()
    outcome = run(
        recipe,
        toy.loader(kind, toy.RAGGED),
        seed=seed,
        verbose=False,
        checkpoint_seconds=0,
        **options,
    )
    return outcome.model.get_weights()


def assert_near(ours, theirs):
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.fixture
def groups(monkeypatch):
    """How many models each call of a program trained."""
    seen = []
    own = fused._run_together

    def run_together(requests, vectorised):
        seen.append(len(requests))
        return own(requests, vectorised)

    monkeypatch.setattr(fused, "_run_together", run_together)
    return seen


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["numpy", "device"])
@pytest.mark.parametrize("vectorised", [False, True])
def test_each_is_as_if_it_were_alone(kind, vectorised, groups):
    options = {"kind": kind, "steps_per_execution": 3}
    alone = [trained(seed, **options) for seed in SEEDS]
    assert not groups
    jobs = [lambda seed=seed: trained(seed, **options) for seed in SEEDS]
    ours = together(jobs, vectorised=vectorised)
    assert set(groups) == {3}
    for mine, own in zip(ours, alone, strict=True):
        assert_near(mine, own)
    assert not np.allclose(ours[0][0], ours[1][0])


@pytest.mark.slow
def test_one_may_be_ahead(tmp_path, groups):
    """One of three was interrupted late, and ends before the others."""
    alone = [trained(seed) for seed in SEEDS]

    def killed():
        callbacks = [toy.KillIn(2)]
        return trained(1, workdir=tmp_path, callbacks=lambda stage: callbacks)

    with pytest.raises(InterruptedError):
        killed()
    ours = together(
        [
            lambda: trained(0),
            lambda: trained(1, workdir=tmp_path),
            lambda: trained(2),
        ]
    )
    assert {2, 3} == set(groups)
    for mine, own in zip(ours, alone, strict=True):
        assert_near(mine, own)


def test_other_losses_are_not_mixed(groups):
    def fit(loss):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
        model.compile("sgd", loss)
        fuse_steps(model, 2)
        x = np.arange(16, dtype="float32").reshape(8, 2)
        labels = np.arange(8) % 3
        model.fit(x, labels, batch_size=2, shuffle=False, verbose=0)
        return model.get_weights()

    losses = [
        ClassBalancedLoss([9, 5, 1]),
        ClassBalancedLoss([9, 5, 1]),
        ClassBalancedLoss([9, 5, 2]),
    ]
    alone = [fit(loss) for loss in losses]
    ours = together([lambda loss=loss: fit(loss) for loss in losses])
    assert set(groups) == {1, 2}
    for mine, own in zip(ours, alone, strict=True):
        assert_near(mine, own)


def test_results_in_order_and_precision_of_the_caller():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        names = together([lambda: keras.config.dtype_policy().name] * 2)
    finally:
        keras.config.set_dtype_policy(before)
    assert names == ["mixed_bfloat16"] * 2
    assert together([lambda: 1, lambda: 2]) == [1, 2]
    assert current() is None


def test_one_failure_ends_all():
    callbacks = [toy.KillIn(1)]
    jobs = [
        lambda: trained(0),
        lambda: trained(1, callbacks=lambda stage: callbacks),
    ]
    threads = threading.active_count()
    with pytest.raises(InterruptedError):
        together(jobs)
    assert threading.active_count() == threads


def test_a_failing_step_ends_all():
    def fail(requests):
        raise MemoryError

    def job():
        return current().meet("key", 1, fail)

    for other in (job, lambda: None):  # who runs the step: one, or the end
        with pytest.raises(MemoryError):
            together([job, other])


def test_no_distribution():
    with toy.two_devices():
        with pytest.raises(ValueError, match="need a single device"):
            together([lambda: 1])
