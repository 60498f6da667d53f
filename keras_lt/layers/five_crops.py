"""Five crops of each image, to answer by the mean of five answers."""

import keras
from keras import ops

from keras_lt.checking import checked

MARGIN = 24 / 224  # published, of the side of a crop


@keras.saving.register_keras_serializable(package="keras_lt")
class FiveCrops(keras.layers.Layer):
    """The four corners and the centre of images that are enlarged first.

    Their short side becomes 248/224 of that of the crops, which have the size
    that images came in, or `size`. The mean of the five logits is the answer:
    test-time ensembling.

    Args:
        size: Height and width of the crops; those of the images by default.
        **kwargs: Of `keras.layers.Layer`, such as `name`.

    Inputs: images `(B, H, W, channels)`.
    Returns: `(5 B, *size, channels)`, the five of an image one after the other.

    See also: `data.Augment`, whose crops are for training.

    Example:
        >>> FiveCrops()(ops.zeros((2, 224, 224, 3))).shape[0]
        10

    Source: Shi et al., ICML 2024 (LIFT), `torchvision.transforms.FiveCrop`.
    """

    @checked
    def __init__(self, size: tuple[int, int] | None = None, **kwargs):
        super().__init__(**kwargs)
        self.size = None if size is None else [int(side) for side in size]

    def call(self, inputs):
        """Enlarge and crop."""
        height, width = self.size or inputs.shape[1:3]
        sides = enlarged(inputs.shape[1:3], min(height, width))
        x = ops.image.resize(
            ops.cast(inputs, self.compute_dtype), sides, antialias=True
        )
        crops = [
            x[:, top : top + height, left : left + width]
            for top, left in corners(sides, (height, width))
        ]
        x = ops.stack(crops, axis=1)  # (B, 5, height, width, channels)
        return ops.reshape(x, (-1, height, width, inputs.shape[-1]))

    def compute_output_shape(self, input_shape):
        """Return the shape of the crops."""
        return (None, *(self.size or input_shape[1:3]), input_shape[-1])

    def get_config(self):
        """Return the arguments."""
        return {**super().get_config(), "size": self.size}


def enlarged(sides: tuple[int, int], crop: int) -> tuple[int, int]:
    """Height and width of images before they are cropped.

    Args:
        sides: As they come.
        crop: Short side of the crops.

    Example:
        >>> enlarged((300, 400), 224)
        (248, 330)
    """
    short = crop + round(crop * MARGIN)
    height, width = (int(short * side / min(sides)) for side in sides)
    return height, width


def corners(
    sides: tuple[int, int], size: tuple[int, int]
) -> list[tuple[int, int]]:
    """First row and column of the five crops, the centre last.

    Args:
        sides: Height and width of the images.
        size: Of the crops.

    Raises:
        ValueError: if the crops are larger.

    Example:
        >>> corners((10, 12), (8, 8))
        [(0, 0), (0, 4), (2, 0), (2, 4), (1, 2)]
    """
    down, across = (side - own for side, own in zip(sides, size, strict=True))
    if min(down, across) < 0:
        raise ValueError(f"`size` must be at most {sides}, got {size}")
    centre = round(down / 2), round(across / 2)
    return [(0, 0), (0, across), (down, 0), (down, across), centre]
