"""What holds for every loss, constraint, layer, metric, and optimizer part."""

import inspect
import math
import typing

import keras
import numpy as np
import programs
import pytest
import tiny
from gradients import gradient

from keras_lt import constraints, layers, losses, metrics
from keras_lt.optimizers import SGD
from keras_lt.schedules import EpochRates

COUNTS = [150, 30, 4]
# Arguments that differ from the defaults; a class without any is an error.
ARGUMENTS = {
    "ClassBalancedLoss": [
        {
            "class_counts": COUNTS,
            "beta": 0.99,
            "form": "softmax_bce",
            "label_smoothing": 0.1,
            "reduction": "sum",
            "name": "weighted",
        },
        {"class_counts": COUNTS},
    ],
    "FocalLoss": [
        {
            "class_counts": COUNTS,
            "gamma": 0.5,
            "beta": 0.99,
            "label_smoothing": 0.1,
            "reduction": "sum",
            "name": "focus",
        },
        {"class_counts": COUNTS},
    ],
    "HardSoftDistillation": [
        {
            "temperature": 1.0,
            "hard_weight": 0.5,
            "soft_weight": 2.0,
            "reduction": "sum",
            "name": "heads",
        }
    ],
    "LDAMLoss": [
        {
            "class_counts": COUNTS,
            "scale": 2.0,
            "max_margin": 0.25,
            "beta": 0.99,
            "reweighted": True,
            "label_smoothing": 0.1,
            "reduction": "sum",
            "name": "margins",
        },
        {"class_counts": COUNTS},
    ],
    "LabelAwareSmoothing": [
        {
            "class_counts": COUNTS,
            "head": 0.3,
            "tail": 0.0,
            "form": "linear",
            "reduction": "sum",
            "name": "smooth",
        },
        {"class_counts": COUNTS},
    ],
    "LogitAdjustedLoss": [
        {
            "class_counts": COUNTS,
            "tau": 0.5,
            "label_smoothing": 0.1,
            "reduction": "sum",
            "name": "adjusted",
        },
        {"class_counts": COUNTS},
    ],
    "ResLTLoss": [
        {
            "class_counts": COUNTS,
            "cuts": [1],
            "beta": 0.5,
            "fused": "bounded",
            "epsilon": 1e-6,
            "label_smoothing": 0.1,
            "reduction": "sum",
            "name": "branches",
        },
        {"class_counts": COUNTS, "cuts": []},
    ],
    "RIDELoss": [
        {
            "class_counts": COUNTS,
            "base": losses.LDAMLoss(COUNTS, scale=2.0),
            "diversity": -0.1,
            "divergence": "pairwise",
            "gamma": 0.02,
            "reweighted": True,
            "collaborative": False,
            "reduction": "sum",
            "name": "experts",
        },
        {"class_counts": COUNTS, "collaborative": True},
    ],
    "SHIKELoss": [
        {
            "base": losses.LogitAdjustedLoss(COUNTS, tau=[0.9, 1.1]),
            "mutual": 2.0,
            "hardest": 0.5,
            "gated": True,
            "target_fill": -30.0,
            "teacher_gradient": False,
            "reduction": "sum",
            "name": "lessons",
        }
    ],
    "SoftmaxCrossentropy": [
        {"label_smoothing": 0.1, "reduction": "sum", "name": "plain"}
    ],
    "RouterLoss": [{"pos_weight": 5.0, "reduction": "sum", "name": "routes"}],
    "DistillationLoss": [
        {
            "loss": losses.RIDELoss(COUNTS, diversity=-0.1),
            "temperature": 2.0,
            "weight": 0.5,
            "official_scale": False,
            "reduction": "sum",
            "name": "taught",
        },
    ],
    "ClassMaxNorm": [{"radius": 0.75}],
    "ClassUnitNorm": [{}],
    "AdaptFormer": [{"rank": 3, "name": "beside"}],
    "FiveCrops": [{"size": [3, 4], "name": "crops"}],
    "LoRA": [
        {"layer": keras.layers.Dense(4, name="q"), "rank": 2, "name": "query"}
    ],
    "ScaleAndShift": [{"name": "ssf"}],
    "AppendRoutes": [{"name": "both"}],
    "BatchNormalization": [
        {"groups": 3, "epsilon": 1e-5, "name": "norm"},
        {"synchronize": True, "momentum": 0.9},
    ],
    "CosineClassifier": [{"num_classes": 4, "scale": 7.0, "name": "head"}],
    "Distillation": [{"temperature": 2.0, "weight": 0.5, "name": "lesson"}],
    "EarlyExit": [{"name": "exit"}],
    "ExpertRouter": [
        {"top_k": 2, "hidden": 5, "initial": "linear", "name": "routes"}
    ],
    "LWS": [{"name": "scaling"}],
    "MomentumContrast": [
        {
            "encoder": keras.Sequential(
                [keras.Input((2,)), layers.BatchNormalization()]
            ),
            "batch_size": 2,
            "queue_size": 6,
            "shuffle": True,
            "groups": 2,
            "width": 4,
            "momentum": 0.5,
            "temperature": 1.0,
            "weight": 0.5,
            "name": "contrast",
        }
    ],
    "BranchSum": [
        {
            "fusion": layers.ResidualFusion(4, branches=2, name="head"),
            "name": "branches",
        }
    ],
    "NearestClassMean": [
        {"num_classes": 4, "distance": "cosine", "name": "head"}
    ],
    "ResidualFusion": [
        {
            "num_classes": 4,
            "branches": 2,
            "form": "convolution",
            "pool": "before",
            "tau": 0.5,
            "name": "head",
        }
    ],
    "ReLU": [{"max_value": 6.0, "negative_slope": 0.1, "name": "six"}],
    "ZeroPadShortcut": [{"channels": 6, "stride": 3, "name": "path"}],
    "BalancedAccuracy": [
        {"num_classes": 3, "num_views": 2, "name": "balanced"},
        {"num_classes": 3},
    ],
    "ExpectedCalibrationError": [
        {"num_classes": 3, "bins": 4, "num_views": 2, "name": "ece"},
        {"num_classes": 3},
    ],
    "ShotAccuracy": [
        {
            "class_counts": COUNTS,
            "group": "few",
            "num_views": 2,
            "name": "tail",
        },
        {"class_counts": COUNTS},
    ],
    "SGD": [
        {
            "learning_rate": 0.3,
            "momentum": 0.5,
            "nesterov": True,
            "l2": 0.1,
            "rate_factors": {"bias": 2.0},
            "accumulate_steps": 3,
            "average": "swa",
            "average_momentum": 0.9,
            "average_steps": [2, 4],
            "name": "steps",
            "clipnorm": 2.0,
        }
    ],
    "EpochRates": [{"rates": [0.2, 0.1], "steps_per_epoch": 3}],
}


