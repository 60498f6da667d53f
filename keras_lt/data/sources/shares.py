"""How many of a class's images are held out, and which classes have too few."""

from collections.abc import Sequence

from keras_lt.image_reader import DataError

SMALL_CLASSES = ("error", "train_only", "drop")
NAMED = 20  # classes in an error
TEST_SHARE = 0.2


def test_counts(counts: Sequence[int], share: float) -> list[int]:
    """Images of each class to test on, in proportion.

    Args:
        counts: Images of each class.
        share: Of each class.

    Returns:
        At least 2 of each class, but never more than half of it.

    Example:
        >>> test_counts([100, 7, 3, 1], 0.2)
        [20, 2, 1, 0]
    """
    return [min(max(round(share * n), 2), n // 2) for n in counts]


def validation_counts(counts: Sequence[int], share: float) -> list[int]:
    """Images of each class to validate on; of three images at least one.

    Example:
        >>> validation_counts([80, 5, 3, 2, 1], 0.2)
        [16, 1, 1, 0, 0]
    """
    return [max(round(share * n), int(n >= 3)) for n in counts]


def small_classes(
    names: Sequence[str],
    counts: Sequence[int],
    *,
    needed: int,
    how: str,
    where: str,
) -> list[int]:
    """Choose the classes to leave out, or say which have too few images.

    Args:
        names: Of the classes.
        counts: Training images of each.
        needed: Images without which a class cannot be trained, or tested.
        how: `"error"`; `"train_only"`, which keeps those with an image; or
            `"drop"`, which leaves all of them out.
        where: Folder or file that they are in.

    Returns:
        Class ids to leave out.

    Raises:
        DataError: naming all of them, if that is how.
        ValueError: if `how` is unknown.
    """
    if how not in SMALL_CLASSES:
        raise ValueError(
            f"`small_classes` must be one of {[*SMALL_CLASSES]}, got {how!r}"
        )
    small = [c for c, count in enumerate(counts) if count < needed]
    if how == "train_only":
        return [c for c in small if not counts[c]]
    if how == "drop" or not small:
        return small
    parts = {
        "without a training image": [names[c] for c in small if not counts[c]],
        "with a single image, so that none can be kept for testing": [
            names[c] for c in small if counts[c]
        ],
    }
    told = "; ".join(
        f"{len(own)} {'class' if len(own) == 1 else 'classes'} {what} "
        f"({_listed(own)})"
        for what, own in parts.items()
        if own
    )
    raise DataError(
        f"`data_dir`: {where} has {told}: add images, or "
        "--small_classes=drop leaves them out, and train_only keeps those "
        "with an image for training alone"
    )


def _listed(names):
    shown = ", ".join(map(repr, names[:NAMED]))
    return shown + (", ..." if len(names) > NAMED else "")
