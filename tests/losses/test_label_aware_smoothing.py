# Goldens: tests/cards/toolbox.md, sections 6 and 7.
import numpy as np
import pytest
from gradients import gradient

from keras_lt.losses import LabelAwareSmoothing, SoftmaxCrossentropy

LOGITS = np.array([[2, 1, 0], [0, 3, 0], [1, -1, 0.5]], "float32")
LABELS = np.array([0, 1, 2])
COUNTS = [100, 10, 5]


@pytest.mark.parametrize(
    ("options", "golden", "rows"),
    [
        (
            {},
            0.74678892,
            [
                [-0.02269746, 0.03713171, -0.01443425],
                [0.00122908, -0.00245816, 0.00122908],
                [0.18025455, 0.01478741, -0.19504196],
            ],
        ),
        ({"form": "linear"}, 0.74079937, []),
        ({"form": "convex"}, 0.73095616, []),
        (
            {"head": 0.98, "tail": 0.98},
            1.60805084,
            [
                [0.10619143, -0.02731273, -0.0788787],
                [-0.09379606, 0.18759211, -0.09379606],
                [0.08247678, -0.08299036, 0.00051359],
            ],
        ),
        (
            {"head": 0.5, "tail": 0.5},
            1.07471750,
            [[-0.00047524, 0.0260206, -0.02554536]],
        ),
    ],
    ids=str,
)
def test_golden_values_and_gradients(options, golden, rows):
    loss = LabelAwareSmoothing(COUNTS, **options)
    assert float(loss(LABELS, LOGITS)) == pytest.approx(golden, rel=1e-6)
    found = gradient(lambda logits: loss(LABELS, logits), LOGITS)
    for ours, row in zip(found, rows, strict=False):
        np.testing.assert_allclose(ours, row, atol=3e-8)


@pytest.mark.parametrize(
    ("form", "middle"),
    [("concave", 0.1247738), ("linear", 0.11578947), ("convex", 0.10102465)],
)
def test_smoothing_by_class(form, middle):
    loss = LabelAwareSmoothing(COUNTS, form=form)
    golden = [0.4, middle, 0.1]
    np.testing.assert_allclose(loss.smoothing, golden, rtol=1e-6)


def test_smoothing_of_cifar():
    ids = [0, 10, 35, 50, 70, 99]
    counts = [int(500 * 100 ** (-c / 99)) for c in range(100)]
    assert [counts[c] for c in ids] == [500, 314, 98, 48, 19, 5]
    golden = [0.4, 0.34924236, 0.18725620, 0.14080898, 0.11332358, 0.1]
    found = LabelAwareSmoothing(counts).smoothing[ids]
    np.testing.assert_allclose(found, golden, rtol=1e-6)


def test_without_smoothing_it_is_cross_entropy():
    ours = LabelAwareSmoothing(COUNTS, head=0, tail=0)(LABELS, LOGITS)
    plain = SoftmaxCrossentropy()(LABELS, LOGITS)
    assert float(ours) == pytest.approx(float(plain), rel=1e-6)


def test_equal_classes_are_smoothed_alike():
    loss = LabelAwareSmoothing([7, 7], head=0.4, tail=0.1)
    np.testing.assert_allclose(loss.smoothing, 0.1, rtol=1e-6)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"head": 1.5}, r"`head` must be in \[0, 1\], got 1.5"),
        ({"tail": -0.1}, r"`tail` must be in \[0, 1\], got -0.1"),
        ({"form": "round"}, "`form` must be one of .* got 'round'"),
    ],
)
def test_bad_arguments(option, message):
    with pytest.raises(ValueError, match=message):
        LabelAwareSmoothing(COUNTS, **option)
    with pytest.raises(ValueError, match="class 1"):
        LabelAwareSmoothing([3, 0])
