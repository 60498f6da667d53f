"""Layers for a user's own models."""

from keras_lt.layers.adapt_former import AdaptFormer
from keras_lt.layers.append_routes import AppendRoutes
from keras_lt.layers.batch_normalization import BatchNormalization
from keras_lt.layers.branch_sum import BranchSum
from keras_lt.layers.cosine_classifier import CosineClassifier
from keras_lt.layers.distillation import Distillation
from keras_lt.layers.early_exit import EarlyExit
from keras_lt.layers.expert_router import ExpertRouter
from keras_lt.layers.five_crops import FiveCrops
from keras_lt.layers.lora import LoRA
from keras_lt.layers.lws import LWS
from keras_lt.layers.momentum_contrast import MomentumContrast
from keras_lt.layers.nearest_class_mean import NearestClassMean, class_means
from keras_lt.layers.relu import ReLU
from keras_lt.layers.residual_fusion import ResidualFusion
from keras_lt.layers.scale_and_shift import ScaleAndShift
from keras_lt.layers.zero_pad_shortcut import ZeroPadShortcut

__all__ = [
    "AdaptFormer",
    "AppendRoutes",
    "BatchNormalization",
    "BranchSum",
    "CosineClassifier",
    "Distillation",
    "EarlyExit",
    "ExpertRouter",
    "FiveCrops",
    "LWS",
    "LoRA",
    "MomentumContrast",
    "NearestClassMean",
    "ReLU",
    "ResidualFusion",
    "ScaleAndShift",
    "ZeroPadShortcut",
    "class_means",
]
