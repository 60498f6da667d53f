import keras
import pytest


@pytest.fixture
def zeros(monkeypatch):
    """No random initial values: JAX takes half a second for each shape."""
    for name in ("VarianceScaling", "RandomUniform", "RandomNormal"):
        monkeypatch.setattr(
            getattr(keras.initializers, name),
            "__call__",
            lambda self, shape, dtype=None, **options: keras.ops.zeros(
                shape, dtype
            ),
        )
