"""Tensor functions that several parts share, on any Keras backend."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

Tensor = Any


def class_ids(labels: Tensor) -> Tensor:
    """Labels `(B,)` or `(B, 1)` of any dtype as int32 class ids `(B,)`.

    Raises:
        ValueError: for mixed labels `(B, C)`, which hold no class ids.
    """
    labels = ops.convert_to_tensor(labels)
    if are_mixed(labels):
        raise ValueError(
            "labels must be class ids `(B,)` here, got one-hot or mixed ones "
            f"of shape {tuple(labels.shape)}; `argmax(labels, -1)` makes ids "
            "of one-hot ones, and all losses take both"
        )
    return ops.cast(ops.reshape(labels, (-1,)), "int32")


def are_mixed(labels: Tensor) -> bool:
    """Whether labels are probabilities `(B, C)` of the classes, not ids."""
    shape = getattr(labels, "shape", None) or np.shape(labels)  # of a list
    return len(shape) == 2 and shape[1] not in (None, 1)


def ids_or_shares(labels: Tensor) -> Tensor:
    """Labels as class ids `(B,)`, or, if they are mixed, as they are."""
    return labels if are_mixed(labels) else class_ids(labels)


def class_shares(labels: Tensor, logits: Tensor) -> Tensor:
    """Labels of any form as the probabilities `(B, C)` of logits' classes."""
    if are_mixed(labels):
        return ops.cast(labels, logits.dtype)
    return ops.one_hot(class_ids(labels), logits.shape[-1], dtype=logits.dtype)


def of_label(values: Tensor, labels: Tensor) -> Tensor:
    """Values `(B, C)` of each image's label, in the mean by its shares."""
    if are_mixed(labels):
        return ops.sum(class_shares(labels, values) * values, -1)
    return take_class(values, class_ids(labels))


def smoothed(labels: Tensor, logits: Tensor, smoothing: float) -> Tensor:
    """Labels as they are, or, with smoothing, as probabilities `(B, C)`.

    Args:
        labels: Of any form.
        logits: `(..., C)`.
        smoothing: Share of a label that all classes get alike.
    """
    if not smoothing:
        return labels
    even = smoothing / logits.shape[-1]
    return (1 - smoothing) * class_shares(labels, logits) + even


def check_smoothing(smoothing: float) -> float:
    """Return it, if it is a share in [0, 1); else a ValueError."""
    if not 0 <= smoothing < 1:
        raise ValueError(
            f"`label_smoothing` must be in [0, 1), got {smoothing}"
        )
    return smoothing


def of_every_expert(
    loss: Callable[[Tensor, Tensor], Tensor], labels: Tensor, logits: Tensor
) -> Tensor:
    """Values `(B,)` of a loss of logits `(B, C)`, or their sum over experts.

    Args:
        loss: Function from labels and logits `(B, C)` to values `(B,)`.
        labels: Of any form that it takes.
        logits: `(B, C)`, or `(B, E, C)` of E experts.
    """
    if len(logits.shape) == 2:
        return loss(labels, logits)
    return sum(loss(labels, logits[:, e]) for e in range(logits.shape[1]))


def take_class(values: Tensor, labels: Tensor) -> Tensor:
    """`values[b, labels[b]]` of `(B, C)` values and `(B,)` ids, as `(B,)`."""
    return ops.squeeze(ops.take_along_axis(values, labels[:, None], 1), 1)


def log_one_minus_exp(log_p: Tensor, floor: float) -> Tensor:
    """`max(log(1 - exp(log_p)), floor)` with finite gradients everywhere."""
    q = -ops.expm1(log_p)
    positive = q > 0
    log_q = ops.log(ops.where(positive, q, 1.0))
    return ops.maximum(ops.where(positive, log_q, floor), floor)


def kl_divergence(log_p: Tensor, log_q: Tensor) -> Tensor:
    """`KL(p || q)` over the last axis, in nats, of two log-probabilities."""
    return ops.sum(ops.exp(log_p) * (log_p - log_q), -1)


def weighted_mean_terms(values: Tensor, weights: Tensor) -> Tensor:
    """Terms `(B,)` whose plain mean is `sum(weights * values) / sum(weights)`.

    Keras divides by the number of images; PyTorch by the sum of weights.
    """
    return values * weights / mean_over_replicas(ops.mean(weights))


