import keras
import numpy as np
import programs
import pytest
import toy

from keras_lt.models import (
    add_router,
    classifier,
    count_macs,
    ensemble,
    expert_heads,
    expert_views,
    multi_expert,
    with_teacher,
)
from keras_lt.training import Problem

CIFAR = Problem((32, 32, 3), (5,) * 100)
IMAGENET = Problem((224, 224, 3), (5,) * 1000)
INATURALIST = Problem((224, 224, 3), (5,) * 8142)


def trainable(model):
    return sum(int(np.prod(v.shape)) for v in model.trainable_variables)


def small(experts=3, **options):
    return multi_expert(
        "micro", toy.problem(), num_experts=experts, width=4, **options
    )


def operations(model, experts):
    """Operations of the trunk and the first experts."""
    heads = expert_heads(model)[:experts]
    names = [head.name.removesuffix("_head") for head in heads]
    return sum(
        count_macs(layer)
        for layer in (
            model.get_layer("trunk"),
            *heads,
            *(model.get_layer(name) for name in names),
        )
    )


@pytest.mark.slow
@programs.once("tensorflow")
@pytest.mark.parametrize(
    ("backbone", "problem", "parameters", "plain", "macs"),
    [
        (
            "resnet32",
            CIFAR,
            783_856,
            69.475,
            (50.021, 75.646, 101.272, 126.897, None, 178.148),
        ),
        (
            "resnet10",
            IMAGENET,
            9_401_792,
            892.7,
            (747.1, 962.2, 1177.3, 1392.4, None, 1822.5),
        ),
        (
            "resnet50",
            IMAGENET,
            43_677_248,
            4111.4,
            (3153.4, 4476.5, 5799.6, 7122.8, None, 9769.0),
        ),
        (
            "resnext50",
            IMAGENET,
            42_889_024,
            4259.3,
            (3268.7, 4678.5, 6088.3, 7498.1, None, 10317.7),
        ),
        (
            "resnet50",
            INATURALIST,
            None,
            4126.0,
            (None, 4498.4, 5832.5, 7166.6, None, 9834.9),
        ),
    ],
    ids=["cifar", "resnet10", "resnet50", "resnext50", "inaturalist"],
)
def test_published_parameters_and_operations(
    zeros, backbone, problem, parameters, plain, macs
):
    model = multi_expert(backbone, problem, num_experts=3)
    if parameters:
        assert trainable(model) == parameters
    digits = 3 if backbone == "resnet32" else 1
    one = operations(model, 1)
    each = operations(model, 2) - one
    assert operations(model, 3) == one + 2 * each
    for experts, golden in enumerate(macs):
        if golden is not None:
            ours = (one + experts * each) / 1e6
            assert round(ours, digits) == pytest.approx(golden)
    single = classifier(backbone, problem)
    assert round(count_macs(single) / 1e6, digits) == pytest.approx(plain)


@pytest.mark.parametrize(
    ("backbone", "parameters"),
    [("resnet10", 8_244_416), ("resnet50", 35_438_144)],
)
def test_experts_of_the_last_stage_alone(zeros, backbone, parameters):
    """Counts of the released networks with `share_layer3`."""
    model = multi_expert(backbone, IMAGENET, own_stages=1)
    assert trainable(model) == parameters
    trunk, expert = model.get_layer("trunk"), model.get_layer("expert2")
    stages = [
        {layer.name.split("_")[0] for layer in part.layers if "_" in layer.name}
        for part in (trunk, expert)
    ]
    assert "stage3" in stages[0] and "stage3" not in stages[1]
    assert trunk.output_shape[-1] == 3 * expert.output_shape[-1] // 6


def test_parameters_with_routers(zeros):
    model = add_router(multi_expert("resnet32", CIFAR), top_k=30)
    assert trainable(model) == 785_471


def test_experts_share_the_trunk_and_nothing_else():
    model = small()
    assert model.output_shape == (None, 3, 3)
    assert [layer.name for layer in expert_heads(model)] == [
        f"expert{number}_head" for number in (1, 2, 3)
    ]
    pixels, _ = toy.test_images()
    before = model.predict(pixels[:4], verbose=0)
    assert np.abs(before[:, 0] - before[:, 1]).max() > 0.01
    for variable in model.get_layer("expert2").trainable_variables:
        variable.assign(variable + 0.5)
    after = model.predict(pixels[:4], verbose=0)
    np.testing.assert_array_equal(after[:, 0], before[:, 0])
    np.testing.assert_array_equal(after[:, 2], before[:, 2])
    assert np.abs(after[:, 1] - before[:, 1]).max() > 0.01


def test_thin_and_wide_experts():
    # 4 and 8 channels in the last two stages, times 0.75 or 1.
    for thin, features in ((0.75, 6), (1.0, 8)):
        model = small(2, thin=thin)
        assert model.get_layer("expert1").output_shape == (None, features)
    plain = classifier("micro", toy.problem(), width=4, head="cosine")
    assert trainable(small(1, thin=1.0)) == trainable(plain)


def test_heads():
    kinds = {"cosine": "CosineClassifier", "linear": "Dense"}
    for head, kind in kinds.items():
        heads = expert_heads(small(2, head=head))
        assert [type(layer).__name__ for layer in heads] == [kind] * 2


@programs.once("tensorflow")
def test_views():
    model = small()
    pixels, _ = toy.test_images()
    logits = model.predict(pixels, verbose=0)
    views = expert_views(model)
    assert list(views) == ["expert1", "expert2", "expert3", "ensemble"]
    for number in range(3):
        ours = views[f"expert{number + 1}"].predict(pixels, verbose=0)
        np.testing.assert_allclose(ours, logits[:, number], atol=1e-5)
    mean = ensemble(model).predict(pixels, verbose=0)
    np.testing.assert_allclose(mean, logits.mean(1), atol=1e-5)


@pytest.mark.slow
@programs.once("tensorflow")
def test_teacher_is_the_last_view(tmp_path):
    teacher, student = small(2), small(3)
    ensemble(teacher).save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    model = with_teacher(student, loaded)
    assert model.output_shape == (None, 4, 3)
    pixels, _ = toy.test_images()
    logits = model.predict(pixels, verbose=0)
    ours = student.predict(pixels, verbose=0)
    np.testing.assert_allclose(logits[:, :3], ours, atol=1e-5)
    taught = teacher.predict(pixels, verbose=0).mean(1)
    np.testing.assert_allclose(logits[:, 3], taught, atol=1e-5)
    # The student's views are found in the model with the teacher.
    mean = ensemble(model).predict(pixels, verbose=0)
    np.testing.assert_allclose(mean, ours.mean(1), atol=1e-5)


def test_a_teacher_of_any_kind():
    single = classifier("micro", toy.problem(), width=4)
    assert with_teacher(small(), single).output_shape == (None, 4, 3)


def test_bad_arguments():
    with pytest.raises(ValueError, match="`num_experts` must be >= 1, got 0"):
        small(0)
    with pytest.raises(ValueError, match="`head` must be one of"):
        small(head="normed")
    with pytest.raises(ValueError, match="`backbone` must be one of"):
        multi_expert("resnet33", toy.problem())
    other = multi_expert("micro", Problem((8, 8, 1), (9,) * 5), width=4)
    with pytest.raises(ValueError, match="`teacher`.*classes, 3, got 5"):
        with_teacher(small(), other)
    larger = multi_expert("micro", Problem((9, 9, 1), (9,) * 3), width=4)
    with pytest.raises(ValueError, match="`teacher`.*images"):
        with_teacher(small(), larger)
