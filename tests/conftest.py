import os
import tempfile

# JAX reads these when it starts. Two devices, for what is split over devices;
# and each program is compiled once, though many tests train the same one.
COMPILED = tempfile.TemporaryDirectory()
for name, value in (
    ("XLA_FLAGS", "--xla_force_host_platform_device_count=2"),
    ("JAX_COMPILATION_CACHE_DIR", COMPILED.name),
    ("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0"),
    ("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1"),
):
    os.environ.setdefault(name, value)

import keras  # noqa: E402
import pytest  # noqa: E402


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
