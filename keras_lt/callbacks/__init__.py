"""Callbacks for `model.fit(callbacks=...)`."""

from keras_lt.callbacks.deferred_reweighting import DeferredReweighting
from keras_lt.callbacks.distillation_warmup import DistillationWarmup
from keras_lt.callbacks.project_weights import ProjectWeights
from keras_lt.callbacks.record_class_norms import RecordClassNorms
from keras_lt.callbacks.show_progress import ShowProgress
from keras_lt.callbacks.teacher_update import TeacherUpdate

__all__ = [
    "DeferredReweighting",
    "DistillationWarmup",
    "ProjectWeights",
    "RecordClassNorms",
    "ShowProgress",
    "TeacherUpdate",
]
