import keras
import numpy as np
import pytest
import tiny

from keras_lt.callbacks import RecordClassNorms


def trained(model, record, callbacks=(), **options):
    # Each epoch adds (1, 0) to every class vector.
    tiny.compiled(
        model,
        keras.optimizers.SGD(1.0),
        lambda y_true, y_pred: -keras.ops.sum(y_pred, -1),
    )
    options = {"epochs": 3, **options}
    return tiny.fit(
        model, [[1, 0]], [0], callbacks=[record, *callbacks], **options
    )


def test_norms_of_every_epoch():
    record = RecordClassNorms()
    assert record.norms.shape == (0,)
    history = trained(tiny.linear([[3.0, 0], [4, 1]]), record)
    golden = [
        [np.hypot(3 + epoch, 4), np.hypot(epoch, 1)] for epoch in (1, 2, 3)
    ]
    assert record.norms.dtype == "float64"
    np.testing.assert_allclose(record.norms, golden, rtol=1e-6)
    assert record.epochs == [0, 1, 2]
    np.testing.assert_allclose(history["norm_max"], np.max(golden, 1))
    np.testing.assert_allclose(history["norm_min"], np.min(golden, 1))


def test_resumed():
    record = RecordClassNorms()
    model = tiny.linear([[0.0], [0]])
    trained(model, record, epochs=2)
    trained(model, record, epochs=4, initial_epoch=2)
    assert record.epochs == [0, 1, 2, 3]
    np.testing.assert_allclose(record.norms[:, 0], [1, 2, 3, 4])


def test_later_callbacks_see_the_norms():
    seen = []
    look = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(
            (logs["norm_min"], logs["norm_max"])
        )
    )
    trained(tiny.linear([[0.0, 1], [0, 0]]), RecordClassNorms(), [look])
    assert seen == [(1, 2), (2, 3), (3, 4)]
    assert {type(value) for pair in seen for value in pair} == {float}


def test_another_layer():
    model = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(1, name="first")]
    )
    model.set_weights([np.zeros((2, 1)), np.zeros(1)])
    record = RecordClassNorms("first")
    trained(model, record)
    np.testing.assert_allclose(record.norms[:, 0], [1, 2, 3])
    with pytest.raises(ValueError, match="head"):
        trained(model, RecordClassNorms())
