import numpy as np
from sklearn.datasets import load_digits

from keras_lt.data.sources import digits


def test_splits():
    x, y, x_test, y_test, names = digits.read()
    assert x.shape == (1097, 8, 8, 1) and x_test.shape == (700, 8, 8, 1)
    assert x.dtype == x_test.dtype == "uint8"
    assert y.dtype == y_test.dtype == "int64"
    assert np.bincount(y_test).tolist() == [70] * 10
    assert names == tuple("0123456789")


def test_pixels_fill_the_range_of_uint8():
    x, _, x_test, *_ = digits.read()
    assert x.min() == x_test.min() == 0
    assert x.max() == x_test.max() == 255


def test_the_first_images_of_each_class_are_for_the_test():
    source = load_digits()
    x, y, x_test, y_test, _ = digits.read()
    for class_id in range(10):
        images = source.images[source.target == class_id]
        expected = np.round(images * 255 / 16)
        ours = [x_test[y_test == class_id], x[y == class_id]]
        np.testing.assert_array_equal(np.concatenate(ours)[..., 0], expected)
