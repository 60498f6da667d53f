"""Small state dicts as released code names them, and what they compute."""

import numpy as np
import torch_layout
from torch_layout import block, conv_norm, normalised

WIDTH, CLASSES = 4, 3


class Writer:
    """Random arrays by their names there."""

    def __init__(self, channels=1):
        self.random = np.random.default_rng(1)
        self.channels = channels
        self.state = {}

    def conv(self, name, inputs, outputs, size=3):
        values = self.random.normal(size=(outputs, inputs, size, size))
        self._put(f"{name}.weight", values * (2 / (inputs * size**2)) ** 0.5)

    def norm(self, name, size):
        self._put(f"{name}.weight", self.random.uniform(0.5, 1.5, size))
        self._put(f"{name}.bias", self.random.normal(0, 0.1, size))
        self._put(f"{name}.running_mean", self.random.normal(0, 0.1, size))
        self._put(f"{name}.running_var", self.random.uniform(0.5, 1.5, size))
        self.state[f"{name}.num_batches_tracked"] = np.array(7)

    def linear(self, name, inputs, outputs):
        self._put(f"{name}.weight", self.random.normal(size=(outputs, inputs)))
        self._put(f"{name}.bias", self.random.normal(size=outputs))

    def cosine(self, name, inputs, outputs):
        self._put(f"{name}.weight", self.random.normal(size=(inputs, outputs)))

    def stage(self, name, inputs, outputs):
        """One basic block with option A of shortcuts."""
        self.conv(f"{name}.0.conv1", inputs, outputs)
        self.norm(f"{name}.0.bn1", outputs)
        self.conv(f"{name}.0.conv2", outputs, outputs)
        self.norm(f"{name}.0.bn2", outputs)

    def stem(self, prefix=""):
        self.conv(f"{prefix}conv1", self.channels, WIDTH)
        self.norm(f"{prefix}bn1", WIDTH)
        self.stage(f"{prefix}layer1", WIDTH, WIDTH)

    def _put(self, name, values):
        self.state[name] = values.astype("float32")


def ldam(*, cosine=True, classes=CLASSES, channels=1):
    """ResNet-8 of `kaidic/LDAM-DRW`."""
    writer = Writer(channels)
    writer.stem()
    writer.stage("layer2", WIDTH, 2 * WIDTH)
    writer.stage("layer3", 2 * WIDTH, 4 * WIDTH)
    make = writer.cosine if cosine else writer.linear
    make("linear", 4 * WIDTH, classes)
    return writer.state


def ride(*, experts=3, top_k=None, classes=CLASSES):
    """ResNet-8 of experts, three quarters as wide, maybe with routers."""
    writer = Writer()
    writer.stem()
    for i in range(experts):
        writer.stage(f"layer2s.{i}", WIDTH, 6)
        writer.stage(f"layer3s.{i}", 6, 12)
        writer.cosine(f"linears.{i}", 12, classes)
    if top_k:
        for i in range(experts - 1):
            writer.linear(f"expert_help_pred_hidden_fcs.{i}", 12, 16)
        writer.linear("expert_help_pred_fc", 16 + top_k, 1)
    return {f"backbone.{name}": a for name, a in writer.state.items()}


def reslt():
    """ResNet-8 of branches by batch normalisation."""
    writer = Writer()
    writer.stem("model.")
    writer.stage("model.layer2", WIDTH, 2 * WIDTH)
    writer.stage("model.layer3", 2 * WIDTH, 4 * WIDTH)
    for name in ("BNH", "BNM", "BNT"):
        writer.norm(name, 4 * WIDTH)
    writer.linear("linear", 4 * WIDTH, CLASSES)
    return writer.state


def reslt_large(branches=3):
    """ResNet-10 of branches by a convolution."""
    writer, features = Writer(), 8 * WIDTH
    writer.state = _encoder()
    writer.conv("finalBlock.0", features, branches * features, 1)
    writer.norm("finalBlock.1", branches * features)
    writer.linear("fc", features, CLASSES)
    return writer.state


def wb():
    """ResNet-18 with a small stem."""
    state = torch_layout.state_dict((2, 2, 2, 2), WIDTH, stem=3, channels=1)
    return {f"encoder.{name}": array for name, array in state.items()}


def ssd(kind, queue=8):
    """ResNet-10 of the first ("queue"), second and third stage."""
    writer, features = Writer(), 8 * WIDTH
    parts = {
        "self_supervised": ("encoder_q", "encoder_k"),
        "soft_labels": ("encoder",),
        "distill": ("encoder_q", "encoder_t"),
    }
    for seed, prefix in enumerate(parts[kind]):
        for name, array in _encoder().items():
            writer.state[f"{prefix}.{name}"] = array + array.dtype.type(seed)
    heads = {
        "self_supervised": ("classifier",),
        "soft_labels": ("classifier.fc",),
        "distill": ("classifier", "classifier_kd", "classifier_t.fc"),
    }
    for name in heads[kind]:
        writer.linear(name, features, CLASSES)
    if kind == "self_supervised":
        for side in ("q", "k"):
            writer.linear(f"{side}_fc.0", features, features)
            writer.linear(f"{side}_fc.2", features, 128)
        writer.state["queue"] = np.eye(128, queue, dtype="float32")
        writer.state["label_queue"] = np.arange(queue, dtype="float32") % 3
        writer.state["queue_ptr"] = np.array([4])
    else:
        name = "classifier" if kind == "soft_labels" else "classifier_t"
        writer.state[f"{name}.scales"] = np.array([1, 2, 3], "float32")
    return writer.state


def _encoder():
    state = torch_layout.state_dict((1, 1, 1, 1), WIDTH, channels=1)
    return {n: a for n, a in state.items() if not n.startswith("fc")}


def maps(state, x, stages, prefix="", training=False):
    """Output of the last of some stages of one block."""
    names = f"{prefix}conv1", f"{prefix}bn1"
    x = np.maximum(conv_norm(state, *names, x, 1, training), 0)
    for number, name in enumerate(stages):
        x = block(state, f"{prefix}{name}.0", x, 2 if number else 1, training)
    return x


def linear(state, name, x):
    return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]


def cosines(state, name, x):
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    kernel = state[f"{name}.weight"]
    return x @ (kernel / np.linalg.norm(kernel, axis=0))


def expert_features(state, x, expert):
    stages = ("layer1", f"layer2s.{expert}", f"layer3s.{expert}")
    return maps(state, x, stages).mean((2, 3))


def routes(state, features, running, router, top_k):
    """Logits of a router."""
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    name = f"expert_help_pred_hidden_fcs.{router}"
    hidden = np.maximum(linear(state, name, unit), 0)
    top = -np.sort(-running, axis=1)[:, :top_k]
    both = np.concatenate([top, hidden], 1)
    return linear(state, "expert_help_pred_fc", both)[:, 0]


def branches(state, x):
    """Logits of each branch, `(B, 3, C)`."""
    x = maps(state, x, ("layer1", "layer2", "layer3"), "model.")
    each = [
        linear(state, "linear", normalised(state, name, x).mean((2, 3)))
        for name in ("BNH", "BNM", "BNT")
    ]
    return np.stack(each, 1)
