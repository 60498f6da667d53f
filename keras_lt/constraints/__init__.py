"""Kernel constraints: stateless projections, applied after every step."""

from keras_lt.constraints.class_max_norm import ClassMaxNorm
from keras_lt.constraints.class_unit_norm import ClassUnitNorm

__all__ = [
    "ClassMaxNorm",
    "ClassUnitNorm",
]
