# Goldens: tests/cards/lift.md, A1 and section 2.
import keras
import numpy as np
import pytest
from gradients import gradient
from keras import ops

from keras_lt.layers import AdaptFormer

DOWN = [[0.5, -0.25, 0.1, 0.2], [-0.3, 0.4, 0.6, -0.1]]  # (r, D)
UP = [[0.2, -0.1], [0.3, 0.5], [-0.4, 0.25], [0.1, 0.6]]  # (D, r)
X = [[1, 2, 0, -1], [0.5, -0.5, 1.5, 0]]
OUT = [
    [-0.02224906, 0.21624529, 0.04812265, 0.28349438],
    [0.09638599, 0.56106836, -0.17631125, 0.50968236],
]


def made():
    layer = AdaptFormer(2, name="adapt_former")
    layer.build((None, 4))
    layer.down.kernel.assign(np.transpose(DOWN))
    layer.down.bias.assign([0.05, -0.02])
    layer.up.kernel.assign(np.transpose(UP))
    layer.up.bias.assign([0.01, 0.02, -0.03, 0.04])
    layer.scale.assign(1.5)
    return layer


def test_golden_output():
    np.testing.assert_allclose(made()(np.array(X, "float32")), OUT, rtol=2e-5)


def test_golden_gradients():
    layer = made()
    above = np.array([[1.0, 2, 3, 4], [-1, 0, 1, 2]], "float32")
    names = [each.path.split("adapt_former")[-1] for each in layer.variables]

    def value(x, *weights):
        found, _ = layer.stateless_call([*weights], [], x)
        return ops.sum(found * above)

    weights = map(ops.convert_to_numpy, layer.variables)
    x, *slopes = gradient(value, X, *weights)
    found = {n.split("/", 1)[-1]: s for n, s in zip(names, slopes, strict=True)}
    golden = {
        "scale": 1.623503,
        "norm/gamma": [-0.983650, 1.982313, 0.400800, 0.993792],
        "norm/beta": [-2.82, 3.51, 4.98, -0.96],
        "down/kernel": np.transpose(
            [
                [-0.101418, 0.709923, -0.912758, 0.304253],
                [3.109805, 5.399483, 0.820127, -9.329415],
            ]
        ),
        "down/bias": [-0.6, 8.4],
        "up/kernel": np.transpose(
            [
                [-0.721537, -0.256724],
                [0, 0.744981],
                [0.721537, 1.746686],
                [1.443074, 2.748391],
            ]
        ),
        "up/bias": [0, 3, 6, 9],
    }
    assert found.keys() == golden.keys()
    for name, each in golden.items():
        np.testing.assert_allclose(
            found[name], each, rtol=2e-4, atol=1e-5, err_msg=name
        )
    golden_x = [
        [-2.608138, 0.869384, 2.608138, -0.869384],
        [-1.752495, 1.405642, 1.052722, -0.705869],
    ]
    np.testing.assert_allclose(x, golden_x, rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize(("width", "rank", "count"), [(768, 4, 8453)])
def test_golden_count_and_nothing_at_the_start(width, rank, count):
    layer = AdaptFormer(rank)
    x = np.random.default_rng(0).normal(size=(2, 3, width)).astype("float32")
    assert not np.any(keras.ops.convert_to_numpy(layer(x)))
    assert layer.count_params() == count


def test_bad_rank():
    with pytest.raises(ValueError, match="`rank` must be > 0, got 0"):
        AdaptFormer(0)
