import keras
import numpy as np
import pytest

from keras_lt.layers import BranchSum, ResidualFusion

MAPS = np.random.default_rng(0).normal(size=(5, 2, 2, 4)).astype("float32")


@pytest.mark.parametrize("form", ["normalization", "convolution"])
def test_a_plain_classifier_on_it_says_what_the_branches_sum_to(form):
    fusion = ResidualFusion(3, branches=2, form=form)
    each = np.array(fusion(MAPS, training=False))  # (B, V, C)
    features = np.array(BranchSum(fusion)(MAPS, training=False))
    plain = features @ np.array(fusion.kernel) + 2 * np.array(fusion.bias)
    np.testing.assert_allclose(plain, each.sum(1), rtol=1e-4, atol=1e-5)


def test_has_the_branches_of_the_layer_it_is_given():
    fusion = ResidualFusion(3, branches=2)
    layer = BranchSum(fusion)
    layer(MAPS, training=True)
    assert layer.fusion is fusion
    assert np.abs(np.array(fusion.norms[0].moving_mean)).max() > 0
    config = keras.saving.serialize_keras_object(layer)
    back = keras.saving.deserialize_keras_object(config)
    assert back.fusion is not fusion
    assert tuple(back(MAPS).shape) == (5, 4)
