"""Ask an artefact without Keras: ARTEFACT [IMAGES.npy LOGITS.npy].

Also a program of its own: it imports nothing of this package, and what it
imports then cannot import Keras.
"""

import json
import pathlib
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np

BATCH = 256
METADATA = "keras_lt.json"
ENDINGS = {"onnx": ".onnx", "keras": ".keras"}  # that formats are known by
LARGEST = 2**26  # bytes of it


def load(artefact: pathlib.Path) -> Callable[[np.ndarray], np.ndarray]:
    """Make a function from images to logits.

    Args:
        artefact: What `export` wrote in the format "saved_model", "onnx" or
            "litert".

    Returns:
        A function from uint8 `(B, H, W, channels)` to float32 `(B, C)`.

    Raises:
        ValueError: if it is none of these.
    """
    kinds = {"saved_model": _saved_model, "onnx": _onnx, "litert": _litert}
    kind = _kind(artefact)
    if kind not in kinds:
        raise ValueError(f"ARTEFACT: {artefact} needs Keras to answer")
    run = kinds[kind](str(artefact))

    def ask(images):
        starts = range(0, len(images), BATCH)
        parts = [run(images[start : start + BATCH]) for start in starts]
        return np.concatenate(parts)

    return ask


def check(artefact: pathlib.Path) -> None:
    """Load a model file in a process of its own, which a bad one may crash.

    A SavedModel is a program, and is not checked.

    Raises:
        ValueError: if it is no model that answers.
    """
    if _kind(artefact) not in ("onnx", "litert"):
        return
    done = subprocess.run(
        [sys.executable, __file__, artefact],
        capture_output=True,
        text=True,
        errors="replace",
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [""])[-1]
        why = last[:300] if done.returncode > 0 else "it crashes what reads it"
        raise ValueError(f"ARTEFACT: {artefact} is no whole model: {why}")


def read_metadata(artefact: pathlib.Path) -> dict[str, Any]:
    """Read what travels with an artefact: class names, counts, image shape.

    Raises:
        ValueError: if there is nothing of the kind.
    """
    kind = _kind(artefact)
    try:
        if kind == "saved_model":
            path = artefact / "assets.extra" / METADATA
            return json.loads(path.read_text())
        if kind in ("litert", "keras"):
            with zipfile.ZipFile(artefact) as archive:
                if archive.getinfo(METADATA).file_size > LARGEST:
                    raise ValueError(f"{METADATA} is too large")
                return json.loads(archive.read(METADATA))
        import onnxruntime

        session = onnxruntime.InferenceSession(
            str(artefact), providers=["CPUExecutionProvider"]
        )
        properties = session.get_modelmeta().custom_metadata_map
        return json.loads(properties["keras_lt"])
    except Exception as error:  # theirs have no common base class
        raise ValueError(
            f"ARTEFACT: {artefact} was not written by export"
        ) from error


def check_ending(name: str, path: pathlib.Path, format: str) -> None:
    """Check that an artefact will be known for what it is by its name.

    Args:
        name: Of the argument, for the message.
        path: To be written.
        format: See `export`.

    Raises:
        ValueError: if not.
    """
    ending = ENDINGS.get(format, path.suffix)
    if path.suffix != ending:
        raise ValueError(
            f"{name} must end in {ending} for the format {format!r}, got {path}"
        )


def _kind(artefact):
    if (artefact / "saved_model.pb").exists():
        return "saved_model"
    if artefact.exists() and stat.S_ISREG(artefact.stat().st_mode):
        with open(artefact, "rb") as file:
            start = file.read(8)
        if start[4:] == b"TFL3":
            return "litert"
        for kind, ending in ENDINGS.items():
            if artefact.suffix == ending:
                return kind
    raise ValueError(
        f"ARTEFACT: {artefact} is no SavedModel, .onnx file or .tflite file"
    )


def _saved_model(artefact):
    import tensorflow as tf

    loaded = tf.saved_model.load(artefact)
    serve = loaded.signatures["serving_default"]
    return lambda images: serve(images=tf.constant(images))["logits"].numpy()


def _onnx(artefact):
    import onnxruntime

    session = onnxruntime.InferenceSession(
        artefact, providers=["CPUExecutionProvider"]
    )
    return lambda images: session.run(["logits"], {"images": images})[0]


def _litert(artefact):
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(artefact)
    (place,) = interpreter.get_input_details()

    def run(images):
        interpreter.resize_tensor_input(place["index"], images.shape)
        ask = interpreter.get_signature_runner()
        return ask(images=images)["logits"]

    return run


def main(artefact: str, asked: str = "", answered: str = "") -> None:
    """Write the logits of all images; of a black one, nowhere, without any."""
    nothing: dict[str, Any] = {"keras": None, "keras_lt": None}
    sys.modules.update(nothing)
    path = pathlib.Path(artefact)
    ask = load(path)
    if asked:
        np.save(answered, ask(np.load(asked)))
    else:
        shape = read_metadata(path)["image_shape"]
        ask(np.zeros((1, *map(int, shape)), "uint8"))


if __name__ == "__main__":
    main(*sys.argv[1:])