def public_classes(package):
    every = [getattr(package, name) for name in package.__all__]
    return [part for part in every if inspect.isclass(part)]


PACKAGES = (losses, constraints, layers, metrics)
PARTS = [part for package in PACKAGES for part in public_classes(package)]
PARTS += [SGD, EpochRates]


def cases(parts):
    return [
        pytest.param(part, arguments, id=f"{part.__name__}{number}")
        for part in parts
        for number, arguments in enumerate(ARGUMENTS[part.__name__])
    ]


EVERY = pytest.mark.parametrize(("part", "arguments"), cases(PARTS))
LOSS = pytest.mark.parametrize(
    ("part", "arguments"), cases(public_classes(losses))
)


@EVERY
def test_config_comes_back(part, arguments):
    made = part(**arguments)
    saved = keras.saving.serialize_keras_object(made)
    assert saved["registered_name"] == f"keras_lt>{part.__name__}"
    back = keras.saving.deserialize_keras_object(saved, safe_mode=True)
    assert type(back) is part
    config = made.get_config()
    assert back.get_config() == config
    for name, value in arguments.items():
        if isinstance(value, (keras.losses.Loss, keras.Layer)):
            saved = keras.saving.serialize_keras_object(value)
            assert config[name] == saved
        else:
            assert config[name] == pytest.approx(value)


