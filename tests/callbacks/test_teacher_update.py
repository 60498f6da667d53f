import keras
import numpy as np
import programs
import pytest
import tiny

from keras_lt.callbacks import TeacherUpdate
from keras_lt.layers import Distillation
from keras_lt.optimizers import SGD
from keras_lt.training import freeze

X = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
Y = np.array([0, 1, 2, 0, 1, 0])


def network(name, width=5):
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(width, name="hidden"),
            keras.layers.BatchNormalization(momentum=0.5, name="norm"),
            keras.layers.Dropout(0.0, seed=1, name="drop"),
            keras.layers.Dense(3, name="head"),
        ],
        name=name,
    )


def model(width=5, **options):
    keras.utils.set_random_seed(0)
    images = keras.Input((4,))
    student, teacher = network("student"), network("teacher", width)
    freeze(teacher, statistics="fixed")
    logits = Distillation()(student(images), teacher(images))
    made = keras.Model(images, logits)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return tiny.compiled(made, SGD(0.2), loss, **options)


def floats(made, name):
    return [
        np.array(variable)
        for variable in made.get_layer(name).variables
        if "float" in str(variable.dtype)
    ]


class Record(keras.callbacks.Callback):
    """Student and teacher after every callback of a batch."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        each = [floats(self.model, name) for name in ("student", "teacher")]
        self.seen.append(each)


def expected(teacher, students, momentum):
    for student in students:
        teacher = [
            momentum * t + (1 - momentum) * s
            for t, s in zip(teacher, student, strict=True)
        ]
    return teacher


def assert_close(ours, theirs):
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
@programs.once("jax")
@pytest.mark.parametrize("copy", [False, True])
def test_follows_the_moving_average(copy):
    made, record = model(), Record()
    start = floats(made, "student" if copy else "teacher")
    update = TeacherUpdate(momentum=0.7, copy=copy)
    tiny.fit(made, X, Y, steps=3, epochs=2, callbacks=[update, record])
    assert len(record.seen) == 6
    students = [student for student, _ in record.seen]
    moved = [np.abs(a - b).max() for a, b in zip(*students[:2], strict=True)]
    assert min(moved) > 0  # statistics of batch normalisation included
    for step, (_, teacher) in enumerate(record.seen, 1):
        assert_close(teacher, expected(start, students[:step], 0.7))


def test_the_compiled_step_sees_the_teacher():
    """With momentum 0 the teacher is the student: nothing to distil."""
    losses = {}
    for momentum in (0.0, 1.0):
        made = model()
        made.optimizer.learning_rate = 0.0
        update = TeacherUpdate(momentum=momentum, copy=False)
        history = tiny.fit(made, X, Y, epochs=3, callbacks=[update])
        losses[momentum] = history["loss"]
    assert losses[0.0][0] == pytest.approx(losses[1.0][0], rel=1e-5)
    assert losses[0.0][2] < losses[1.0][2] - 1e-3


def test_several_steps_in_one_execution():
    made, record = model(steps_per_execution=2), Record()
    start = floats(made, "student")
    update = TeacherUpdate(momentum=0.7)
    tiny.fit(made, X, Y, steps=4, callbacks=[update, record])
    assert len(record.seen) == 2
    students = [student for student, _ in record.seen]
    assert_close(record.seen[-1][1], expected(start, students, 0.7**2))


def test_no_copy_when_training_resumes():
    made, record = model(), Record()
    start = floats(made, "teacher")
    update = TeacherUpdate(momentum=1.0)
    tiny.fit(made, X, Y, epochs=3, initial_epoch=1, callbacks=[update, record])
    assert_close(record.seen[-1][1], start)


def test_bad_arguments():
    for momentum in (-0.1, 1.1):
        with pytest.raises(ValueError, match="`momentum` must be in"):
            TeacherUpdate(momentum=momentum)
    with pytest.raises(ValueError, match="hidden/kernel must have.*5.*got.*6"):
        tiny.fit(model(width=6), X, Y, callbacks=[TeacherUpdate()])
    update = TeacherUpdate(teacher="student/hidden")
    with pytest.raises(ValueError, match="student's 8 variables, got 2"):
        tiny.fit(model(), X, Y, callbacks=[update])