def mean_over_replicas(x: Tensor) -> Tensor:
    """The mean of each replica's tensor, on all of them.

    It is over the whole batch where `x` is a mean over a replica's share and
    all shares are equal. JAX sees the whole batch anyway.
    """
    context = _replica_context()
    if context is None:
        return x
    return context.all_reduce("MEAN", x)


def rows_of_replicas(x: Tensor) -> Tensor:
    """The rows of all replicas, in the order of the batch, on all of them."""
    context = _replica_context()
    return x if context is None else context.all_gather(x, axis=0)


def rows_in_order(x: Tensor, order: Tensor) -> Tensor:
    """Rows of the whole batch in another order, shared out as before.

    Args:
        x: The rows of a replica, or all B of them.
        order: `(B,)` ints, the same on all replicas: row `order[i]` comes to
            place i of the whole batch. `argsort(order)` takes it back.
    """
    x = ops.take(rows_of_replicas(x), order, axis=0)
    context = _replica_context()
    if context is not None:
        share = x.shape[0] // context.num_replicas_in_sync
        start = share * context.replica_id_in_sync_group
        return x[start : start + share]
    distribution = keras.distribution.distribution()
    if distribution is None:
        return x
    # Without this JAX gives all rows to every device.
    layout = distribution.get_data_layout(x.shape)
    return keras.distribution.distribute_tensor(x, layout)


def _replica_context():
    """Context in which a replica of several meets the others, or None."""
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    together = context is not None and context.num_replicas_in_sync > 1
    return context if together else None


def tf_batch_norm(
    x: Tensor,
    scale: Tensor,
    offset: Tensor,
    epsilon: float,
    moments: tuple[Tensor, Tensor] | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """TensorFlow's own batch normalisation of images `(B, H, W, D)`.

    In graphs that XLA does not compile it takes two passes over the images,
    where single operations take six.

    Args:
        x: Of float32, float16 or bfloat16.
        scale: `(D,)`, as the others that follow.
        offset: Added at the end.
        epsilon: Added to the variance.
        moments: Mean and variance; None for those of the batch.

    Returns:
        The result, and the mean and (biased) variance of the batch.
    """
    import tensorflow as tf

    empty = tf.zeros((0,))  # it finds them itself
    mean, variance = moments or (empty, empty)
    found = tf.raw_ops.FusedBatchNormV3(
        x=x,
        scale=scale,
        offset=offset,
        mean=mean,
        variance=variance,
        epsilon=epsilon,
        is_training=moments is None,
    )
    number = tf.cast(tf.size(x) // x.shape[-1], "float32")
    biased = found.batch_variance * (1 - 1 / number)
    return found.y, found.batch_mean, biased


def unit_length(x: Tensor, axis: int = -1) -> Tensor:
    """Vectors scaled to L2 norm 1, in float32; a zero vector stays zero."""
    x = ops.cast(x, "float32")
    squares = ops.sum(ops.square(x), axis=axis, keepdims=True)
    return x / ops.sqrt(ops.maximum(squares, 1e-24))


def materialized(x: Tensor) -> Tensor:
    """The same values, which XLA on a CPU computes once and keeps.

    It computes cheap chains of operations again for every use: in a residual
    network all earlier blocks, for each block, and for each weight gradient. A
    division is not cheap, so its result is kept; the divisor is a one that the
    compiler cannot know. Its gradient is kept in the same way.
    """
    first = ops.stop_gradient(ops.reshape(x, (-1,))[0])
    return x / ops.cast(ops.where(ops.isnan(first), 2.0, 1.0), x.dtype)


def experts_run(routes: Tensor) -> Tensor:
    """Which experts each row runs, from its router logits.

    Args:
        routes: `(B, E - 1)`; the row goes on after expert i while logit i is
            > 0, and never comes back.

    Returns:
        float32 `(B, E)` of 1 and 0; the first column is 1.
    """
    goes_on = ops.cast(routes > 0, "float32")
    run = [ops.ones_like(goes_on[:, 0])]
    for i in range(routes.shape[1]):  # LiteRT has no cumulative product
        run.append(run[-1] * goes_on[:, i])
    return ops.stack(run, axis=1)
