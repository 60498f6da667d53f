"""A queue of keys, and the contrast of queries with it."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_lt.ops import unit_length

Tensor = Any

MASKED = -1e9  # finite, so that a row of nothing else has a gradient


def contrast(
    queries: Tensor,
    keys: Tensor,
    labels: Tensor,
    queue: Tensor,
    queue_labels: Tensor,
    temperature: float,
) -> Tensor:
    """Contrastive loss of each query, without negatives of its own class.

    Args:
        queries: `(B, width)`, of length 1.
        keys: `(B, width)`, of length 1.
        labels: `(B,)` ints.
        queue: `(K, width)`, of length 1.
        queue_labels: `(K,)` ints; -1 for no class.
        temperature: > 0.

    Returns:
        `(B,)` in nats.
    """
    positive = ops.sum(queries * keys, axis=-1) / temperature  # (B,)
    negative = ops.matmul(queries, ops.transpose(queue)) / temperature
    same = labels[:, None] == queue_labels[None]  # (B, K)
    negative = ops.where(same, MASKED, negative)
    logits = ops.concatenate([positive[:, None], negative], axis=1)
    return ops.logsumexp(logits, axis=1) - positive


def random_directions(shape: Sequence[int], dtype: Any = None) -> Tensor:
    """Initial values of a queue `(K, width)`: random vectors of length 1."""
    return unit_length(keras.initializers.RandomNormal(0.0, 1.0)(shape, dtype))


def no_class(shape: Sequence[int], dtype: Any = None) -> Tensor:
    """Initial labels of a queue, `(K,)`: -1."""
    return -ops.ones(shape, dtype)
