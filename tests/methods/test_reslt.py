import keras
import numpy as np
import programs
import pytest
import toy

from keras_lt.methods import reslt
from keras_lt.training import Problem, evaluate, run

JIT = False if keras.backend.backend() == "tensorflow" else "auto"


def counts(classes, ratio, largest=500):
    rank = np.arange(classes) / (classes - 1)
    return tuple(np.maximum(largest * ratio**-rank, 1).astype(int).tolist())


def settings(class_counts, **options):
    problem = Problem((32, 32, 3), class_counts)
    (stage,) = reslt.recipe(problem, **options).stages
    return stage


@pytest.mark.parametrize(
    ("classes", "ratio", "beta", "cuts"),
    [
        (10, 100, 0.998, [2, 4]),
        (10, 50, 0.998, [2, 4]),
        (10, 10, 0.96, [2, 4]),
        (100, 100, 0.995, [35, 70]),
        (100, 50, 0.99, [35, 70]),
        (100, 10, 0.72, [35, 70]),
        (100, 12, 0.72, [35, 70]),  # the nearest
        (1000, 256, 0.99, [175, 780]),
        (8142, 500, 0.85, [1542]),
    ],
)
def test_published_beta_and_cuts(classes, ratio, beta, cuts):
    loss = settings(counts(classes, ratio)).loss
    assert (loss.beta, loss.cuts) == (beta, cuts)


def test_own_settings():
    loss = settings(counts(100, 100), beta=0.5, cuts=(10, 20)).loss
    assert (loss.beta, loss.cuts) == (0.5, [10, 20])
    loss = settings((500, 200, 50, 30, 5)).loss  # no published data set
    assert (loss.beta, loss.cuts) == (0.99, [2, 4])
    assert settings(counts(100, 100), branches=False).loss.cuts == []


def test_published_training():
    stage = settings(counts(100, 100))
    assert (stage.epochs, stage.batch_size) == (200, 128)
    assert stage.drop_remainder
    sgd = stage.optimizer(84)
    assert (sgd.momentum, sgd.nesterov, sgd.l2) == (0.9, True, 5e-4)
    rates = sgd.get_config()["learning_rate"]["config"]["rates"]
    ours = [rates[epoch] for epoch in (0, 4, 159, 160, 180)]
    golden = [0.04666667, 0.1, 0.1, 0.01, 0.001]
    assert ours == pytest.approx(golden, rel=1e-6)


@pytest.mark.parametrize(
    ("family", "rates"),
    [
        ("imagenet_lt", {0: 0.02, 5: 0.09999203, 179: 7.97e-6}),
        ("inaturalist2018", {0: 0.1, 50: 0.08535534, 199: 6.17e-6}),
    ],
)
def test_published_training_on_large_sets(family, rates):
    preset = reslt.recipe.presets[family]
    stage = settings((9, 5, 2), **preset)
    config = stage.optimizer(1).get_config()["learning_rate"]["config"]
    for epoch, rate in rates.items():
        assert config["rates"][epoch] == pytest.approx(rate, rel=1e-3)
    assert not stage.optimizer(1).nesterov


@pytest.mark.slow
@programs.once("jax")
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"branches": False},
        {"num_experts": 2, "form": "convolution", "tau": 0.3},
    ],
    ids=str,
)
def test_trains_and_judges_the_branches(options):
    recipe = reslt.recipe(
        toy.problem(),
        backbone="micro",
        width=4,
        epochs=(2,),
        batch_size=16,
        lr=0.05,
        **options,
    )
    model = run(recipe, toy.loader(), verbose=False, jit_compile=JIT).model
    pixels, labels = toy.test_images()
    serve, views = recipe.serve(model), recipe.views(model)
    found = evaluate(serve, pixels, labels, toy.COUNTS, views=views)
    assert len(found["views"]) == (2 if "branches" in options else 5)
    assert serve.output_shape == (None, 3)
    if not options:
        assert found["views"]["fused"] == found["accuracy"]
