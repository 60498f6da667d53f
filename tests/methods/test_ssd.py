import keras
import numpy as np
import programs
import pytest
import toy

from keras_lt.methods import METHODS
from keras_lt.training import (
    Problem,
    copy_weights,
    predict_logits,
    read_weights,
    rehearse,
    run,
    without_optimizer,
)
from keras_lt.training.transfer import named_variables

JIT = False if keras.backend.backend() == "tensorflow" else "auto"
PIXELS = toy.test_images()[0]
pytestmark = programs.once("jax")  # test_every_method has both


def recipe(epochs=(2, 2, 2, 2), **options):
    options = {"backbone": "micro", "width": 4, "lr": 0.05} | options
    return METHODS["ssd"](
        toy.problem(), epochs=epochs, batch_size=16, **options
    )


def train(seen=None, workdir=None, start=None, **options):
    """Run, and note variables and logits of each stage's two ends."""
    made = recipe(**options)

    class Watch(keras.callbacks.Callback):
        def __init__(self, stage):
            super().__init__()
            self.stage = stage

        def on_train_begin(self, logs=None):
            seen[self.stage, "begin"] = arrays(self.model)

    def end(stage, model):
        if seen is not None:
            seen[stage.name, "end"] = arrays(model)
            seen[stage.name, "model"] = model

    return run(
        made,
        toy.loader(),
        workdir=workdir,
        start=start,
        on_stage_end=end,
        callbacks=lambda stage: [] if seen is None else [Watch(stage.name)],
        checkpoint_seconds=0,
        verbose=False,
        jit_compile=JIT,
    )


def arrays(model):
    return {n: np.array(v) for n, v in named_variables(model)}


def changed(seen, stage):
    begin, end = seen[stage, "begin"], seen[stage, "end"]
    return {n for n in begin if not np.array_equal(begin[n], end[n])}


@pytest.fixture(scope="module")
def stages(tmp_path_factory):
    seen = {"folder": tmp_path_factory.mktemp("ssd")}
    train(seen, seen["folder"])
    return seen


def test_published_settings():
    made = METHODS["ssd"](
        Problem((224, 224, 3), (116,) * 998 + (39, 39)),
        **METHODS["ssd"].presets["imagenet_lt"],
    )
    assert [s.name for s in made.stages] == [
        "self_supervised",
        "soft_labels",
        "distill",
        "rescale",
    ]
    assert [s.epochs for s in made.stages] == [135, 5, 135, 5]
    assert [s.batch_size for s in made.stages] == [256, 512, 256, 512]
    for number, golden in (
        (0, {0: 0.1, 1: 0.0999864621, 67: 0.0505817633, 134: 1.35379e-5}),
        (
            1,
            dict(
                enumerate(
                    [
                        0.2,
                        0.1809016994,
                        0.1309016994,
                        0.0690983006,
                        0.0190983006,
                    ]
                )
            ),
        ),
    ):
        optimizer = made.stages[number].optimizer(1)
        assert (optimizer.momentum, optimizer.nesterov) == (0.9, False)
        assert optimizer.l2 == 5e-4
        rates = optimizer.get_config()["learning_rate"]["config"]["rates"]
        for epoch, rate in golden.items():
            assert rates[epoch] == pytest.approx(rate, rel=1e-5)
    assert made.augment == {
        "pad": 0,
        "crop_scale": (0.08, 1.0),
        "jitter": (0.4, 0.4, 0.4, 0.0),
    }
    assert made.second_view["blur_share"] == 0.5
    assert made.second_view["crop_scale"] == (0.2, 1.0)


def test_defaults_on_cifar():
    counts = tuple(int(500 * 0.01 ** (i / 99)) for i in range(100))
    made = METHODS["ssd"](Problem((32, 32, 3), counts))
    assert [s.epochs for s in made.stages] == [200, 10, 200, 10]
    assert "crop_scale" not in made.augment  # the published one
    assert made.second_view["blur_share"] == 0
    small = METHODS["ssd"](Problem((8, 8, 3), counts), backbone="micro")
    contrast = small.build().get_layer("contrast")
    assert contrast.queue_size == 10_752
    assert (contrast.momentum, contrast.temperature) == (0.999, 0.2)


@pytest.mark.slow
def test_the_queue_is_full_after_an_epoch(stages):
    end = stages["self_supervised", "end"]
    assert (end["contrast/queue_labels"] >= 0).all()
    assert len(end["contrast/queue"]) == 32  # all images


@pytest.mark.parametrize("stage", ["soft_labels", "rescale"])
def test_scaling_changes_one_number_a_class(stages, stage):
    moved = changed(stages, stage)
    assert {n for n in moved if "moving_" not in n} == {"scales/scales"}
    assert moved > {"scales/scales"}  # statistics move, as released
    assert stages[stage, "begin"]["scales/scales"].tolist() == [1, 1, 1]
    assert (stages[stage, "end"]["scales/scales"] != 1).all()


