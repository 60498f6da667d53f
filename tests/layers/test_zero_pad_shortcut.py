import keras
import numpy as np
import pytest

from keras_lt.layers import ZeroPadShortcut


def reference(images, channels, stride):
    kept = images[:, ::stride, ::stride]
    output = np.zeros((*kept.shape[:3], channels))
    before = (channels - images.shape[-1]) // 2
    output[..., before : before + images.shape[-1]] = kept
    return output


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("channels", [2, 4, 5])
@pytest.mark.parametrize("size", [(6, 6), (5, 7)])
def test_values_and_shapes(stride, channels, size):
    images = np.random.default_rng(0).random((2, *size, 2)).astype("float32")
    layer = ZeroPadShortcut(channels, stride=stride)
    ours = keras.ops.convert_to_numpy(layer(images))
    golden = reference(images, channels, stride)
    np.testing.assert_array_equal(ours, golden.astype("float32"))
    assert layer.compute_output_shape(images.shape) == golden.shape
    assert not layer.weights


def test_default_stride_and_channel_order():
    images = np.arange(4.0).reshape(1, 2, 2, 1) + 7
    ours = keras.ops.convert_to_numpy(ZeroPadShortcut(4)(images))
    np.testing.assert_array_equal(ours, [[[[0, 7, 0, 0]]]])


def test_unknown_size():
    inputs = keras.Input((None, 9, 2))
    output = ZeroPadShortcut(4, name="path")(inputs)
    assert output.shape == (None, None, 5, 4)


def test_too_few_channels():
    with pytest.raises(ValueError, match="`channels` must be at least.* 3"):
        ZeroPadShortcut(2)(np.ones((1, 4, 4, 3)))
