"""State dicts as torchvision names them, and what its networks compute."""

import numpy as np


def state_dict(blocks, width, *, groups=0, stem=7, channels=3, classes=3):
    """Random arrays, of bottlenecks with `groups`, or of basic blocks."""
    random = np.random.default_rng(0)
    state = {}

    def conv(name, inputs, outputs, size=1):
        values = random.normal(size=(outputs, inputs, size, size))
        state[f"{name}.weight"] = values * (2 / (inputs * size**2)) ** 0.5

    def norm(name, size):
        state[f"{name}.weight"] = random.uniform(0.5, 1.5, size)
        state[f"{name}.bias"] = random.normal(0, 0.1, size)
        state[f"{name}.running_mean"] = random.normal(0, 0.1, size)
        state[f"{name}.running_var"] = random.uniform(0.5, 1.5, size)
        state[f"{name}.num_batches_tracked"] = np.array(7)

    conv("conv1", channels, width, stem)
    norm("bn1", width)
    inputs = width
    for stage, count in enumerate(blocks):
        planes = width * 2**stage
        for block in range(count):
            name = f"layer{stage + 1}.{block}"
            sizes = (3, 3)
            outputs = (planes, planes)
            if groups:
                sizes = (1, 3, 1)
                outputs = (planes, planes, 4 * planes)
            before = inputs
            for step, size in enumerate(sizes):
                share = groups if groups and size == 3 else 1
                conv(
                    f"{name}.conv{step + 1}",
                    before // share,
                    outputs[step],
                    size,
                )
                norm(f"{name}.bn{step + 1}", outputs[step])
                before = outputs[step]
            if not block and (stage or inputs != before):
                conv(f"{name}.downsample.0", inputs, before)
                norm(f"{name}.downsample.1", before)
            inputs = before
    state["fc.weight"] = random.normal(0, 0.3, (classes, inputs))
    state["fc.bias"] = random.normal(size=classes)
    return {
        name: value.astype("float32") if value.dtype == float else value
        for name, value in state.items()
    }


def forward(state, x):
    """Logits `(B, C)` of normalised images `(B, channels, H, W)`."""
    x = last_maps(state, x)
    return x.mean((2, 3)) @ state["fc.weight"].T + state["fc.bias"]


def last_maps(state, x):
    """What is pooled before the classifier."""
    small = state["conv1.weight"].shape[-1] == 3
    x = np.maximum(conv_norm(state, "conv1", "bn1", x, 1 if small else 2), 0)
    if not small:
        edges = ((0, 0), (0, 0), (1, 1), (1, 1))
        x = np.pad(x, edges, constant_values=-np.inf)
        x = _windows(x, 3, 2).max((4, 5))
    stage = 1
    while f"layer{stage}.0.conv1.weight" in state:
        number = 0
        while f"layer{stage}.{number}.conv1.weight" in state:
            stride = 2 if stage > 1 and not number else 1
            x = block(state, f"layer{stage}.{number}", x, stride)
            number += 1
        stage += 1
    return x


def block(state, name, x, stride, training=False):
    """A residual block, on statistics of the batch while training."""
    last = 3 if f"{name}.conv3.weight" in state else 2
    y = x
    for step in range(1, last + 1):
        here = stride if step == last - 1 else 1  # the (first) 3x3 one
        names = f"{name}.conv{step}", f"{name}.bn{step}"
        y = conv_norm(state, *names, y, here, training)
        y = np.maximum(y, 0) if step < last else y
    if f"{name}.downsample.0.weight" in state:
        side = f"{name}.downsample"
        x = conv_norm(state, f"{side}.0", f"{side}.1", x, stride)
    elif x.shape != y.shape:  # option A: subsampled, and padded with zeros
        added = (y.shape[1] - x.shape[1]) // 2
        x = x[:, :, ::stride, ::stride]
        x = np.pad(x, ((0, 0), (added, added), (0, 0), (0, 0)))
    return np.maximum(x + y, 0)


def conv_norm(state, conv, norm, x, stride, training=False):
    kernel = state[f"{conv}.weight"]
    size, groups = kernel.shape[-1], x.shape[1] // kernel.shape[1]
    pad = (size // 2, size // 2)
    windows = _windows(np.pad(x, ((0, 0), (0, 0), pad, pad)), size, stride)
    parts = zip(
        np.split(windows, groups, axis=1),
        np.split(kernel, groups),
        strict=True,
    )
    x = np.concatenate(
        [
            np.einsum("nchwij,ocij->nohw", *part, optimize=True)
            for part in parts
        ],
        axis=1,
    )
    return normalised(state, norm, x, training)


def normalised(state, name, x, training=False):
    """Batch normalisation, on statistics of the batch while training."""
    gamma, beta, mean, variance = (
        state[f"{name}.{each}"][:, None, None]
        for each in ("weight", "bias", "running_mean", "running_var")
    )
    if training:
        mean = x.mean((0, 2, 3), keepdims=True)
        variance = x.var((0, 2, 3), keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-5) * gamma + beta


def _windows(x, size, stride):
    view = np.lib.stride_tricks.sliding_window_view(x, (size, size), (2, 3))
    return view[:, :, ::stride, ::stride]  # (B, channels, H, W, size, size)
