"""Losses on logits, for `model.compile(loss=...)`."""

from keras_lt.losses.class_balanced import ClassBalancedLoss
from keras_lt.losses.distillation import DistillationLoss
from keras_lt.losses.focal import FocalLoss
from keras_lt.losses.hard_soft_distillation import HardSoftDistillation
from keras_lt.losses.label_aware_smoothing import LabelAwareSmoothing
from keras_lt.losses.ldam import LDAMLoss
from keras_lt.losses.logit_adjusted import LogitAdjustedLoss
from keras_lt.losses.reslt import ResLTLoss
from keras_lt.losses.ride import RIDELoss
from keras_lt.losses.router import RouterLoss
from keras_lt.losses.shike import SHIKELoss
from keras_lt.losses.softmax_crossentropy import SoftmaxCrossentropy

__all__ = [
    "ClassBalancedLoss",
    "DistillationLoss",
    "FocalLoss",
    "HardSoftDistillation",
    "LDAMLoss",
    "LabelAwareSmoothing",
    "LogitAdjustedLoss",
    "RIDELoss",
    "ResLTLoss",
    "RouterLoss",
    "SHIKELoss",
    "SoftmaxCrossentropy",
]
