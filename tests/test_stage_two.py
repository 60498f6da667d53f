"""The parts of weight balancing together, on golden W9 of its method card."""

# Goldens: tests/cards/wb.md.

import keras
import numpy as np
import programs
import pytest
import tiny
from gradients import gradient

from keras_lt import stats
from keras_lt.callbacks import ProjectWeights
from keras_lt.constraints import ClassMaxNorm
from keras_lt.losses import ClassBalancedLoss
from keras_lt.optimizers import SGD

FEATURES = np.array(
    [[1, 0], [0.9, 0.1], [0.8, -0.1], [0, 1], [0.1, 0.9], [-1, -0.5]]
)
LABELS = np.array([0, 0, 0, 1, 1, 2])
COUNTS = (3, 2, 1)
# Class vectors are columns here and rows in the card: hence every `.T`.
KERNEL = np.array([[1, 0.2], [0.1, 0.7], [-0.3, -0.2]]).T
BIAS = np.array([0.1, 0, -0.1])
RADIUS = 0.4264800051
LOSS = ClassBalancedLoss(COUNTS, form="softmax_bce")


def train(l2, steps, *, rate=0.01, epochs=1, callbacks=(), **options):
    """Kernel (rows = classes), bias and last loss after full batches."""
    model = tiny.linear(KERNEL, BIAS, **options)
    tiny.compiled(model, SGD(rate, l2=l2), LOSS)
    history = tiny.fit(
        model,
        FEATURES,
        LABELS,
        steps=steps,
        epochs=epochs,
        callbacks=list(callbacks),
    )
    kernel, bias = model.get_weights()
    return kernel.T, bias, history["loss"][-1]


def test_weights_and_radius():
    weights = stats.class_balanced_weights(COUNTS)
    golden = [0.54549174, 0.81819669, 1.63631157]
    np.testing.assert_allclose(weights, golden, atol=5e-9)
    norms = stats.class_norms(KERNEL)
    golden = [1.01980390, 0.70710678, 0.36055513]
    np.testing.assert_allclose(norms, golden, atol=5e-9)
    radius = stats.max_norm_radius(KERNEL, 0.1)
    assert radius == pytest.approx(RADIUS, abs=1e-10)


def test_loss_and_gradients():
    features = keras.ops.convert_to_tensor(FEATURES, "float32")

    def loss(kernel, bias):
        return LOSS(LABELS, keras.ops.matmul(features, kernel) + bias)

    ours = float(loss(np.float32(KERNEL), np.float32(BIAS)))
    assert ours == pytest.approx(0.3048342315, rel=1e-6)
    kernel, bias = gradient(loss, KERNEL, BIAS)
    golden = [
        [-0.0772918175, 0.0411546230],
        [-0.0126493250, -0.0978717575],
        [0.0899411425, 0.0567171346],
    ]
    np.testing.assert_allclose(kernel.T, golden, atol=2e-8)
    golden = [0.0150489281, 0.0050970056, -0.0201459338]
    np.testing.assert_allclose(bias, golden, atol=2e-8)


def test_three_steps_without_projection():
    kernel, bias, _ = train(0.1, 3)
    golden = [
        [0.99872767, 0.1965738],
        [0.10014627, 0.70156026],
        [-0.3033581, -0.2020577],
    ]
    np.testing.assert_allclose(kernel, golden, atol=2e-7)
    golden = [0.09859834, -0.00028577, -0.09831257]
    np.testing.assert_allclose(bias, golden, atol=5e-8)


ONE_STEP = [
    [0.41824353, 0.08341187],
    [0.06030551, 0.42219479],
    [-0.30059941, -0.20036717],
]
THREE_STEPS = [
    [0.41872793, 0.08094513],
    [0.05989426, 0.42225333],
    [-0.30379955, -0.20231539],
]


def test_projection_after_each_step():
    constraint = ClassMaxNorm(RADIUS)
    kernel, _, _ = train(0.1, 1, kernel_constraint=constraint)
    np.testing.assert_allclose(kernel, ONE_STEP, atol=1e-7)
    kernel, bias, _ = train(0.1, 3, kernel_constraint=constraint)
    np.testing.assert_allclose(kernel, THREE_STEPS, atol=1e-7)
    golden = [0.09863775, -0.00034695, -0.0982908]
    np.testing.assert_allclose(bias, golden, atol=5e-8)


def test_projection_after_each_epoch_of_one_step_is_the_same():
    project = ProjectWeights(ClassMaxNorm(RADIUS))
    kernel, bias, _ = train(0.1, 1, epochs=3, callbacks=[project])
    np.testing.assert_allclose(kernel, THREE_STEPS, atol=1e-7)
    golden = [0.09863775, -0.00034695, -0.0982908]
    np.testing.assert_allclose(bias, golden, atol=5e-8)


@pytest.mark.slow
@programs.once("jax")
def test_converged():
    kernel, bias, loss = train(0.1, 1500, rate=0.1)
    golden = [
        [0.78540024, -0.26464304],
        [-0.05748627, 0.77476073],
        [-0.72791397, -0.51011769],
    ]
    np.testing.assert_allclose(kernel, golden, atol=2e-6)
    golden = [0.03233875, -0.04954947, 0.01721071]
    np.testing.assert_allclose(bias, golden, atol=2e-6)
    # `fit` reports a mean over the steps: evaluate at the end instead.
    logits = FEATURES @ kernel.T + bias
    ours = float(LOSS(LABELS, np.float32(logits)))
    assert ours == pytest.approx(0.2466244302, rel=1e-6)
    assert loss > ours


def test_strong_decay_gives_a_class_mean_classifier():
    kernel, _, _ = train(10.0, 400, rate=0.01)
    golden = [
        [0.01243881, -0.00207751],
        [0.00087644, 0.01088425],
        [-0.01331525, -0.00880674],
    ]
    np.testing.assert_allclose(kernel, golden, atol=1e-7)
    # Zero gradient near zero logits: class mean minus the other classes'.
    weights = stats.class_balanced_weights(COUNTS)[LABELS]
    hit = np.eye(3)[LABELS]
    towards = weights[:, None] * (hit - (1 - hit) / 2)  # (B, C)
    closed = towards.T @ FEATURES / len(LABELS) / (10.0 * 3)
    np.testing.assert_allclose(closed.sum(0), 0, atol=1e-12)
    # The card's second column does not sum to 0: two entries are off there.
    golden = [
        [0.01250041, -0.00204556],
        [0.00090868, 0.01091092],
        [-0.01340908, -0.00886357],
    ]
    np.testing.assert_allclose(closed, golden, rtol=2e-4)
    np.testing.assert_allclose(closed[2], golden[2], atol=5e-9)
    np.testing.assert_allclose(kernel, closed, rtol=0.04)
