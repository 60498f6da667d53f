"""Write an artefact, check it without Keras, and only then give it its name."""

import importlib.metadata
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from keras_lt import stats
from keras_lt.atomic import make_folder, move
from keras_lt.export.answer import METADATA, check_ending
from keras_lt.export.drawn import draw_images
from keras_lt.extras import check_installed
from keras_lt.names import reserve_names
from keras_lt.training import predict, without_optimizer

# Formats, and the packages that write and check them.
FORMATS = {
    "saved_model": ("tensorflow",),
    "onnx": ("tensorflow", "tf2onnx", "onnx", "onnxruntime"),
    "litert": ("tensorflow",),
    "keras": (),
}
TOLERANCE = 1e-4


def export(
    model: keras.Model,
    path: str | pathlib.Path,
    *,
    format: str = "saved_model",
    class_counts: Sequence[int],
    class_names: Sequence[str] | None = None,
    views: Mapping[str, keras.Model] | None = None,
    images: np.ndarray | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> float:
    """Export a model to a file or folder that needs no Keras.

    It is written by TensorFlow, on the JAX backend in a process of its own. A
    further process, in which Keras cannot be imported, then answers for
    `images`; only if it says what the model says does the artefact appear.

    Args:
        model: Pixels `(B, H, W, channels)` to logits `(B, C)`; a functional
            model, or a `Sequential` with an `Input`.
        path: Where to write; it must not exist.
        format: `"saved_model"`, with the endpoints `serve`,
            `serve_with_prior`, `experts` (if there are views) and
            `serve_routed` (if there is a router); `"onnx"`, `"litert"`, with
            probabilities and logits; or `"keras"`.
        class_counts: Training images per class, length C.
        class_names: C names; by default the class ids.
        views: Further models with the same inputs, images to `(B, C)`, by
            name, such as `models.expert_views(model)`.
        images: uint8 `(N, H, W, channels)` to check with; by default those
            of `draw_images`.
        metadata: JSON data that travels with the artefact.

    Returns:
        The largest difference of a logit.

    Raises:
        ValueError: if an argument does not fit the model, `path` exists, a
            package is missing, the format cannot hold the model, or the
            artefact differs by more than 1e-4; nothing is left then.

    Source: of the prior, Menon et al., ICLR 2021 (logit adjustment).
    """
    path = pathlib.Path(path)
    model = _functional("model", model)
    views = {k: _functional(k, view) for k, view in (views or {}).items()}
    classes = model.output_shape[-1]
    names = [*map(str, range(classes) if class_names is None else class_names)]
    _check(model, path, format, names, class_counts)
    if images is None:
        images = draw_images(model.input_shape[1:])
    expected = predict(model, images, batch_size=256)
    content = {
        "class_names": names,
        "class_counts": [int(count) for count in class_counts],
        "image_shape": model.input_shape[1:],
        "keras_lt": importlib.metadata.version("keras_lt"),
        **(metadata or {}),
    }
    make_folder(path.parent)
    prefix = f".{path.name}-partial-"
    with tempfile.TemporaryDirectory(prefix=prefix, dir=path.parent) as folder:
        folder = pathlib.Path(folder)
        written = folder / path.name
        try:
            _write(model, written, format, content, views)
            found = _answers(format, written, images, folder)
        except Exception as error:  # converters raise many kinds
            lines = str(error).strip().splitlines()
            raise ValueError(
                f"`format`: the model cannot be written as {format!r}: "
                f"{lines[0] if lines else type(error).__name__}"
            ) from error
        apart = float(np.abs(found - expected).max(initial=0.0))
        if not apart <= TOLERANCE:
            raise ValueError(
                f"the artefact differs by {apart:g} from the model, more than "
                f"{TOLERANCE:g}; nothing was written"
            )
        move(written, path)
    return apart


def _functional(name, model):
    """A `Sequential` as a functional model of the same layers."""
    try:
        (images,), (logits,) = model.inputs, model.outputs
        if len(images.shape) == 4 and len(logits.shape) == 2:
            sequential = isinstance(model, keras.Sequential)
            return keras.Model(images, logits) if sequential else model
    except (AttributeError, TypeError, ValueError):
        pass  # it is a subclass, or has no shapes yet
    raise ValueError(
        f"`{name}` must be a functional model, or a Sequential with an Input, "
        f"from images (B, H, W, channels) to logits (B, C), got {model!r}"
    )


def _check(model, path, format, names, class_counts):
    if format not in FORMATS:
        raise ValueError(
            f"`format` must be one of {[*FORMATS]}, got {format!r}"
        )
    for package in FORMATS[format]:
        check_installed(f"`format` {format!r}", package, "export")
    check_ending("`path`", path, format)
    if path.exists():
        raise ValueError(f"`path`: {path} exists already")
    counts = stats.check_class_counts(class_counts)
    for name, values in (("class_names", names), ("class_counts", counts)):
        if len(values) != model.output_shape[-1]:
            raise ValueError(
                f"`{name}` must have one entry for each of the model's "
                f"{model.output_shape[-1]} classes, got {len(values)}"
            )


def _write(model, written, format, content, views):
    if format == "keras":
        without_optimizer(model).save(written)
        with zipfile.ZipFile(written, "a") as archive:
            archive.writestr(METADATA, json.dumps(content))
    elif keras.backend.backend() == "tensorflow":
        from keras_lt.export.formats import WRITERS

        WRITERS[format](model, written, content, views)
    else:
        _write_elsewhere(model, written, format, content, views)


def _write_elsewhere(model, written, format, content, views):
    """Write with TensorFlow, in a process of its own."""
    for view in (model, *views.values()):
        reserve_names(view)
    outputs = [view.outputs[0] for view in (model, *views.values())]
    job = {"format": format, "content": content, "views": [*views]}
    source = written.with_name("source.keras")
    keras.Model(model.inputs[0], outputs).save(source)
    written.with_name("job.json").write_text(json.dumps(job))
    _run(
        ["-m", "keras_lt.export.elsewhere", source, written],
        KERAS_BACKEND="tensorflow",
    )


def _answers(format, written, images, folder):
    """Logits that the artefact gives, without Keras."""
    if format == "keras":
        model = keras.saving.load_model(written, compile=False)
        return predict(model, images, batch_size=256)
    asked, answered = folder / "images.npy", folder / "logits.npy"
    np.save(asked, images)
    program = pathlib.Path(__file__).with_name("answer.py")
    _run([program, written, asked, answered])
    return np.load(answered)


def _run(arguments, **environment):
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise ValueError(last)
