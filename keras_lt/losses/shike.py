"""The loss of experts that teach each other."""

import keras
from keras import ops

from keras_lt.checking import checked
from keras_lt.losses.softmax_crossentropy import SoftmaxCrossentropy
from keras_lt.ops import are_mixed, class_shares, kl_divergence

EXCLUDED = -30.0  # in place of a logit that is to have no say


@keras.saving.register_keras_serializable(package="keras_lt")
class SHIKELoss(keras.losses.Loss):
    """An own loss for every expert, and two lessons for it from the others.

    With logits z[e] of E experts and the label y, the loss is

        base(z) + sum_e [ mutual / C * sum_{j != e} KL(p[j] || p[e])
                          + hardest / C * KL(softmax(t) || softmax(s[e])) ]

    where p[e] = softmax(z[e]), s[e] is z[e] without its label, which is set
    to -30, and t are the experts' largest logits, but their mean for the
    hardest class: the wrong one with the largest mean. So the second lesson
    drives experts away from it. Both divergences are means over the classes,
    as released: of 100 they weigh a hundredth.

    Args:
        base: Loss on `(B, E, C)` that sums what each expert has for itself;
            cross entropy by default.
        mutual: Factor on the divergence of experts from each other, >= 0.
        hardest: Factor on the lesson about the hardest class, >= 0.
        gated: Whether an expert teaches, by `mutual`, only where it is right.
        target_fill: Logit of the label in t: 0, as released, where it competes
            with the others; or -30, which leaves it out.
        teacher_gradient: Whether what teaches learns as well, as released.
        reduction: As in `keras.losses.Loss`.
        name: Name of the loss.
        **kwargs: Of `keras.losses.Loss`, such as `dtype`.

    Call arguments: labels `(B,)` or `(B, 1)` class ids, or, if `base` takes
        them, `(B, C)` probabilities of at most two mixed classes, whose lessons
        are mixed then; logits `(B, E, C)`.
    Returns: values `(B,)` in nats, then reduced by Keras.
    Raises: ValueError: if a factor is negative.

    See also: `models.fused_experts`; `RIDELoss`.

    Example:
        >>> loss = SHIKELoss(hardest=0)
        >>> logits = ops.array([[[2.0, 1.0], [2.0, 1.0]]])  # experts agree
        >>> round(float(loss(ops.array([0]), logits)), 4)  # 2 ln(1 + 1/e)
        0.6265

    Source: Jin et al., CVPR 2023; `jinyan-06/SHIKE:cifarTrain.py`. Zhou & Luo,
        CVPR 2026 (`gated`).
    """

    @checked
    def __init__(
        self,
        *,
        base: keras.losses.Loss | None = None,
        mutual: float = 1.0,
        hardest: float = 10.0,
        gated: bool = False,
        target_fill: float = 0.0,
        teacher_gradient: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str = "shike_loss",
        **kwargs,
    ):
        super().__init__(name=name, reduction=reduction, **kwargs)
        for argument, value in (("mutual", mutual), ("hardest", hardest)):
            if not value >= 0:
                raise ValueError(f"`{argument}` must be >= 0, got {value}")
        self.base = base or SoftmaxCrossentropy()
        self.mutual = mutual
        self.hardest = hardest
        self.gated = gated
        self.target_fill = target_fill
        self.teacher_gradient = teacher_gradient

    def call(self, y_true, y_pred):
        """Return the values `(B,)`."""
        y_pred = ops.convert_to_tensor(y_pred)
        values = self.base.call(y_true, y_pred)
        for share, is_label in _labels(y_true, y_pred):
            values = values + share * self._lessons(is_label, y_pred)
        return values

    def _lessons(self, is_label, logits):
        values, classes = ops.zeros_like(logits[:, 0, 0]), logits.shape[-1]
        if self.mutual and logits.shape[1] > 1:
            lesson = self._mutual(is_label, logits)
            values = values + self.mutual / classes * lesson
        if self.hardest:
            lesson = self._hardest(is_label, logits)
            values = values + self.hardest / classes * lesson
        return values

    def _mutual(self, is_label, logits):
        log_p = ops.log_softmax(logits)  # (B, E, C)
        # of expert j to expert e: (B, E, E)
        pairs = kl_divergence(self._taught(log_p)[:, :, None], log_p[:, None])
        if self.gated:
            first = ops.argmax(logits, axis=-1)[..., None]  # (B, E, 1)
            right = ops.take_along_axis(is_label[:, None], first, -1)
            pairs = ops.where(right, pairs, 0.0)
        return ops.sum(pairs, (1, 2))

    def _hardest(self, is_label, logits):
        mean, largest = ops.mean(logits, axis=1), ops.max(logits, axis=1)
        others = ops.where(is_label, EXCLUDED, mean)
        hardest = ops.one_hot(
            ops.argmax(others, axis=-1), logits.shape[-1], dtype="bool"
        )
        lesson = ops.where(hardest, mean, largest)
        lesson = ops.where(is_label, self.target_fill, lesson)
        log_p = ops.log_softmax(self._taught(lesson))[:, None]  # (B, 1, C)
        students = ops.where(is_label[:, None], EXCLUDED, logits)
        return ops.sum(kl_divergence(log_p, ops.log_softmax(students)), -1)

    def _taught(self, lesson):
        return lesson if self.teacher_gradient else ops.stop_gradient(lesson)

    def get_config(self):
        """Return the arguments."""
        return {
            **super().get_config(),
            "base": keras.losses.serialize(self.base),
            "mutual": self.mutual,
            "hardest": self.hardest,
            "gated": self.gated,
            "target_fill": self.target_fill,
            "teacher_gradient": self.teacher_gradient,
        }

    @classmethod
    def from_config(cls, config):
        """Make the loss from its arguments."""
        base = keras.losses.deserialize(config["base"])
        return cls(**{**config, "base": base})


def _labels(labels, logits):
    """Shares `(B,)` of labels, and which class `(B, C)` each of them is."""
    shares = class_shares(labels, logits)  # (B, C)
    if not are_mixed(labels):
        return [(1.0, shares > 0)]
    largest, ids = ops.top_k(shares, 2)  # (B, 2)
    classes = logits.shape[-1]
    return [
        (largest[:, i], ops.one_hot(ids[:, i], classes, dtype="bool"))
        for i in (0, 1)
    ]
