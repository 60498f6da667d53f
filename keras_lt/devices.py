"""What Keras runs on."""

import keras


def on_accelerator() -> bool:
    """Whether there is a GPU or TPU."""
    devices = keras.distribution.list_devices()
    return not all(device.startswith("cpu") for device in devices)


def is_chief() -> bool:
    """Whether this process writes files: the first, if there are several."""
    spread = keras.distribution.distribution()
    return spread is None or spread._process_id == 0


def local_devices() -> int:
    """Number of devices of this process that a distribution uses, else 1."""
    spread = keras.distribution.distribution()
    if spread is None:
        return 1
    processes = getattr(spread, "_num_processes", None) or spread._num_process
    return spread.device_mesh.devices.size // processes
