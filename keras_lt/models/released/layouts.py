"""The layouts of released code: what our parts are called there.

A template is a name there; `{stage}` is a stage's number, `{expert}` that of
an expert, both as released code counts. See `inventory.Part` for the roles.
"""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import keras

from keras_lt.models.backbones import linear_head
from keras_lt.models.branches import branched_classifier
from keras_lt.models.classifiers import classifier
from keras_lt.models.contrastive import (
    contrastive_classifier,
    scaled_classifier,
    two_headed,
)
from keras_lt.models.experts import multi_expert
from keras_lt.models.released.inference import ReleasedNetwork
from keras_lt.models.routing import add_router
from keras_lt.problem import Problem

BATCH = 256  # images of a batch of SSD, which no shape tells


def _experts(network: ReleasedNetwork, problem: Problem) -> keras.Model:
    model = multi_expert(
        network.backbone,
        problem,
        num_experts=network.num_experts,
        width=network.width,
        thin=network.thin,
        head=network.head,
    )
    return add_router(model, top_k=network.top_k) if network.top_k else model


def _branched(network: ReleasedNetwork, problem: Problem) -> keras.Model:
    return branched_classifier(
        network.backbone,
        problem,
        branches=network.branches,
        form=network.form,
        num_experts=network.num_experts,
        thin=network.thin,
        width=network.width,
    )


def _plain(network: ReleasedNetwork, problem: Problem) -> keras.Model:
    linear = network.head == "linear"
    head = linear_head(network.backbone) if linear else network.head
    width = network.width
    return classifier(network.backbone, problem, width=width, head=head)


def _contrastive(network: ReleasedNetwork, problem: Problem) -> keras.Model:
    assert network.queue_size is not None, "the form has a queue"
    return contrastive_classifier(
        network.backbone,
        problem,
        batch_size=math.gcd(network.queue_size, BATCH),
        queue_size=network.queue_size,
        width=network.width,
    )


def _scaled(network: ReleasedNetwork, problem: Problem) -> keras.Model:
    return scaled_classifier(_plain(network, problem))


def _distilled(network: ReleasedNetwork, problem: Problem) -> keras.Model:
    teacher = _scaled(network, problem)
    width = network.width
    return two_headed(network.backbone, problem, teacher=teacher, width=width)


class Form(NamedTuple):
    """One network of a repository.

    Args:
        sign: An entry by which it is told from the forms after it.
        build: Function that makes it here.
        names: By the role of a part here, its name there.
    """

    sign: str
    build: Callable[[ReleasedNetwork, Problem], keras.Model]
    names: Mapping[str, str]


class Layout(NamedTuple):
    """The networks of a repository.

    Args:
        repository: Owner and name.
        prefix: Of all names in a file; it may be missing there.
        forms: By kind; the first whose sign is there is meant.
    """

    repository: str
    prefix: str
    forms: Mapping[str, Form]


_EXPERTS = {
    "trunk": "layer{stage}",
    "expert": "layer{stage}s.{expert}",
    "expert_head": "linears.{expert}",
}
LAYOUTS = {
    "ride": Layout(
        "frank-xwang/RIDE-LongTailRecognition",
        "backbone.",
        {
            "routed": Form(
                "expert_help_pred_hidden_fcs.0.weight",
                _experts,
                _EXPERTS | {"router": ""},
            ),
            "experts": Form("linears.0.weight", _experts, _EXPERTS),
            "one_expert": Form(
                "linear.weight",
                _experts,
                {
                    "trunk": "layer{stage}",
                    "expert": "layer{stage}",
                    "expert_head": "linear",
                },
            ),
        },
    ),
    "reslt": Layout(
        "jiequancui/ResLT",
        "",
        {
            "experts": Form(
                "ResLTBlocks.0.0.weight",
                _branched,
                _EXPERTS
                | {
                    "expert_head/conv": "ResLTBlocks.{expert}.0",
                    "expert_head/norm": "ResLTBlocks.{expert}.1",
                },
            ),
            "convolution": Form(
                "finalBlock.0.weight",
                _branched,
                {
                    "encoder": "layer{stage}",
                    "head/conv": "finalBlock.0",
                    "head/norm": "finalBlock.1",
                    "head": "fc",
                },
            ),
            "normalization": Form(
                "BNH.weight",
                _branched,
                {
                    "encoder": "model.layer{stage}",
                    "head/norm1": "BNH",
                    "head/norm2": "BNM",
                    "head/norm3": "BNT",
                    "head": "linear",
                },
            ),
        },
    ),
    "wb": Layout(
        "ShadeAlsha/LTR-weight-balancing",
        "",
        {
            "classifier": Form(
                "encoder.fc.weight",
                _plain,
                {"encoder": "encoder.layer{stage}", "head": "encoder.fc"},
            )
        },
    ),
    "ssd": Layout(
        "MCG-NJU/SSD-LT",
        "",
        {
            "self_supervised": Form(
                "queue",
                _contrastive,
                {
                    "contrast/encoder": "encoder_q.layer{stage}",
                    "contrast/key_encoder": "encoder_k.layer{stage}",
                    "contrast/projector/hidden": "q_fc.0",
                    "contrast/projector/width": "q_fc.2",
                    "contrast/key_projector/hidden": "k_fc.0",
                    "contrast/key_projector/width": "k_fc.2",
                    "contrast": "",
                    "head": "classifier",
                },
            ),
            "distill": Form(
                "classifier_kd.weight",
                _distilled,
                {
                    "encoder": "encoder_q.layer{stage}",
                    "hard_head": "classifier",
                    "soft_head": "classifier_kd",
                    "teacher/encoder": "encoder_t.layer{stage}",
                    "teacher/head": "classifier_t.fc",
                    "teacher/scales": "classifier_t",
                },
            ),
            "soft_labels": Form(
                "classifier.scales",
                _scaled,
                {
                    "encoder": "encoder.layer{stage}",
                    "head": "classifier.fc",
                    "scales": "classifier",
                },
            ),
        },
    ),
    "ldam": Layout(
        "kaidic/LDAM-DRW",
        "",
        {
            "classifier": Form(
                "linear.weight",
                _plain,
                {"encoder": "layer{stage}", "head": "linear"},
            )
        },
    ),
}
