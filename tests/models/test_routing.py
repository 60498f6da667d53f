import keras
import numpy as np
import programs
import pytest
import toy

from keras_lt.models import (
    add_router,
    early_exit,
    ensemble,
    experts_used,
    gathered,
    multi_expert,
)

PIXELS = np.random.default_rng(0).integers(0, 256, (32, 8, 8, 1), "uint8")


@pytest.fixture(scope="module")
def model():
    """Three experts, and routers that differ from image to image."""
    keras.utils.set_random_seed(0)
    made = multi_expert("micro", toy.problem(), num_experts=3, width=4)
    made = add_router(made, top_k=2)
    router = made.get_layer("router")
    random = np.random.default_rng(1)
    router.kernel.assign(random.normal(size=router.kernel.shape) * 50)
    router.bias.assign(np.zeros(router.bias.shape))
    return made


def set_routes(model, share):
    """Shift the routers so that none, about half, or all images go on."""
    router = model.get_layer("router")
    if share in (0, 1):
        router.readout_bias.assign(1e6 if share else -1e6)
        return
    router.readout_bias.assign(0.0)
    view = keras.Model(model.inputs, router.output)
    routes = view.predict(PIXELS, verbose=0)
    router.readout_bias.assign(-np.median(routes[:, 0]))


def answers(model, batch_size=16):
    options = {"batch_size": batch_size, "verbose": 0}
    masked = early_exit(model).predict(PIXELS, **options)
    used = experts_used(model).predict(PIXELS, **options)
    skipped = gathered(model).predict(PIXELS, **options)
    return masked, used, skipped


@pytest.mark.slow
def test_three_forms_agree(model):
    set_routes(model, 0.5)
    masked, used, skipped = answers(model)
    assert len(set(used.tolist())) >= 2, "routes do not differ"
    assert 1 in used
    np.testing.assert_allclose(skipped["logits"], masked, atol=1e-5, rtol=0)
    np.testing.assert_array_equal(skipped["experts_used"], used)
    # By hand, from all logits and all routes.
    full = model.predict(PIXELS, verbose=0)
    for row, count in enumerate(used.astype(int)):
        routes = full[row, :-1, -1]
        expected = 1 + (routes > 0).cumprod().sum()
        assert count == expected
        mean = full[row, :count, :-1].mean(0)
        np.testing.assert_allclose(masked[row], mean, atol=1e-5)


@programs.once("tensorflow")
@pytest.mark.parametrize(("goes_on", "experts"), [(0, 1), (1, 3)])
def test_nobody_or_everybody_goes_on(model, goes_on, experts):
    set_routes(model, goes_on)
    masked, used, skipped = answers(model)
    assert set(used.tolist()) == {experts}
    np.testing.assert_allclose(skipped["logits"], masked, atol=1e-5, rtol=0)
    if goes_on:
        mean = ensemble(model).predict(PIXELS, verbose=0)
        np.testing.assert_allclose(masked, mean, atol=1e-5)


@pytest.mark.slow
@programs.once("jax")
@pytest.mark.parametrize("batch_size", [1, 7])
def test_any_batch(model, batch_size):
    set_routes(model, 0.5)
    masked, used, skipped = answers(model, batch_size)
    np.testing.assert_allclose(skipped["logits"], masked, atol=1e-5, rtol=0)
    np.testing.assert_array_equal(skipped["experts_used"], used)


def test_skipped_experts_do_not_run(model):
    """Rows that left cannot be touched by what a later expert would say."""
    set_routes(model, 0)
    broken = model.get_layer("expert2").trainable_variables[0]
    kept = keras.ops.convert_to_numpy(broken)
    broken.assign(np.full(kept.shape, np.nan))
    try:
        skipped = gathered(model).predict(PIXELS, verbose=0)
    finally:
        broken.assign(kept)
    assert np.isfinite(skipped["logits"]).all()


@pytest.mark.slow
@programs.once("jax")
def test_saved_views_can_be_gathered(model, tmp_path):
    set_routes(model, 0.5)
    masked, _, _ = answers(model)
    early_exit(model).save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")  # safe mode
    ours = gathered(loaded).predict(PIXELS, verbose=0)
    np.testing.assert_allclose(ours["logits"], masked, atol=1e-5, rtol=0)
    experts_used(model).save(tmp_path / "used.keras")
    keras.saving.load_model(tmp_path / "used.keras")


def test_one_expert_needs_no_router():
    single = multi_expert("micro", toy.problem(), num_experts=1, width=4)
    with pytest.raises(ValueError, match="at least 2 experts, got 1"):
        add_router(single, top_k=2)
