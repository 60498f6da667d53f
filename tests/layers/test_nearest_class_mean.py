import keras
import numpy as np
import pytest

from keras_lt.layers import NearestClassMean

# Of the method card "toolbox", section 5.
FEATURES = np.array([[1, 0, 2], [0, 3, 0], [3, 2, 0], [0, 1, 4], [2, 2, 2]])
LABELS = np.array([0, 1, 0, 2, 1])
QUERIES = np.array([[1.0, 1, 1], [0, 2, 1]], "float32")


def adapted(distance):
    layer = NearestClassMean(3, distance=distance)
    layer.adapt(FEATURES, LABELS)
    return layer


def test_golden_euclidean():
    ours = keras.ops.convert_to_numpy(adapted("euclidean")(QUERIES))
    golden = [
        [-0.60392094, -1.86272597, -2.70087671],
        [-1.87727475, -1.17473781, -2.12469578],
    ]
    np.testing.assert_allclose(ours, golden, rtol=1e-5)


def test_cosine():
    ours = keras.ops.convert_to_numpy(adapted("cosine")(QUERIES))
    means = np.array([[2, 1, 1], [1, 2.5, 1], [0, 1, 4]])
    golden = QUERIES @ means.T
    golden /= np.linalg.norm(QUERIES, axis=1)[:, None]
    golden /= np.linalg.norm(means, axis=1)
    np.testing.assert_allclose(ours, golden, rtol=1e-5)


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_nothing_is_trained_and_the_order_of_images_does_not_matter(distance):
    layer, other = adapted(distance), NearestClassMean(3, distance=distance)
    assert not layer.trainable_variables
    order = [4, 1, 3, 0, 2]
    other.adapt(FEATURES[order], LABELS[order])
    for mine, theirs in zip(layer.variables, other.variables, strict=True):
        np.testing.assert_allclose(np.array(mine), np.array(theirs), rtol=1e-6)


def test_bad_arguments():
    with pytest.raises(ValueError, match="`distance` must be one of"):
        NearestClassMean(3, distance="manhattan")
    with pytest.raises(ValueError, match="`num_classes` must be > 0, got 0"):
        NearestClassMean(0)
