"""One value an image: right or not, Brier score, log loss."""

import numpy as np

from keras_lt.checking import checked


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities of logits `(..., C)`, in double precision.

    Example:
        >>> softmax([[1000.0, 1000.0]]).tolist()
        [[0.5, 0.5]]
    """
    logits = np.asarray(logits, "float64")
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def check_probabilities(
    probabilities: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return both as arrays, or say what is wrong with them.

    Raises:
        ValueError: if shapes do not fit, a label is no class, or a row is no
            distribution.
    """
    probabilities, labels = np.asarray(probabilities), np.asarray(labels)
    if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1]:
        raise ValueError(
            "`probabilities` must be (N, C) and `labels` (N,), got "
            f"{probabilities.shape} and {labels.shape}"
        )
    check_labels(labels, probabilities.shape[1])
    off = np.abs(probabilities.sum(1) - 1).max()
    if not (off < 1e-3 and probabilities.min() >= 0):
        raise ValueError(
            "`probabilities` must be >= 0 and sum to 1 in each row, got a "
            f"smallest of {probabilities.min():g} and a sum off by {off:g}; "
            "`softmax` makes them of logits"
        )
    return probabilities, labels


def check_labels(labels: np.ndarray, num_classes: int) -> None:
    """Check that labels are class ids, and that there are some.

    Raises:
        ValueError: if not.
    """
    whole = np.issubdtype(labels.dtype, np.integer)
    if labels.ndim != 1 or not len(labels) or not whole:
        raise ValueError(
            "`labels` must be whole numbers (N,), one or more, got "
            f"{labels.dtype} {labels.shape}"
        )
    if not 0 <= labels.min() <= labels.max() < num_classes:
        raise ValueError(
            f"`labels` must be in [0, {num_classes}), got values from "
            f"{labels.min()} to {labels.max()}"
        )


@checked
def hits(scores: np.ndarray, labels: np.ndarray, *, top: int = 1) -> np.ndarray:
    """Whether the true class is among the `top` largest scores.

    Of equal scores, that of the smaller class id comes first, as in `argmax`.

    Args:
        scores: Logits or probabilities `(N, C)`.
        labels: Class ids `(N,)`.
        top: How many count; more than C are all.

    Returns:
        bool `(N,)`.

    Example:
        >>> hits(np.array([[0.5, 0.2, 0.3]]), np.array([2]), top=2).tolist()
        [True]
    """
    own = np.take_along_axis(scores, labels[:, None], 1)  # (N, 1)
    before = np.arange(scores.shape[1]) < labels[:, None]
    return ((scores > own) | (before & (scores == own))).sum(1) < top


def brier_scores(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Squared distance to the truth, `sum_c (p_c - y_c)^2`, from 0 to 2.

    Args:
        probabilities: `(N, C)`.
        labels: Class ids `(N,)`.

    Returns:
        float64 `(N,)`.

    Source: Brier, Monthly Weather Review 1950.
    """
    squares = np.square(probabilities, dtype="float64").sum(1)
    own = _own(probabilities, labels)
    return squares - 2 * own + 1


def log_losses(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """`-log p` of the true class in nats `(N,)`, at most about 708."""
    own = _own(probabilities, labels)
    return -np.log(np.maximum(own, np.finfo("float64").tiny))


def _own(probabilities, labels):
    """Probability of the true class `(N,)`."""
    own = np.take_along_axis(probabilities, labels[:, None], 1)[:, 0]
    return own.astype("float64")
