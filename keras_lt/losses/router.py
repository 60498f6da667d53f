"""When is it worth while to ask one more expert."""

from typing import Any

import keras
from keras import ops

from keras_lt.checking import checked
from keras_lt.ops import are_mixed, class_ids, class_shares


@keras.saving.register_keras_serializable(package="keras_lt")
class RouterLoss(keras.losses.Loss):
    """Binary cross entropy of routers on "a later expert sets this right".

    After expert i the running answer is the mean of the first i experts'
    logits. The target of router i is 1 where that answer is wrong and a
    longer running answer is right, else 0.

    Args:
        pos_weight: Weight P of targets 1, > 0: the larger, the more experts
            are used. Such targets are rare on training images.
        reduction: As in `keras.losses.Loss`.
        name: Name of the loss.
        **kwargs: Of `keras.losses.Loss`, such as `dtype`.

    Call arguments: labels `(B,)` or `(B, 1)` class ids, or `(B, C)`
        probabilities of the classes, whose targets are mixed; logits
        `(B, E, C + 1)` as `layers.AppendRoutes` makes them: C class logits of
        each expert, then the router logit after it (not read for the last
        expert).
    Returns: values `(B,)` in nats, the mean over the E - 1 routers.
    Raises: ValueError: if `pos_weight` is not positive.

    See also: `layers.ExpertRouter`; `models.add_router`; `RIDELoss`.

    Example:
        >>> logits = ops.array([[[0.0, 2.0, 0.5], [3.0, 0.0, 0.0]]])
        >>> round(float(RouterLoss(pos_weight=1)([0], logits)), 4)
        0.4741

    Source: Wang et al., ICLR 2021, eq. 4;
        `frank-xwang/RIDE-LongTailRecognition:model/loss.py`.
    """

    @checked
    def __init__(
        self,
        *,
        pos_weight: float = 100.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "router_loss",
        **kwargs,
    ):
        super().__init__(name=name, reduction=reduction, **kwargs)
        if not pos_weight > 0:
            raise ValueError(f"`pos_weight` must be > 0, got {pos_weight}")
        self.pos_weight = pos_weight

    def call(self, y_true, y_pred):
        """Return the values `(B,)`."""
        running = ops.cumsum(y_pred[..., :-1], axis=1)  # (B, E, C)
        answers = ops.argmax(running, -1)  # (B, E)
        if are_mixed(y_true):
            right = ops.one_hot(answers, running.shape[-1])  # (B, E, C)
            shares = class_shares(y_true, right)[:, None]
            targets = ops.sum(shares * router_targets(right), -1)
        else:
            labels = class_ids(y_true)
            right = ops.cast(answers == labels[:, None], "float32")
            targets = router_targets(right)
        targets = ops.cast(targets, y_pred.dtype)  # (B, E - 1)
        routes = y_pred[:, :-1, -1]  # (B, E - 1)
        values = self.pos_weight * targets * ops.softplus(-routes)
        values = values + (1 - targets) * ops.softplus(routes)
        return ops.mean(values, -1)

    def get_config(self):
        """Return the arguments."""
        return {**super().get_config(), "pos_weight": self.pos_weight}


def router_targets(right: Any) -> Any:
    """1 where the running answer is wrong now, and right later.

    Args:
        right: `(B, E)`, 1.0 where the answer of the first experts is right;
            further axes may follow.

    Returns:
        `(B, E - 1)`, with the same further axes.
    """
    later = [
        ops.max(right[:, i + 1 :], axis=1) for i in range(right.shape[1] - 1)
    ]
    return (1 - right[:, :-1]) * ops.stack(later, axis=1)
