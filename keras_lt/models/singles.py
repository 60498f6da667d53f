"""What can answer alone in a model of several parts."""

import keras

from keras_lt.layers import ResidualFusion
from keras_lt.models import anatomy
from keras_lt.models.branches import branch_views
from keras_lt.models.experts import expert_views


def single_views(model: keras.Model) -> dict[str, keras.Model]:
    """Views of each branch or expert of a model, images to `(B, C)`, by name.

    Args:
        model: Any model of `models`, or one that was loaded.

    Returns:
        Those of `branch_views` or `expert_views`; none of a plain network.
    """
    if any(isinstance(layer, ResidualFusion) for layer in model.layers):
        return branch_views(model)
    if anatomy.expert_heads(model):
        return expert_views(model)
    return {}
