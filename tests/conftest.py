import keras
import pytest


@pytest.fixture(scope="session", autouse=True)
def untuned_data():
    """Spare `fit` and `predict` the waits of tf.data's tuning thread."""
    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    iterate = tf.data.Dataset.__iter__

    def untuned(dataset):
        options = tf.data.Options()
        options.autotune.enabled = False
        return iterate(dataset.with_options(options))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tf.data.Dataset, "__iter__", untuned)
        yield
