"""Backbones and the models that recipes train."""

from keras_lt.models.classifier import BACKBONES, classifier, last_layers
from keras_lt.models.resnet import resnet
from keras_lt.models.resnet_cifar import resnet_cifar

__all__ = [
    "BACKBONES",
    "classifier",
    "last_layers",
    "resnet",
    "resnet_cifar",
]
