"""What Keras runs on."""

import keras


def on_accelerator() -> bool:
    """Whether there is a GPU or TPU."""
    devices = keras.distribution.list_devices()
    return not all(device.startswith("cpu") for device in devices)
