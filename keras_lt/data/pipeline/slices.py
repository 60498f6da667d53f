"""Inputs and labels in order, a batch at a time."""

from typing import Any

import keras
import numpy as np


class Slices(keras.utils.PyDataset):
    """Inputs and labels in order, once, a batch at a time.

    Args:
        inputs: Nested tuples of arrays or `ImageFiles`, of one length.
        labels: Labels of the same length.
        batch_size: Images at a time.
    """

    def __init__(self, inputs: Any, labels: np.ndarray, batch_size: int):
        super().__init__()
        self.arrays = (inputs, labels)
        self.batch_size = batch_size
        self.length = len(labels)

    @property
    def num_batches(self) -> int:
        """Batches, the last one maybe smaller."""
        return -(-self.length // self.batch_size)

    def __getitem__(self, i: int) -> Any:
        """Batch i."""
        part = slice(i * self.batch_size, (i + 1) * self.batch_size)
        return keras.tree.map_structure(lambda a: a[part], self.arrays)