@EVERY
def test_config_is_plain(part, arguments):
    # Counts from numpy must not end up in a saved file.
    arguments = {
        name: np.array(value) if isinstance(value, list) else value
        for name, value in arguments.items()
    }
    plain = (int, float, str, bool, type(None))
    for name, value in part(**arguments).get_config().items():
        if isinstance(value, dict):  # such as the dtype policy of Keras
            continue
        values = value if isinstance(value, (list, tuple)) else [value]
        assert {type(each) for each in values} <= set(plain), name


# Shape of an image's logits, where it is not (C,).
LOGITS = {
    "RIDELoss": (2, 3),
    "ResLTLoss": (2, 3),
    "RouterLoss": (3, 4),
    "SHIKELoss": (2, 3),
    "DistillationLoss": (3, 3),
    "HardSoftDistillation": (3, 3),
}


def batch(part=None):
    random = np.random.default_rng(0)
    shape = LOGITS.get(getattr(part, "__name__", None), (3,))
    return random.integers(0, 3, 8), random.normal(size=(8, *shape))


def evaluated(loss, labels, logits, dtype="float32"):
    logits = keras.ops.convert_to_tensor(logits, dtype)
    return float(keras.ops.cast(loss(labels, logits), "float32"))


@programs.once("tensorflow")
@LOSS
def test_labels_in_a_column(part, arguments):
    labels, logits = batch(part)
    values = [
        evaluated(part(**arguments), given, logits)
        for given in (
            labels,
            labels[:, None],
            labels.astype("float32"),
            labels[:, None].astype("float32"),
        )
    ]
    assert values[0] > 0
    assert values == [values[0]] * 4


@LOSS
def test_images_may_have_weights(part, arguments):
    labels, logits = batch(part)
    weights = np.linspace(0, 2, len(labels), dtype="float32")
    values = part(**arguments | {"reduction": None})(labels, logits)
    assert values.shape == labels.shape
    total = part(**arguments | {"reduction": "sum"})(
        labels, logits, sample_weight=weights
    )
    golden = np.sum(weights * keras.ops.convert_to_numpy(values))
    assert float(total) == pytest.approx(float(golden), rel=1e-5)


@LOSS
def test_one_hot_labels_are_ids_and_others_lie_between(part, arguments):
    labels, logits = batch(part)
    first = np.eye(len(COUNTS), dtype="float32")[labels]
    second = first[::-1]
    found = [
        evaluated(part(**arguments), shares, logits)
        for shares in (first, second, 0.25 * first + 0.75 * second)
    ]
    sparse = evaluated(part(**arguments), labels, logits)
    assert found[0] == pytest.approx(sparse, rel=1e-5)
    between = 0.25 * found[0] + 0.75 * found[1]
    assert found[2] == pytest.approx(between, rel=1e-5)


@LOSS
def test_large_logits_stay_finite(part, arguments):
    loss = part(**arguments)
    labels, logits = batch(part)
    corners = np.array([[1, -1, -1], [-1, 1, -1], [1, 1, -1], [1, 1, 1]])
    corners = np.resize(corners, logits.shape)
    for extreme in (np.sign(logits), corners):
        extreme = extreme * 1e4
        assert np.isfinite(evaluated(loss, labels, extreme))
        slope = gradient(lambda at: loss(labels, at), extreme)
        assert np.all(np.isfinite(slope))


@LOSS
def test_bfloat16_logits(part, arguments):
    loss = part(**arguments)
    labels, logits = batch(part)
    exact = evaluated(loss, labels, logits)
    ours = evaluated(loss, labels, logits, "bfloat16")
    assert ours == pytest.approx(exact, rel=0.03)
    slope = gradient(lambda at: loss(labels, at), logits, dtype="bfloat16")
    exact = gradient(lambda at: loss(labels, at), logits)
    np.testing.assert_allclose(
        slope, exact, rtol=0.1, atol=0.05 * np.abs(exact).max()
    )


