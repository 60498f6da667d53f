"""Random windows of images, as shares of whatever size they have."""

import numpy as np

ASPECTS = (3 / 4, 4 / 3)
TRIES = 10


def draw_windows(
    random: np.random.Generator,
    batch: int,
    scale: tuple[float, float],
    *,
    square: bool = False,
) -> np.ndarray:
    """Draw what makes a window of an image, whatever its size.

    Args:
        random: Where the draws come from.
        batch: Number of images B.
        scale: Smallest and largest share of the area.
        square: Whether all windows are squares.

    Returns:
        float64 `(B, 22)`: ten shares of the area, ten aspect ratios (-1 of
        squares that must stay so), and where the window lies.
    """
    share = random.uniform(*scale, (batch, TRIES))
    least, most = np.log(ASPECTS)
    aspect = np.exp(random.uniform(least, most, (batch, TRIES)))
    if square:
        aspect = np.full_like(aspect, -1)
    return np.concatenate([share, aspect, random.random((2, batch)).T], axis=1)


def place_windows(draws: np.ndarray, height: int, width: int) -> np.ndarray:
    """Place windows in images of one size.

    Each has a uniform share of the area, and a log-uniform aspect ratio from
    3/4 to 4/3. The first of ten draws that fits into the image is taken, else
    the largest central window whose aspect ratio is in the range. Where all
    are squares, it is the largest square, anywhere.

    Args:
        draws: Of `draw_windows`, `(B, 22)`.
        height: H of the images.
        width: W of the images.

    Returns:
        float32 `(B, 4)`: first row, rows, first column, columns, all whole.
    """
    batch = len(draws)
    share, aspect, starts = np.split(draws, [TRIES, 2 * TRIES], axis=1)
    square, aspect = (aspect < 0).all(axis=1), np.abs(aspect)
    area, starts = height * width * share, starts.T
    sizes = np.rint(np.sqrt([area / aspect, area * aspect])).astype(int)
    limits = np.array([height, width])[:, None, None]
    fits = np.all((sizes > 0) & (sizes <= limits), axis=0)  # (B, TRIES)
    sizes = sizes[:, np.arange(batch), fits.argmax(1)]  # (2, B)
    near = np.clip(width / height, *ASPECTS)
    whole = min(height, round(width / near)), min(width, round(height * near))
    central = ~fits.any(axis=1)
    sizes[:, central & square] = min(height, width)
    central &= ~square
    sizes[:, central] = np.array(whole)[:, None]
    room = limits[..., 0] - sizes
    starts = (starts * (room + 1)).astype(int)
    starts[:, central] = room[:, central] // 2
    placed = [starts[0], sizes[0], starts[1], sizes[1]]
    return np.stack(placed, axis=1).astype("float32")


def least_share(epoch: int, epochs: int, low: float) -> float:
    """Smallest share of the area in an epoch, which grows to 1.

    `low + (1 - low) (1 - sqrt(1 - t^2))`, where t goes from 0 to 1: slowly at
    first, so that only the last epochs show nearly whole images.

    Args:
        epoch: From 0; later ones are as the last.
        epochs: In which it grows.
        low: In the first epoch.

    Example:
        >>> [round(least_share(e, 5, 0.08), 4) for e in range(5)]
        [0.08, 0.1092, 0.2033, 0.3915, 1.0]

    Source: Shi et al., LIFT+, 2025 (minimalist data augmentation).
    Differs from the released code: a single epoch has whole images.
    """
    t = min(epoch / (epochs - 1), 1.0) if epochs > 1 else 1.0
    return low + (1 - low) * (1 - (1 - t**2) ** 0.5)
