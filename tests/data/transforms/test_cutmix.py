"""CutMix: boxes of the card, against a loop, on all kinds of loaders."""

import numpy as np
import programs
import pytest
from every_kind import KINDS, batches

from keras_lt.data import Augment, Batching, CutMix, Mixup
from keras_lt.data.transforms.cutmix import cut_box

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (40, 9, 7, 3), "uint8")
LABELS = np.arange(40) % 4
PLAIN = Batching(batch_size=16)
CUTMIX = Augment(transforms=(CutMix(1.0, 4),))


def made(kind="numpy", number=3, **options):
    return batches((IMAGES, LABELS), kind, PLAIN, 5, number=number, **options)


@programs.once("jax")
@pytest.mark.parametrize(
    ("share", "centre", "box", "kept"),
    [
        (0.5, [16, 16], [5, 27, 5, 27], 0.52734375),
        (0.5, [2, 30], [0, 13, 19, 32], 0.83496094),
        (0.75, [16, 10], [8, 24, 2, 18], 0.75),
        (0.9, [5, 5], [0, 10, 0, 10], 0.90234375),
    ],
)
def test_boxes_of_the_card(share, centre, box, kept):
    assert cut_box(share, centre, (32, 32)) == box
    draws = {
        "box": np.array([box, box], "int32"),
        "partner": np.array([1, 0], "int32"),
    }
    images = np.stack([np.zeros((32, 32, 1)), np.ones((32, 32, 1))])
    images, labels = CutMix(1.0, 3).apply(
        images.astype("uint8"), np.array([2, 0]), draws, np
    )
    golden = np.zeros((32, 32, 1))
    golden[box[0] : box[1], box[2] : box[3]] = 1
    np.testing.assert_array_equal(images, [golden, 1 - golden])
    golden = [[1 - kept, 0, kept], [kept, 0, 1 - kept]]
    np.testing.assert_allclose(labels, golden, atol=1e-7)


@programs.once("jax")
def test_labels_are_the_shares_of_pixels():
    """Images that are their class: what is mixed can be counted."""
    images = np.broadcast_to(LABELS[:, None, None, None], (40, 9, 7, 1))
    images = images.astype("uint8")
    kept = []
    for x, y in batches(
        (images, LABELS), "numpy", PLAIN, 5, number=30, augment=CUTMIX
    ):
        assert x.dtype == "uint8" and y.dtype == "float32"
        golden = [(x == label).mean((1, 2, 3)) for label in range(4)]
        np.testing.assert_allclose(y, np.stack(golden, 1), atol=1e-6)
        np.testing.assert_allclose(y.sum(1), 1, atol=1e-6)
        kept.append(y.max(1).min())
    assert len({*np.round(kept, 5)}) > 10  # each batch has its own box


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_agree(kind):
    for (x, y), (x2, y2) in zip(
        made(augment=CUTMIX), made(kind, augment=CUTMIX), strict=True
    ):
        np.testing.assert_array_equal(x, x2)
        np.testing.assert_allclose(y, y2, atol=1e-6)
        assert x2.dtype == "uint8" and y2.dtype == "float32"


@programs.once("jax")
def test_probability():
    def mixed(probability):
        random, cutmix = np.random.default_rng(0), CutMix(1.0, 4, probability)
        drawn = [cutmix.draw(random, 2, (224, 224, 3)) for _ in range(2000)]
        return np.mean([draws["box"].any() for draws in drawn])

    assert mixed(0.0) == 0
    assert mixed(0.3) == pytest.approx(0.3, abs=0.04)
    assert mixed(1.0) > 0.999


@programs.once("jax")
def test_after_mixup():
    both = Augment(transforms=(Mixup(1.0, 4), CutMix(1.0, 4)))
    for _, y in made(augment=both):
        np.testing.assert_allclose(y.sum(1), 1, atol=1e-6)
    assert max((y > 0).sum(1).max() for _, y in made(augment=both)) > 2


@programs.once("jax")
def test_bad_arguments():
    with pytest.raises(ValueError, match="`alpha` must be > 0, got 0"):
        CutMix(0, 3)
    with pytest.raises(ValueError, match="`num_classes` must be >= 2, got 1"):
        CutMix(1.0, 1)
    with pytest.raises(ValueError, match=r"`probability` must be in.*got 1.5"):
        CutMix(1.0, 3, 1.5)
