# Goldens: tests/cards/lift.md, A4, A5.
import keras
import numpy as np
import programs
import pytest
import toy

from keras_lt.layers import CosineClassifier, class_means
from keras_lt.losses import LogitAdjustedLoss
from keras_lt.methods import METHODS
from keras_lt.methods.stages import start_at_class_means
from keras_lt.models import anatomy
from keras_lt.training import predict_logits, run

FEATURES = np.array(
    [[1, 0, 2], [0, 3, 0], [3, 2, 0], [0, 1, 4], [2, 2, 2]], "float32"
)
LABELS = np.array([0, 1, 0, 2, 1])
QUERIES = np.array([[1, 1, 1], [0, 2, 1]], "float32")
LOGITS = [
    [23.570226, 22.613350, 17.503502],
    [13.693065, 23.354967, 16.269785],
]


def recipe(**options):
    given = {
        "backbone": "micro",
        "width": 4,
        "epochs": (2, 2),
        "batch_size": 8,
        "crop": 0.5,
    }
    return METHODS["adapt"](toy.problem(), **given | options)


def trained(made, workdir=None, **how):
    return run(made, toy.loader(), workdir=workdir, verbose=False, **how)


def test_golden_means_answer_and_loss():
    """Class 2 has a single image."""
    means = class_means(FEATURES, LABELS, 3)
    golden = [[2, 1, 1], [1, 2.5, 1], [0, 1, 4]]
    np.testing.assert_allclose(means.T, golden)
    features = keras.Input((3,))
    head = CosineClassifier(3, scale=25, name="head")
    model = keras.Model(features, head(features))
    start_at_class_means(model, FEATURES, LABELS)
    np.testing.assert_allclose(
        np.transpose(head.kernel)[0], [0.81649655, 0.40824828, 0.40824828]
    )
    logits = keras.ops.convert_to_numpy(model(QUERIES))
    np.testing.assert_allclose(logits, LOGITS, rtol=1e-5)
    assert not np.any(keras.ops.convert_to_numpy(model(0 * QUERIES)))
    loss = LogitAdjustedLoss((100, 10, 5))(np.array([2, 1]), logits)
    assert float(loss) == pytest.approx(4.550656, rel=1e-5)


def test_steps_end_the_recipe():
    for steps, names in enumerate(
        (["means"], ["means", "head"], ["means", "head", "light"])
    ):
        assert [s.name for s in recipe(steps=steps).stages] == names
    assert [s.name for s in recipe(epochs=(0, 2)).stages] == ["means", "light"]
    with pytest.raises(ValueError, match="`steps` must be"):
        recipe(steps=3)


@programs.once("jax")
def test_kept_features_train_what_images_would(tmp_path):
    """Step 1 on arrays is step 1 on the whole network, frozen."""
    import dataclasses

    quick = trained(recipe(steps=1), tmp_path).model
    slow = recipe(steps=1)
    means, head = slow.stages
    head = dataclasses.replace(head, on_features=None)
    slow = dataclasses.replace(slow, stages=(means, head), augment={})
    loader = toy.loader(augment=toy.Augment())
    slow = run(slow, loader, verbose=False).model
    pixels, _ = toy.test_images()
    np.testing.assert_allclose(
        predict_logits(quick, pixels),
        predict_logits(slow, pixels),
        rtol=1e-3,
        atol=1e-3,
    )
    kept = np.load(tmp_path / "stages" / "features.npz")
    assert kept["arr_0"].shape == (sum(toy.COUNTS), 8)


@pytest.mark.parametrize(
    ("tune", "learning"),
    [
        ("auto", {"gamma", "beta"}),
        ("scale_and_shift", {"scale", "shift"}),
        ("last_block", {"kernel", "gamma", "beta"}),
    ],
)
@programs.once("jax")
def test_frozen_weights_stay(tune, learning):
    made = recipe(tune=tune)
    before = {}

    def keep(stage, model):
        (encoder,) = anatomy.encoders(model)
        encoder = getattr(encoder, "encoder", encoder)
        before[stage.name] = [
            (v.path.split("/")[-1], keras.ops.convert_to_numpy(v))
            for v in encoder.variables
        ]
        if stage.name == "light":
            found = model.trainable_variables[:-1]
            kinds = {v.path.split("/")[-1] for v in found}
            assert kinds == learning

    outcome = trained(made, on_stage_end=keep)
    moved = set()
    for means, head, light in zip(*before.values(), strict=True):
        np.testing.assert_array_equal(means[1], head[1])
        if (head[1] != light[1]).any():
            moved.add(head[0])
    assert moved == learning - {"scale", "shift"}
    serve = made.serve(outcome.model)
    pixels, _ = toy.test_images()
    np.testing.assert_allclose(
        predict_logits(serve, pixels),
        predict_logits(outcome.model, pixels),
        rtol=1e-5,
        atol=1e-5,
    )


def test_nothing_of_that_kind():
    made = recipe(tune="lora")
    with pytest.raises(ValueError, match="must be a transformer of KerasHub"):
        made.stages[-1].setup(made.build())


@programs.once("tensorflow")
def test_answers_by_five_crops(tmp_path):
    made = recipe(steps=0, ensemble=True)
    outcome = trained(made)
    serve = made.serve(outcome.model)
    pixels, _ = toy.test_images()
    assert predict_logits(serve, pixels).shape == (60, 3)
    serve.save(tmp_path / "model.keras")
    back = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        predict_logits(back, pixels), predict_logits(serve, pixels), rtol=1e-5
    )