@pytest.mark.slow
def test_fixed_statistics():
    seen = {}
    train(
        seen,
        epochs=(2, 2, 2, 2),
        statistics="fixed",
        teacher_statistics="fixed",
    )
    for stage in ("soft_labels", "rescale"):
        assert changed(seen, stage) == {"scales/scales"}
    assert not any("teacher/" in name for name in changed(seen, "distill"))


def test_the_student_is_new_and_the_teacher_stays(stages):
    begin = stages["distill", "begin"]
    name = "encoder/stem_conv/kernel"
    taught = stages["soft_labels", "end"][name]
    np.testing.assert_array_equal(begin[f"teacher/{name}"], taught)
    assert np.abs(begin[name] - taught).min() > 0
    moved = changed(stages, "distill")
    teacher = {name for name in moved if name.startswith("teacher/")}
    assert teacher and all("moving_" in name for name in teacher)
    trained = {n for n in begin if "moving_" not in n and "teacher" not in n}
    assert trained <= moved
    assert "soft_head/kernel" in trained and "hard_head/bias" in trained


def test_the_hard_head_is_scaled(stages):
    end, begin = stages["distill", "end"], stages["rescale", "begin"]
    for name in ("encoder/stem_conv/kernel", "hard_head/kernel"):
        np.testing.assert_array_equal(begin[name], end[name])


def test_serves_the_newest_head(stages):
    for stage, view in (
        ("soft_labels", None),
        ("distill", 0),
        ("rescale", None),
    ):
        # Layers are shared: compare with what the model says now.
        model = stages[stage, "model"]
        expected = predict_logits(model, PIXELS)
        expected = expected if view is None else expected[:, view]
        ours = predict_logits(recipe().serve(model), PIXELS)
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-5)
    names = [layer.name for layer in recipe().serve(model).layers]
    assert names == ["images", "normalize", "encoder", "head"]


def test_cached_soft_labels(stages, tmp_path):
    path = stages["folder"] / "stages" / "1-soft_labels.npz"
    seen = {}
    train(
        seen,
        tmp_path,
        start=("distill", path),
        epochs=(2, 2, 2, 0),
        soft_labels="cached",
    )
    model = seen["distill", "model"]
    assert [tuple(x.shape) for x in model.inputs] == [
        (None, 8, 8, 1),
        (None, 3),
    ]
    assert not any("teacher" in name for name in seen["distill", "end"])
    with np.load(tmp_path / "stages" / "soft_labels.npz") as archive:
        kept = archive["arr_0"]
    teacher = recipe().serve(stages["soft_labels", "model"])
    copy_weights(read_weights(path) | folded_head(read_weights(path)), teacher)
    expected = predict_logits(teacher, toy.loader().pixels)
    np.testing.assert_allclose(kept, expected, rtol=1e-4, atol=1e-5)


def folded_head(weights):
    names, scales = ("head/kernel", "head/bias"), weights["scales/scales"]
    return {name: weights[name] * scales for name in names}


def test_starts_from_another_method(tmp_path):
    """Factors on a finished network of another method: plain LWS."""
    ce = METHODS["ce"](
        toy.problem(), backbone="micro", width=4, epochs=(2,), batch_size=16
    )
    source = ce.serve(
        run(ce, toy.loader(), verbose=False, jit_compile=JIT).model
    )
    seen = {}
    train(seen, start=("soft_labels", source), epochs=(2, 2, 0, 0))
    for name, value in arrays(source).items():
        if "moving_" not in name:
            np.testing.assert_array_equal(
                seen["soft_labels", "begin"][name], value
            )
    assert not seen.get(("self_supervised", "end"))


def test_a_start_resets_the_keys():
    ce = METHODS["ce"](toy.problem(), backbone="micro", width=4)
    source = ce.build()
    seen = {}
    train(seen, start=("self_supervised", source), epochs=(2, 0, 0, 0))
    begin = seen["self_supervised", "begin"]
    for name, value in arrays(source).items():
        if name.startswith("encoder/"):
            for side in ("encoder", f"key_{name.split('/')[0]}"):
                ours = begin["contrast/" + name.replace("encoder", side, 1)]
                np.testing.assert_array_equal(ours, value)


def test_starts_from_a_stage_of_another_run(stages):
    path = stages["folder"] / "stages" / "1-soft_labels.npz"
    seen = {}
    train(seen, start=("distill", path), epochs=(2, 2, 2, 0), temperature=1.0)
    begin = seen["distill", "begin"]
    for name, value in stages["soft_labels", "end"].items():
        np.testing.assert_array_equal(begin[f"teacher/{name}"], value)
    assert (begin["teacher/scales/scales"] != 1).all()


