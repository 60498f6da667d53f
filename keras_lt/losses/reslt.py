"""The loss of residual branches for ever rarer classes."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from keras_lt import stats
from keras_lt.checking import checked
from keras_lt.losses.checks import check_logits
from keras_lt.ops import (
    are_mixed,
    check_smoothing,
    class_shares,
    ids_or_shares,
    mean_over_replicas,
    of_label,
    smoothed,
    take_class,
)

FUSED = ("crossentropy", "bounded")


@keras.saving.register_keras_serializable(package="keras_lt")
class ResLTLoss(keras.losses.Loss):
    """Each branch on its classes, and the sum of the branches on all.

    Branch 1 learns from every image, each further one only from classes of at
    least a rank by descending frequency, given by `cuts`. With p[v] the
    softmax of branch v and m[i, v] = 1 where image i belongs to branch v:

        branches = - sum_iv m[i, v] * log(p[v][i, y] + epsilon) / sum_iv m[i, v]
        fused    = - mean_i log softmax(sum_v z[v])[i, y]
        loss     = beta * branches + (1 - beta) * fused

    The first denominator counts (image, branch) pairs of the batch, over all
    replicas.

    Args:
        class_counts: Training images per class, length C, all > 0.
        cuts: Ranks at which the second, third, ... branch begin, increasing;
            by default where the medium and the few-shot classes begin, or, if
            a shot group is empty, thirds of the ranks [ours]. `()` leaves one
            branch.
        beta: Weight of the branches' own losses, in [0, 1]; the paper's alpha.
        fused: `"crossentropy"`, or `"bounded"` for `log(p + epsilon)` as
            released for ImageNet-LT.
        epsilon: Bounds a logarithm at log(epsilon), > 0.
        label_smoothing: Share of each label that all classes get alike, in
            [0, 1).
        reduction: As in `keras.losses.Loss`.
        name: Name of the loss.
        **kwargs: Of `keras.losses.Loss`, such as `dtype`.

    Call arguments: labels `(B,)` or `(B, 1)` class ids, or `(B, C)`
        probabilities of the classes, whose terms are mixed; logits
        `(B, V, C)` of V = len(cuts) + 1 branches, or of a multiple of that
        for several experts, whose losses are summed.
    Returns: values `(B,)` in nats whose mean is the loss.
    Raises: ValueError: if a count is not positive, or `cuts`, `beta`, `fused`
        or `epsilon` is out of range.

    See also: `layers.ResidualFusion`; `models.branched_classifier`.

    Example:
        >>> loss = ResLTLoss([50, 20, 5], cuts=(1, 2), beta=1.0)
        >>> round(float(loss([0, 1, 2], ops.zeros((3, 3, 3)))), 4)  # ln 3
        1.0986

    Source: Cui et al., TPAMI 2023; `jiequancui/ResLT`.
    Differs from the released code: equal counts rank by class id.
    """

    @checked
    def __init__(
        self,
        class_counts: Sequence[int],
        *,
        cuts: Sequence[int] | None = None,
        beta: float = 0.99,
        fused: str = "crossentropy",
        epsilon: float = 1e-7,
        label_smoothing: float = 0.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "reslt_loss",
        **kwargs,
    ):
        super().__init__(name=name, reduction=reduction, **kwargs)
        self.label_smoothing = check_smoothing(label_smoothing)
        self.class_counts = list(stats.check_class_counts(class_counts))
        if cuts is None:
            cuts = _shot_cuts(class_counts)
        cuts = [int(cut) for cut in cuts]
        if sorted({0, *cuts, len(self.class_counts)}) != [
            *(0, *cuts, len(self.class_counts))
        ]:
            raise ValueError(
                "`cuts` must increase and lie between 0 and the "
                f"{len(self.class_counts)} classes, got {cuts}"
            )
        if not 0 <= beta <= 1:
            raise ValueError(f"`beta` must be in [0, 1], got {beta}")
        if fused not in FUSED:
            raise ValueError(f"`fused` must be one of {FUSED}, got {fused!r}")
        if not epsilon > 0:
            raise ValueError(f"`epsilon` must be > 0, got {epsilon}")
        self.cuts = cuts
        self.beta = beta
        self.fused = fused
        self.epsilon = epsilon
        ranks = stats.frequency_ranks(class_counts)
        begins = np.array([0, *cuts])
        # Which branches the images of each class train, (C, V).
        self.members = (ranks[:, None] >= begins).astype("float32")

    def call(self, y_true, y_pred):
        """Return the values `(B,)` of labels `(B,)`, logits `(B, V, C)`."""
        check_logits(y_pred, self.class_counts)
        labels = smoothed(y_true, y_pred, self.label_smoothing)
        labels = ids_or_shares(labels)
        branches = self.members.shape[1]
        if y_pred.shape[1] % branches:
            raise ValueError(
                f"`cuts` {self.cuts} need logits of {branches} branches, got "
                f"{y_pred.shape[1]}"
            )
        return sum(
            self._expert(labels, y_pred[:, first : first + branches])
            for first in range(0, y_pred.shape[1], branches)
        )

    def _expert(self, labels, logits):
        members = ops.convert_to_tensor(self.members, logits.dtype)  # (C, V)
        total = ops.sum(logits, axis=1)  # (B, V, C) -> (B, C)
        if are_mixed(labels):
            shares = class_shares(labels, logits)  # (B, C)
            every = -ops.log(ops.softmax(logits) + self.epsilon)
            own = shares[:, None] * ops.transpose(members) * every  # (B, V, C)
            values = ops.sum(own, (1, 2))
            pairs = ops.matmul(shares, members)  # (B, V)
        else:
            pairs = ops.take(members, labels, axis=0)  # (B, V)
            own = [
                self._bounded(labels, logits[:, branch])
                for branch in range(logits.shape[1])
            ]
            values = ops.sum(pairs * ops.stack(own, axis=1), -1)
        number = ops.mean(ops.sum(pairs, -1))  # of an image, in the mean
        values = values / mean_over_replicas(number)
        if self.fused == "bounded":
            fused = self._bounded(labels, total)
        else:
            fused = -of_label(ops.log_softmax(total), labels)
        return self.beta * values + (1 - self.beta) * fused

    def _bounded(self, labels, logits):
        if are_mixed(labels):
            return -of_label(
                ops.log(ops.softmax(logits) + self.epsilon), labels
            )
        p = take_class(ops.softmax(logits), labels)
        return -ops.log(p + self.epsilon)

    def get_config(self):
        """Return the arguments."""
        return {
            **super().get_config(),
            "class_counts": self.class_counts,
            "cuts": self.cuts,
            "beta": self.beta,
            "fused": self.fused,
            "epsilon": self.epsilon,
            "label_smoothing": self.label_smoothing,
        }


def _shot_cuts(class_counts):
    many, medium, few = map(len, stats.shot_groups(class_counts))
    if many and medium and few:
        return many, many + medium
    return len(class_counts) // 3, 2 * len(class_counts) // 3
