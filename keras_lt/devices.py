"""What Keras runs on."""

import keras


def on_accelerator() -> bool:
    """Whether there is a GPU or TPU."""
    devices = keras.distribution.list_devices()
    return not all(device.startswith("cpu") for device in devices)


def processes() -> tuple[int, int]:
    """Number of this process, from 0, and of all that train together."""
    spread = keras.distribution.distribution()
    if spread is None:
        return 0, 1
    count = getattr(spread, "_num_processes", None) or spread._num_process
    return spread._process_id, count


def is_chief() -> bool:
    """Whether this process writes files: the first, if there are several."""
    return processes()[0] == 0


def local_devices() -> int:
    """Number of devices of this process that a distribution uses, else 1."""
    spread = keras.distribution.distribution()
    if spread is None:
        return 1
    return spread.device_mesh.devices.size // processes()[1]
