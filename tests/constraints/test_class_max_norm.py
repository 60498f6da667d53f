# Goldens: tests/cards/wb.md.
import keras
import numpy as np
import pytest
import tiny

from keras_lt import stats
from keras_lt.constraints import ClassMaxNorm

# Class vectors are columns; the card writes them as rows.
KERNEL = np.array([[3, 4], [0, 1], [0.6, 0.8], [0, 2]], "float32").T


def project(kernel, radius):
    return keras.ops.convert_to_numpy(ClassMaxNorm(radius)(kernel))


def test_golden():
    radius = stats.max_norm_radius(KERNEL)
    assert radius == pytest.approx(1.4)
    ours = project(KERNEL, radius)
    golden = [[0.84, 1.12], [0, 1], [0.6, 0.8], [0, 1.4]]
    np.testing.assert_allclose(ours.T, golden, rtol=1e-6)
    np.testing.assert_allclose(project(ours, radius), ours, rtol=1e-7)


def test_inside_the_ball_nothing_changes_bit_for_bit():
    random = np.random.default_rng(0)
    kernel = random.normal(size=(32, 50)).astype("float32")
    norms = stats.class_norms(kernel)
    radius = float(np.median(norms))
    ours = project(kernel, radius)
    inside = norms < radius * (1 - 1e-5)
    assert 20 <= inside.sum() <= 25
    np.testing.assert_array_equal(ours[:, inside], kernel[:, inside])
    outside = stats.class_norms(ours[:, ~inside])
    np.testing.assert_allclose(outside, radius, rtol=1e-5)
    np.testing.assert_array_equal(project(kernel * 1e-3, 1.0), kernel * 1e-3)


def test_zero_vectors_and_dtype():
    zeros = np.zeros((3, 2), "float32")
    np.testing.assert_array_equal(project(zeros, 0.5), zeros)
    half = keras.ops.convert_to_tensor(KERNEL, "float16")
    ours = ClassMaxNorm(1.0)(half)
    assert keras.backend.standardize_dtype(ours.dtype) == "float16"


def test_convolution_kernels():
    kernel = np.ones((3, 3, 4, 2), "float32") * [1, 0.01]
    ours = project(kernel.astype("float32"), 3.0)
    np.testing.assert_allclose(ours[..., 0], 0.5, rtol=1e-6)
    np.testing.assert_allclose(ours[..., 1], 0.01, rtol=1e-6)


def test_projects_after_every_step_of_a_fit():
    # The gradient is (-1, -1); Keras applies a constraint at each step.
    model = tiny.linear(np.zeros((2, 1)), kernel_constraint=ClassMaxNorm(0.25))
    tiny.compiled(
        model, keras.optimizers.SGD(0.1), lambda y_true, y_pred: -y_pred
    )
    kernels = []
    for _ in range(2):
        tiny.fit(model, [[1, 1]], [0])
        kernels.append(model.get_weights()[0][:, 0])
    tiny.fit(model, [[1, 0]], [0])
    kernels.append(model.get_weights()[0][:, 0])
    at = 0.25 / np.sqrt(2)
    moved = np.array([at + 0.1, at])
    golden = [[0.1, 0.1], [at, at], 0.25 * moved / np.linalg.norm(moved)]
    np.testing.assert_allclose(kernels, golden, rtol=1e-5)


@pytest.mark.parametrize("radius", [0, -1.0, float("nan")])
def test_bad_radius(radius):
    with pytest.raises(ValueError, match="`radius`"):
        ClassMaxNorm(radius)
