import keras
import numpy as np
import pytest
import tiny
from gradients import gradient

from keras_lt.layers import Distillation
from keras_lt.optimizers import SGD

STUDENTS = np.array(
    [[[4, 1, -2], [2, 2, 0]], [[0, 3, 1], [-1, 2, 4]]], "float32"
)
TEACHER = np.array([[5, 0, -1], [-2, 1, 5]], "float32")


def added(layer, student, teacher):
    """The loss that a call adds while training."""
    layer(student, teacher, training=True)
    return keras.ops.sum(keras.ops.stack(layer.losses))


def test_golden_value():
    layer = Distillation()
    ours = float(added(layer, STUDENTS, TEACHER))
    assert ours == pytest.approx(0.7827661550, rel=1e-5)
    layer = Distillation(weight=0.5)
    ours = float(added(layer, STUDENTS.mean(1), TEACHER))
    assert ours == pytest.approx(0.7827661550 / 2, rel=1e-5)


def test_passes_the_student_on():
    layer = Distillation()
    for training in (False, True):
        ours = layer(STUDENTS, TEACHER, training=training)
        np.testing.assert_array_equal(ours, STUDENTS)
    layer(STUDENTS, TEACHER, training=False)
    assert not layer.losses


def test_gradient():
    student = STUDENTS.mean(1)
    slope, to_teacher = gradient(
        lambda s, t: added(Distillation(temperature=2.0), s, t),
        student,
        TEACHER,
    )

    def softmax(logits):
        p = np.exp(logits / 2)
        return p / p.sum(-1, keepdims=True)

    golden = 2 * (softmax(student) - softmax(TEACHER)) / len(student)
    np.testing.assert_allclose(slope, golden, atol=1e-6)
    assert not to_teacher.any()


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_large_logits_stay_finite(dtype):
    layer = Distillation(dtype=dtype)
    ours = added(
        layer,
        keras.ops.cast(STUDENTS[:, 0] * 1e4, dtype),
        keras.ops.cast(-TEACHER * 1e4, dtype),
    )
    assert np.isfinite(float(ours))


def model(**options):
    """Two linear views of the images, student and frozen teacher."""
    images = keras.Input((3,))
    student = keras.layers.Dense(3, use_bias=False, name="student")
    teacher = keras.layers.Dense(3, use_bias=False, name="teacher")
    both = student(images), teacher(images)
    teacher.trainable = False
    teacher.set_weights([np.eye(3) * 4])
    student.set_weights([np.zeros((3, 3))])
    layer = Distillation(name="distillation", **options)
    return keras.Model(images, layer(*both))


def test_fit_learns_from_the_teacher_alone():
    made = model()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    tiny.compiled(made, SGD(0.5, momentum=0), loss, loss_weights=[0.0])
    tiny.fit(made, np.eye(3), [2, 0, 1], steps=100)
    kernel = made.get_layer("student").get_weights()[0]
    assert kernel.argmax(1).tolist() == [0, 1, 2]


def test_a_saved_model_comes_back(tmp_path):
    made = model(temperature=3.0, weight=0.25)
    made.get_layer("distillation").current_weight.assign(0.1)
    made.save(tmp_path / "model.keras")
    layer = keras.saving.load_model(tmp_path / "model.keras").get_layer(
        "distillation"
    )
    assert (layer.temperature, layer.weight) == (3.0, 0.25)
    assert float(layer.current_weight) == pytest.approx(0.1)


def test_bad_arguments():
    with pytest.raises(ValueError, match="`temperature` must be > 0, got 0"):
        Distillation(temperature=0)
    with pytest.raises(ValueError, match="`weight` must be >= 0, got -1"):
        Distillation(weight=-1)
