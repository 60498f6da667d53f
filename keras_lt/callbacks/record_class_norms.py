"""The norms of the class vectors over the epochs."""

import keras
import numpy as np

from keras_lt import stats
from keras_lt.callbacks.paths import find_layer
from keras_lt.checking import checked


class RecordClassNorms(keras.callbacks.Callback):
    """Keep the L2 norm of every class vector after every epoch.

    Long-tailed training shows in these norms: they grow with class frequency,
    and weight balancing flattens them. After `fit`, `norms` holds float64
    `(epochs, C)` and `epochs` the epoch numbers; the largest and smallest norm
    are added to the logs as `norm_max` and `norm_min`.

    Args:
        layer: Name of the classifier layer with a kernel `(features, C)`, or
            its path through nested models.

    See also: `stats.class_norms`; `constraints.ClassMaxNorm`.
    """

    @checked
    def __init__(self, layer: str = "head"):
        super().__init__()
        self.layer = layer
        self.epochs: list[int] = []
        self._norms: list[np.ndarray] = []

    @property
    def norms(self) -> np.ndarray:
        """Norms `(epochs, C)` so far."""
        return np.array(self._norms)

    def on_epoch_end(self, epoch, logs=None):
        """Measure."""
        kernel = find_layer(self.model, self.layer).kernel
        norms = stats.class_norms(keras.ops.convert_to_numpy(kernel))
        self.epochs.append(epoch)
        self._norms.append(norms.astype("float64"))
        if logs is not None:
            logs["norm_max"] = float(norms.max())
            logs["norm_min"] = float(norms.min())
