"""What losses ask of the logits that they get, and of the model they train."""

import inspect
import warnings
from collections.abc import Sequence
from typing import Any

import keras

from keras_lt.keras_internals import output_operation


def check_logits(
    y_pred: Any, class_counts: Sequence[int] | None = None
) -> None:
    """Check that a loss gets logits, of as many classes as it counts.

    Args:
        y_pred: `(..., C)`.
        class_counts: Training images per class, where the loss has any.

    Raises:
        ValueError: if C is another number, or a model is trained whose output
            is a softmax.
    """
    classes = y_pred.shape[-1]
    if class_counts is not None and classes not in (None, len(class_counts)):
        raise ValueError(
            f"`class_counts` has {len(class_counts)} classes, but the logits "
            f"have {classes}: their shape is {tuple(y_pred.shape)}"
        )
    model = trained_model()
    last = None if model is None else output_operation(model)
    if last is not None and _is_softmax(last):
        raise ValueError(
            "losses of keras_lt take logits, but the model's last layer "
            f"{last.name!r} is a softmax; leave it out, here and where the "
            "model is served"
        )


def warn_of_margins(scale: float) -> None:
    """Warn if margins that are made for cosines meet a plain dense layer."""
    model = trained_model()
    last = None if model is None else output_operation(model)
    if scale > 1 and isinstance(last, keras.layers.Dense):
        warnings.warn(
            f"`LDAMLoss` with `scale={scale:g}` is made for scaled cosines, "
            f"but the model's last layer {last.name!r} is a Dense, whose "
            "logits have no scale; `layers.CosineClassifier` has one",
            stacklevel=3,
        )


def trained_model() -> Any:
    """The model whose step calls this while it is traced; None if none does.

    A loss gets tensors alone, and a tensor does not know where it is from.
    """
    here = inspect.currentframe()
    # Its own locals would hold this frame, and it all that led to it.
    frame = None if here is None else here.f_back
    del here
    while frame is not None:
        caller = frame.f_locals.get("self")
        if isinstance(caller, keras.Model):
            return caller
        frame = frame.f_back
    return None


def _is_softmax(operation):
    activation = getattr(operation, "activation", None)
    softmax = activation is keras.activations.softmax
    return softmax or type(operation).__name__ == "Softmax"
