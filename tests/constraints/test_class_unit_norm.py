# Goldens: tests/cards/wb.md.
import keras
import numpy as np
import tiny

from keras_lt import stats
from keras_lt.constraints import ClassUnitNorm


def project(kernel):
    return keras.ops.convert_to_numpy(ClassUnitNorm()(kernel))


def test_class_vectors_get_length_one():
    kernel = np.array([[3, 4], [0, 1e-3], [0, 0]], "float32").T
    golden = [[0.6, 0.8], [0, 1], [0, 0]]
    np.testing.assert_allclose(project(kernel).T, golden, rtol=1e-6)


def test_it_is_l2_normalisation():
    random = np.random.default_rng(0)
    kernel = random.normal(size=(16, 5)).astype("float32")
    golden = stats.tau_normalize(kernel, 1.0)
    np.testing.assert_allclose(project(kernel), golden, rtol=1e-5)


def test_convolution_kernels_and_dtype():
    ours = project(np.full((2, 2, 4, 3), 5, "float32"))
    np.testing.assert_allclose(ours, np.full((2, 2, 4, 3), 0.25), rtol=1e-6)
    half = ClassUnitNorm()(keras.ops.ones((4, 2), "float16"))
    assert keras.backend.standardize_dtype(half.dtype) == "float16"


def test_projects_after_every_step_of_a_fit():
    model = tiny.linear([[1.0], [0]], kernel_constraint=ClassUnitNorm())
    tiny.compiled(
        model, keras.optimizers.SGD(0.5), lambda y_true, y_pred: -y_pred
    )
    tiny.fit(model, [[0, 1]], [0], steps=2)
    first = np.array([1, 0.5]) / np.hypot(1, 0.5)
    second = first + [0, 0.5]
    ours = model.get_weights()[0][:, 0]
    golden = second / np.linalg.norm(second)
    np.testing.assert_allclose(ours, golden, rtol=1e-5)
