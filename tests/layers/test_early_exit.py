import keras
import numpy as np
import pytest

from keras_lt.layers import AppendRoutes, EarlyExit
from keras_lt.ops import experts_run

Z1 = [[3, 0, 0], [1, 0.9, 0], [0, 1, 0.8], [0.2, 0.1, 0]]
Z2 = [[0, 2, 0], [0, 2, 0], [0, 0, 1], [1, 0, 0]]
Z3 = [[0, 0, 3], [0, 0, 5], [0, 0, 1], [0, 4, 0]]
LOGITS = np.array([Z1, Z2, Z3], "float32").transpose(1, 0, 2)
ROUTES = np.array([[-0.1, 9], [0.3, -0.2], [1, 2], [0, 5]], "float32")


def test_golden_routing():
    run = keras.ops.convert_to_numpy(experts_run(ROUTES))
    assert run.sum(1).tolist() == [1, 2, 3, 1]
    ours = keras.ops.convert_to_numpy(EarlyExit()(LOGITS, ROUTES))
    golden = [[3, 0, 0], [0.5, 1.45, 0], [0, 1 / 3, 2.8 / 3], [0.2, 0.1, 0]]
    np.testing.assert_allclose(ours, golden, rtol=1e-6)


@pytest.mark.parametrize("sign", [-1, 1])
def test_all_or_one(sign):
    routes = sign * np.ones((4, 2), "float32")
    ours = keras.ops.convert_to_numpy(EarlyExit()(LOGITS, routes))
    golden = LOGITS.mean(1) if sign > 0 else LOGITS[:, 0]
    np.testing.assert_allclose(ours, golden, rtol=1e-6)


def test_append_routes():
    ours = keras.ops.convert_to_numpy(AppendRoutes()(LOGITS, ROUTES))
    np.testing.assert_array_equal(ours[..., :3], LOGITS)
    np.testing.assert_array_equal(ours[:, :2, 3], ROUTES)
    np.testing.assert_array_equal(ours[:, 2, 3], 0)
