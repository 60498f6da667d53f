"""Tensor functions that several parts share, on any Keras backend."""

from typing import Any

from keras import ops

Tensor = Any


def class_ids(labels: Tensor) -> Tensor:
    """Labels `(B,)` or `(B, 1)` of any dtype as int32 class ids `(B,)`."""
    return ops.cast(ops.reshape(labels, (-1,)), "int32")


def take_class(values: Tensor, labels: Tensor) -> Tensor:
    """`values[b, labels[b]]` of `(B, C)` values and `(B,)` ids, as `(B,)`."""
    return ops.squeeze(ops.take_along_axis(values, labels[:, None], 1), 1)


def log_one_minus_exp(log_p: Tensor, floor: float) -> Tensor:
    """`max(log(1 - exp(log_p)), floor)` with finite gradients everywhere."""
    q = -ops.expm1(log_p)
    positive = q > 0
    log_q = ops.log(ops.where(positive, q, 1.0))
    return ops.maximum(ops.where(positive, log_q, floor), floor)
