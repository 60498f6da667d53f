"""Callbacks for `model.fit(callbacks=...)`."""

from keras_lt.callbacks.deferred_reweighting import DeferredReweighting
from keras_lt.callbacks.project_weights import ProjectWeights
from keras_lt.callbacks.record_class_norms import RecordClassNorms
from keras_lt.callbacks.show_progress import ShowProgress

__all__ = [
    "DeferredReweighting",
    "ProjectWeights",
    "RecordClassNorms",
    "ShowProgress",
]