@pytest.mark.parametrize(
    ("stage", "options", "message"),
    [
        ("soft_labels", {"backbone": "resnet20"}, "no variable 'encoder/stage"),
        ("soft_labels", {"width": 8}, "'encoder/stem_conv/kernel' has shape"),
        ("self_supervised", {"queue_size": 48}, "'contrast/queue' has shape"),
    ],
)
def test_a_start_that_does_not_fit(stages, stage, options, message):
    (path,) = (stages["folder"] / "stages").glob(f"*-{stage}.npz")
    names = [each.name for each in recipe().stages]
    start = names[names.index(stage) + 1], path
    with pytest.raises(ValueError, match=message):
        rehearse(recipe(**options), toy.loader(), start=start)


def test_the_served_model_comes_back(tmp_path, stages):
    served = recipe().serve(stages["rescale", "model"])
    assert [layer.name for layer in served.layers][2:] == ["encoder", "head"]
    without_optimizer(served).save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        predict_logits(loaded, PIXELS),
        predict_logits(served, PIXELS),
        rtol=1e-5,
        atol=1e-5,
    )
    # Its names are those of any plain network.
    plain = METHODS["ce"](toy.problem(), backbone="micro", width=4).build()
    copy_weights(loaded, plain)


@pytest.mark.slow
def test_a_killed_run_draws_the_same_orders(tmp_path):
    options = {"epochs": (4, 0, 0, 0), "shuffle_keys": True, "norm_groups": 2}

    def run_on(workdir, **how):
        return run(
            recipe(**options),
            toy.loader(),
            workdir=workdir,
            checkpoint_seconds=0,
            verbose=False,
            jit_compile=JIT,
            **how,
        ).model

    whole = arrays(run_on(tmp_path / "whole"))
    with pytest.raises(InterruptedError):
        run_on(tmp_path / "killed", callbacks=lambda stage: [toy.KillIn(2)])
    resumed = arrays(run_on(tmp_path / "killed"))
    (state,) = (n for n in whole if n.endswith("/seed_generator_state"))
    assert whole[state][1] > 0
    for name, value in whole.items():
        np.testing.assert_array_equal(resumed[name], value, err_msg=name)
    options["shuffle_keys"] = False
    in_turn = arrays(run_on(tmp_path / "in_turn"))
    assert (in_turn["contrast/queue"] != whole["contrast/queue"]).any()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "heads"),
    [
        ({"contrast_weight": 0.0}, {"hard_head", "soft_head"}),
        ({"hard_weight": 0.0}, {"head"}),
        ({"soft_weight": 0.0, "soft_labels": "cached"}, {"head"}),
    ],
    ids=str,
)
def test_losses_that_are_left_out(options, heads):
    seen = {}
    made, model = recipe(**options), train(seen, **options).model
    assert [s.epochs for s in made.stages] == [2, 2, 2, 2]
    first, student = seen["self_supervised", "end"], seen["distill", "end"]
    contrasts = "contrast_weight" not in options
    assert any("contrast/" in name for name in first) == contrasts
    assert made.stages[0].two_views == contrasts
    own = {name for name in student if not name.startswith("teacher/")}
    found = {name.split("/")[0] for name in own}
    assert found == heads | {"encoder"}
    assert {n for n in own if "moving_" not in n} <= changed(seen, "distill")
    online = "soft_labels" not in options
    assert any(n.startswith("teacher/") for n in student) == online
    scaled = {n for n in changed(seen, "rescale") if "moving_" not in n}
    assert scaled == {"scales/scales"}
    assert made.serve(model).output_shape == (None, 3)
    assert made.serve(seen["distill", "model"]).output_shape == (None, 3)


def test_weights_of_losses():
    made = recipe(contrast_weight=0.5, hard_weight=2.0, soft_weight=3.0)
    assert made.build().get_layer("contrast").weight == 0.5
    loss = made.stages[2].loss
    assert (loss.hard_weight, loss.soft_weight) == (2.0, 3.0)


def test_bad_arguments():
    for name in ("contrast_weight", "hard_weight", "soft_weight"):
        with pytest.raises(ValueError, match="weight` must be >= 0, got -1"):
            recipe(**{name: -1.0}).build()
    with pytest.raises(ValueError, match="`hard_weight`, `soft_weight`"):
        recipe(hard_weight=0.0, soft_weight=0.0)
    for epochs in ((0, 2, 2, 2), (2, 0, 2, 2), (2, 2, 0, 2)):
        with pytest.raises(ValueError, match="each stage needs the ones"):
            recipe(epochs)
    assert [s.name for s in recipe((2, 2, 0, 0)).stages] == [
        "self_supervised",
        "soft_labels",
    ]
    with pytest.raises(ValueError, match="multiple of the batch of 16, got 40"):
        recipe(queue_size=40).build()
    with pytest.raises(ValueError, match="divide the batch of 16, got 3"):
        recipe(norm_groups=3).build()