@pytest.fixture
def policy(request):
    """The precision of layers, for one test."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy(before)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"], indirect=True)
def test_steps_of_fit(policy):
    """One model, with a head for each loss: one program to compile.

    TensorFlow takes long to optimize it: there, no program at all.
    """
    inputs = keras.Input((3,))
    heads, every, labels = {}, {}, {}
    for case in cases(public_classes(losses)):
        part, arguments = case.values
        name = f"{part.__name__}{len(heads)}"
        labels[name], logits = batch(part)
        shape = logits.shape[1:]
        made = keras.layers.Dense(math.prod(shape), kernel_initializer="zeros")
        assert made.dtype_policy.name == policy
        heads[name] = keras.layers.Reshape(shape, name=name)(made(inputs))
        every[name] = part(**arguments)
    model = keras.Model(inputs, heads)
    eager = keras.backend.backend() == "tensorflow"
    optimizer = SGD(0.05, momentum=0)
    tiny.compiled(model, optimizer, every, run_eagerly=eager)
    images = np.eye(3)[labels[name]]
    history = model.fit(
        images, labels, batch_size=8, epochs=3, shuffle=False, verbose=0
    ).history
    for name in heads:
        first, _, last = history[f"{name}_loss"]
        assert last < first, name


@pytest.mark.slow
def test_a_saved_model_comes_back(tmp_path):
    inputs = keras.Input((4, 4, 2))
    x = layers.ZeroPadShortcut(4, stride=2, name="path")(inputs)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dense(
        5, kernel_constraint=constraints.ClassUnitNorm(), name="hidden"
    )(x)
    head = keras.layers.Dense(
        3, kernel_constraint=constraints.ClassMaxNorm(0.5), name="head"
    )
    model = keras.Model(inputs, head(x))
    tiny.compiled(
        model,
        SGD(EpochRates([0.1, 0.05], 1), l2=0.1),
        losses.ClassBalancedLoss(COUNTS),
        metrics=metrics.shot_accuracy_metrics(COUNTS),
    )
    labels, _ = batch()
    images = np.random.default_rng(1).random((8, 4, 4, 2)).astype("float32")
    model.fit(images, labels, epochs=2, verbose=0)
    path = tmp_path / "model.keras"
    model.save(path)
    back = keras.saving.load_model(path, safe_mode=True)
    ours, theirs = (
        each.predict_on_batch(images).tolist() for each in (model, back)
    )
    assert ours == theirs
    assert back.get_layer("head").kernel_constraint.radius == 0.5
    for number, each in enumerate((model, back)):  # training goes on alike
        each.fit(images, labels, verbose=0)
        norms = np.linalg.norm(
            each.get_layer("hidden").get_weights()[0], axis=0
        )
        np.testing.assert_allclose(norms, 1, rtol=1e-5, err_msg=f"{number}")
    for ours, theirs in zip(
        model.get_weights(), back.get_weights(), strict=True
    ):
        np.testing.assert_allclose(theirs, ours, rtol=1e-5, atol=1e-6)


# What no argument of such a kind may be.
NONSENSE = {
    bool: ("maybe", 3.5, [1]),
    int: (math.nan, math.inf, 2.5, "text", None, [[1]], 1j, True),
    float: (math.nan, math.inf, -math.inf, "text", [[1]], 1j, True),
    str: ("nonsense", 3, [1]),
    list: ("text", [math.nan] * 3, [[1]], 3, 1j),
}


@programs.once("tensorflow")
@EVERY
def test_bad_arguments_are_named(part, arguments):
    hints = typing.get_type_hints(part.__init__)  # others are Keras's
    checked = hints.keys() & arguments.keys() - {"name", "reduction"}
    for name in {name for name in checked if hints[name] is not typing.Any}:
        for bad in NONSENSE.get(type(arguments[name]), ()):
            if bad is None and "None" in str(hints[name]):
                continue
            with pytest.raises(ValueError, match=f"`{name}`"):
                part(**arguments | {name: bad})
