import keras
import numpy as np
import pytest
import tiny

from keras_lt.callbacks import DistillationWarmup
from keras_lt.layers import Distillation
from keras_lt.optimizers import SGD


class Record(keras.callbacks.Callback):
    """The weight in force at the end of each epoch."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_epoch_end(self, epoch, logs=None):
        layer = self.model.get_layer("distillation")
        self.seen.append(float(layer.current_weight))


def model():
    images = keras.Input((3,))
    student = keras.layers.Dense(3, use_bias=False, name="student")
    logits = student(images)
    student.set_weights([np.zeros((3, 3))])
    # The images themselves, times 4, are the teacher.
    lesson = keras.layers.Rescaling(4.0)(images)
    layer = Distillation(name="distillation", weight=2.0, temperature=1.0)
    made = keras.Model(images, layer(logits, lesson))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return tiny.compiled(made, SGD(0.0), loss)


def fit(made, *callbacks, **options):
    return tiny.fit(
        made, np.eye(3), [0, 1, 2], callbacks=[*callbacks], **options
    )


def test_ramp():
    made, record = model(), Record()
    history = fit(made, DistillationWarmup(4), record, epochs=6)
    assert record.seen == pytest.approx([0.5, 1.0, 1.5, 2.0, 2.0, 2.0])
    # The compiled step follows: the loss is ln 3 + weight * divergence.
    p = np.exp([4.0, 0, 0]) / np.exp([4.0, 0, 0]).sum()
    kl = (p * np.log(p * 3)).sum()
    golden = np.log(3) + np.array(record.seen) * kl
    assert history["loss"] == pytest.approx(golden.tolist(), rel=1e-5)


def test_resumes_in_the_ramp_and_ends_with_the_full_weight():
    made, record = model(), Record()
    fit(made, DistillationWarmup(4), record, epochs=3, initial_epoch=1)
    assert record.seen == pytest.approx([1.0, 1.5])
    assert float(made.get_layer("distillation").current_weight) == 2.0


def test_finds_nested_layers():
    inner = model()
    inner.name = "inner"
    images = keras.Input((3,))
    outer = keras.Model(images, inner(images))
    callback = DistillationWarmup(2, layer="inner/distillation")
    callback.set_model(outer)
    callback.on_epoch_begin(0)
    assert float(inner.get_layer("distillation").current_weight) == 1.0


def test_bad_arguments():
    with pytest.raises(ValueError, match="`epochs` must be >= 1, got 0"):
        DistillationWarmup(0)
    with pytest.raises(ValueError, match="'student' has no weight to ramp"):
        fit(model(), DistillationWarmup(2, layer="student"))
    with pytest.raises(ValueError, match="No such layer: teacher"):
        fit(model(), DistillationWarmup(2, layer="teacher"))
