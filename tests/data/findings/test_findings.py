"""Duplicates, odd images, and doubtful labels."""

import sys
import types

import numpy as np
import programs
import pytest
from hypothesis import given
from PIL import Image
from same_examples import SEEDS

from keras_lt.data import ImageFiles
from keras_lt.data.findings import duplicates, labels, oddities
from keras_lt.data.findings.looks import difference_hash, look, shrink

pytestmark = programs.once("jax")


def noise(seed=0, number=12, side=24, channels=3):
    """Smooth images: each a few waves, as photographs are."""
    random = np.random.default_rng(seed)
    small = random.integers(0, 256, (number, 6, 6, channels))
    return np.kron(small, np.ones((1, side // 6, side // 6, 1))).astype("uint8")


def looks(images):
    return look(images, np.arange(len(images)))


def test_shrinking_by_hand():
    pixels = np.arange(16.0).reshape(1, 4, 4)
    golden = [[[2.5, 4.5], [10.5, 12.5]]]
    np.testing.assert_array_equal(shrink(pixels, 2, 2), golden)
    np.testing.assert_array_equal(
        shrink(pixels[:, :1, :2], 2, 4), [[[0, 0, 1, 1]] * 2]
    )


def test_a_hash_is_where_brightness_rises():
    ramp = np.tile(np.arange(18.0), (1, 16, 1))
    assert difference_hash(ramp)[0] == 2**64 - 1
    assert difference_hash(ramp[..., ::-1])[0] == 0
    assert difference_hash(ramp + 40)[0] == 2**64 - 1


def test_equal_images_are_found():
    images = noise()
    images[7] = images[2]
    images[9] = images[2]
    images[5] = images[4]
    assert duplicates.exact_duplicates(looks(images)) == [[2, 7, 9], [4, 5]]
    assert duplicates.near_duplicates(looks(images)) == []
    assert duplicates.exact_duplicates(looks(images[:0])) == []


@given(SEEDS)
def test_a_brighter_noisier_copy_is_almost_equal(seed):
    random = np.random.default_rng(seed)
    images = noise(seed)
    copy = images[3].astype(int) + random.integers(0, 4, images[3].shape)
    images[8] = np.clip(copy, 0, 255)
    assert (3, 8) in duplicates.near_duplicates(looks(images))
    others = {(i, j) for i, j in duplicates.near_duplicates(looks(images))}
    assert len(others - {(3, 8)}) <= 1


def test_all_close_hashes_are_candidates():
    """Against the comparison of all pairs."""
    random = np.random.default_rng(0)
    found = looks(noise(number=40))
    base = random.integers(0, 2**63, 10).astype("uint64")
    flips = np.uint64(1) << random.integers(0, 64, (30, 3)).astype("uint64")
    turned = base[random.integers(0, 10, 30)]
    for bit in flips.T:
        turned = turned ^ bit
    found.hash[:] = np.concatenate([base, turned])
    ours = set(duplicates._candidates(found))
    apart = np.bitwise_count(found.hash[:, None] ^ found.hash)
    golden = np.argwhere(np.triu(apart <= duplicates.BITS, 1))
    assert ours == {tuple(pair) for pair in golden.tolist()}
    assert len(ours) > 20


def test_odd_images_by_hand():
    images = noise(number=30)
    images[3] = 90
    images[4] = images[4].mean(-1, keepdims=True)
    images[5] = (2, 0, 4)
    images[5, :6, :6] = (40, 20, 60)
    images[6] = 255 - images[5]
    found = oddities.odd_looks(looks(images))
    assert {k: v.tolist() for k, v in found.items()} == {
        "one colour": [3],
        "nearly black": [5],
        "nearly white": [6],
        "grey among colours": [4],
    }
    grey = noise(channels=1)
    assert oddities.odd_looks(looks(grey)) == {}


def test_odd_sizes(tmp_path):
    sizes = np.array([[64, 64], [31, 40], [400, 64], [0, 0]])
    found = oddities.odd_sizes(sizes, 64)
    assert [v.tolist() for v in found.values()] == [[1], [2]]
    Image.new("RGB", (30, 20)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no image")
    files = ImageFiles(tmp_path, ["a.png", "b.png", "absent.png"], size=8)
    np.testing.assert_array_equal(
        oddities.read_sizes(files, np.array([2, 1, 0])),
        [[0, 0], [0, 0], [30, 20]],
    )


def two_kinds(number=30):
    """Two separate classes, with image 5 in the wrong one."""
    random = np.random.default_rng(0)
    ids = np.arange(number) % 2
    features = random.normal(size=(number, 8)) + 6 * ids[:, None]
    ids[5] = 0
    return features, ids


def test_probabilities_are_of_models_that_did_not_see_the_image():
    features, ids = two_kinds()
    found = labels.cross_validated(features, ids)
    np.testing.assert_allclose(found.sum(1), 1)
    answers = found.argmax(1)
    assert answers[5] == 1
    assert np.delete(answers == ids, 5).all()


def test_suspects_are_what_cleanlab_says_in_our_positions(monkeypatch):
    """Its part is played: the least probable labels below one half."""
    features, ids = two_kinds()
    features = np.concatenate([features[:1] * 0, features])
    ids = np.concatenate([[7], ids])  # a class of a single image

    def find_label_issues(
        given, probabilities, *, return_indices_ranked_by, n_jobs
    ):
        assert return_indices_ranked_by == "self_confidence"
        assert set(given) == {0, 1} and len(given) == 30
        own = probabilities[np.arange(30), given]
        return np.argsort(own)[: (own < 0.5).sum()]

    module = types.ModuleType("cleanlab.filter")
    module.find_label_issues = find_label_issues
    monkeypatch.setitem(sys.modules, "cleanlab", types.ModuleType("cleanlab"))
    monkeypatch.setitem(sys.modules, "cleanlab.filter", module)
    assert labels.suspects(features, ids).tolist() == [6]


def test_suspects_of_cleanlab_itself():
    pytest.importorskip("cleanlab")
    assert 5 in labels.suspects(*two_kinds())
