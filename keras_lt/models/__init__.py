"""Backbones and the models that recipes train."""

from keras_lt.models.adapted import AdaptedEncoder
from keras_lt.models.backbones import BACKBONES, linear_head
from keras_lt.models.branches import branch_views, branched_classifier, fused
from keras_lt.models.classifiers import classifier, last_layers
from keras_lt.models.contrastive import (
    contrastive_classifier,
    folded,
    head_views,
    plain_classifier,
    scaled_classifier,
    two_headed,
)
from keras_lt.models.expert_parts import Experts
from keras_lt.models.experts import (
    ensemble,
    expert_heads,
    expert_views,
    multi_expert,
    with_teacher,
)
from keras_lt.models.large_resnets import resnet_imagenet
from keras_lt.models.light_tuning import lightly_tuned, tuned_variables
from keras_lt.models.macs import count_macs
from keras_lt.models.narrow_resnets import resnet_cifar
from keras_lt.models.pretrained import load_encoder_weights
from keras_lt.models.released import (
    from_released,
    released_network,
    to_released,
)
from keras_lt.models.routing import (
    add_router,
    early_exit,
    experts_used,
    gathered,
)
from keras_lt.models.shallow_fusion import fused_experts
from keras_lt.models.singles import single_views
from keras_lt.models.wide_resnets import resnet

__all__ = [
    "AdaptedEncoder",
    "BACKBONES",
    "Experts",
    "add_router",
    "branch_views",
    "branched_classifier",
    "classifier",
    "contrastive_classifier",
    "count_macs",
    "early_exit",
    "ensemble",
    "expert_heads",
    "expert_views",
    "experts_used",
    "folded",
    "fused",
    "fused_experts",
    "from_released",
    "gathered",
    "head_views",
    "last_layers",
    "lightly_tuned",
    "linear_head",
    "load_encoder_weights",
    "multi_expert",
    "plain_classifier",
    "released_network",
    "resnet",
    "resnet_cifar",
    "resnet_imagenet",
    "scaled_classifier",
    "single_views",
    "to_released",
    "tuned_variables",
    "two_headed",
    "with_teacher",
]
