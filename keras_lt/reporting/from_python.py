"""The report of any model, from Python."""

import os
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from keras_lt import stats
from keras_lt.atomic import write_atomically
from keras_lt.evaluation.values import check_labels
from keras_lt.reporting.page import check_installed, report_page
from keras_lt.reporting.subject import Subject

CHECKED = 16  # images that a model is tried with, before all


def report(
    model: Any,
    images: Any,
    labels: np.ndarray,
    class_counts: Sequence[int],
    *,
    path: str | os.PathLike = "report.html",
    class_names: Sequence[str] | None = None,
    groups: str = "shots",
    validation: tuple[Any, np.ndarray] | None = None,
    name: str | None = None,
    facts: Mapping[str, Mapping[str, str]] | None = None,
) -> pathlib.Path:
    """Write one HTML file about what a long-tailed classifier is good for.

    Args:
        model: A Keras model from pixels `(B, H, W, channels)` to logits
            `(B, C)` (log probabilities serve as well), a function like it, or
            the path of an artefact that `export` wrote.
        images: Test images uint8 `(N, H, W, channels)`, an array or
            `data.ImageFiles`.
        labels: Class ids `(N,)`.
        class_counts: *Training* images per class, length C.
        path: Where to write.
        class_names: C names; by default the class ids.
        groups: Of classes: `"shots"`, or `"thirds"` of the training images.
        validation: Images and labels to fit a temperature and prediction
            sets on: neither trained on nor among the test images.
        name: Of the model, for people.
        facts: Further lines, by the title of their list, then by name.

    Returns:
        `path`.

    Raises:
        ValueError: if an argument does not fit the others.
        ImportError: if Jinja2 or Pillow is not installed.
    """
    check_installed()
    counts = stats.check_class_counts(class_counts)
    labels = np.asarray(labels)
    check_labels(labels, len(counts))
    if len(images) != len(labels):
        raise ValueError(
            f"`images` and `labels` must be as many, got {len(images)} and "
            f"{len(labels)}"
        )
    ask = _asking(model)
    tried = ask(images[:CHECKED])
    if tried.ndim != 2 or tried.shape[1] != len(counts):
        raise ValueError(
            f"`model` must answer with logits (B, {len(counts)}), got "
            f"{tried.shape}"
        )
    classes = range(len(counts))
    subject = Subject(
        name=name or str(getattr(model, "name", "model")),
        logits=ask(images),
        labels=labels,
        class_counts=counts,
        class_names=[*map(str, class_names or classes)],
        validation=validation and (ask(validation[0]), validation[1]),
        images=images,
        norms=_norms(model, len(counts)),
        facts={**_facts(model), **(facts or {})},
    )
    path = pathlib.Path(path)
    write_atomically(path, report_page([subject]).encode())
    return path


def _asking(model: Any) -> Callable[[Any], np.ndarray]:
    """Function from images to logits."""
    if isinstance(model, str | os.PathLike):
        from keras_lt.export import answer

        ask = answer.load(pathlib.Path(model))
        return lambda images: ask(np.asarray(images[:]))
    if not _is_keras(model):
        return lambda images: np.asarray(model(images[:]))
    from keras_lt.training import predict_logits

    return lambda images: predict_logits(model, images)


def _is_keras(model: Any) -> bool:
    import keras

    return isinstance(model, keras.Model)


def _norms(model: Any, classes: int) -> dict[str, list[float]]:
    """Norms of the class vectors, where the classifier is a known one."""
    if not _is_keras(model):
        return {}
    import keras

    from keras_lt.models import anatomy

    heads = anatomy.heads(model) or model.layers[-1:]
    to_numpy = keras.ops.convert_to_numpy
    kernels = [to_numpy(h.kernel) for h in heads if hasattr(h, "kernel")]
    norms = [stats.class_norms(k) for k in kernels if k.shape[-1] == classes]
    return {"classifier": np.mean(norms, axis=0).tolist()} if norms else {}


def _facts(model: Any) -> dict[str, dict[str, str]]:
    """What a Keras model costs."""
    if not _is_keras(model):
        return {}
    return {"Cost": {"parameters": f"{model.count_params():,}"}}
