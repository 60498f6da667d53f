import gc
import os
import tempfile

# JAX reads these when it starts. Two devices, for what is split over devices;
# each program is compiled once, though many tests train the same one, and in
# haste, as none runs for long: the emitters take three times as long.
COMPILED = tempfile.TemporaryDirectory()
for name, value in (
    (
        "XLA_FLAGS",
        "--xla_force_host_platform_device_count=2 "
        "--xla_cpu_use_fusion_emitters=false",
    ),
    ("JAX_DISABLE_MOST_OPTIMIZATIONS", "1"),
    ("JAX_COMPILATION_CACHE_DIR", COMPILED.name),
    ("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0"),
    ("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1"),
):
    os.environ.setdefault(name, value)

import keras  # noqa: E402
import micro  # noqa: E402, F401
import pytest  # noqa: E402

# Networks are many objects that live long: look through them less often.
gc.freeze()
gc.set_threshold(200_000, 20, 100)

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    cpus = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(
        cpus[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )


@pytest.fixture(autouse=True)
def folder_of_its_own(tmp_path, monkeypatch):
    """Nothing that lies around, such as `runs/`, plays a part in a test."""
    monkeypatch.chdir(tmp_path)


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
