"""What a method may know about the data."""

import dataclasses

from keras_lt import stats


@dataclasses.dataclass(frozen=True)
class Problem:
    """Shape and long tail of a classification task.

    Args:
        input_shape: `(height, width, channels)` of an image.
        class_counts: Training images per class, in class-id order, all > 0.
        pixel_mean: Mean of each channel on the scale 0..1; 0 by default.
        pixel_std: Standard deviation of each channel on that scale; 1 by
            default.
        groups: Of classes, that metrics tell of: `"shots"` or `"thirds"`, see
            `groups.class_groups`.

    Raises:
        ValueError: if a count is not positive, or the statistics do not have
            one entry a channel.

    Example:
        >>> Problem((32, 32, 3), class_counts=(500, 50, 5)).num_classes
        3
    """

    input_shape: tuple[int, int, int]
    class_counts: tuple[int, ...]
    pixel_mean: tuple[float, ...] = ()
    pixel_std: tuple[float, ...] = ()
    groups: str = "shots"

    def __post_init__(self):
        """Fill in the defaults and check."""
        channels = self.input_shape[-1]
        counts = stats.check_class_counts(self.class_counts)
        object.__setattr__(self, "class_counts", counts)
        for name, default in (("pixel_mean", 0.0), ("pixel_std", 1.0)):
            values = tuple(getattr(self, name)) or (default,) * channels
            if len(values) != channels:
                raise ValueError(
                    f"`{name}` must have one entry for each of {channels} "
                    f"channels, got {values}"
                )
            object.__setattr__(self, name, values)

    @property
    def num_classes(self) -> int:
        """Number of classes C."""
        return len(self.class_counts)
