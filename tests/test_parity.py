"""TensorFlow and JAX compute the same training."""

import importlib.util
import subprocess
import sys

import keras
import numpy as np
import programs
import pytest

pytestmark = pytest.mark.slow


@pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("tensorflow", "jax"))),
    reason="compares the two backends",
)
@pytest.mark.skipif(
    keras.backend.backend() != "jax", reason="runs both, once is enough"
)
def test_thousand_steps_agree(tmp_path):
    losses = {}
    for backend in ("tensorflow", "jax"):
        path = tmp_path / f"{backend}.npy"
        subprocess.run(
            [sys.executable, programs.ROOT / "tests" / "parity.py", path],
            env=programs.environment(
                KERAS_BACKEND=backend,
                PYTHONPATH=f"{programs.ROOT}:{programs.ROOT}/tests",
            ),
            check=True,
        )
        losses[backend] = np.load(path)
    assert len(losses["jax"]) == 1000
    assert losses["jax"][-100:].mean() < 0.5 * losses["jax"][:100].mean()
    np.testing.assert_allclose(
        losses["tensorflow"], losses["jax"], rtol=1e-3, atol=2e-4
    )
