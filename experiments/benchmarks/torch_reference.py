"""A plain PyTorch training loop, to compare with, in a process of its own."""

import contextlib
import itertools
import json
import sys
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from benchmarks import child
from benchmarks.torch_networks import RIDE, ResNet, ride_loss

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)
LOG_EVERY = 50
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


class Images(TensorDataset):
    """Normalised random crops and flips of uint8 images `(N, S, S, 3)`."""

    def __init__(self, images: np.ndarray, labels, mean=MEAN, std=STD):
        super().__init__(torch.from_numpy(images), torch.as_tensor(labels))
        self.mean = torch.tensor(mean)[:, None, None]
        self.std = torch.tensor(std)[:, None, None]

    def __getitem__(self, index):
        """Return an image `(3, S, S)` and its class id."""
        image, label = super().__getitem__(index)
        size = len(image)
        top, left = torch.randint(9, (2,)).tolist()
        image = F.pad(image, (0, 0, 4, 4, 4, 4))
        image = image[top : top + size, left : left + size]
        if torch.rand(()) < 0.5:
            image = image.flip(1)
        image = image.permute(2, 0, 1).float() / 255
        return (image - self.mean) / self.std, int(label)


def train(
    method: str,
    loader: DataLoader,
    class_counts: list[int],
    *,
    depth: int,
    bfloat16: bool,
    layout: torch.memory_format,
    compiled: bool,
) -> Iterator[torch.Tensor]:
    """Train without end: a generator of the loss of each step."""
    ride, place = method == "ride", {"device": DEVICE, "memory_format": layout}
    network = {"ce": ResNet, "ride": RIDE}[method]
    model = network(depth, len(class_counts)).to(**place).train()
    rarity = torch.tensor([float(n) ** -0.25 for n in class_counts]).to(DEVICE)
    margins = 0.5 * rarity / rarity.max()
    objective = partial(ride_loss, margins=margins) if ride else F.cross_entropy
    optimizer = _optimizer(model.parameters(), ride)
    if compiled:  # on a GPU with CUDA graphs, so that no kernel is launched
        mode = "reduce-overhead" if DEVICE == "cuda" else None
        model = torch.compile(model, mode=mode)
    # Not `itertools.cycle`, which would replay the batches of one epoch.
    batches = itertools.chain.from_iterable(itertools.repeat(loader))
    for step, (images, labels) in enumerate(batches, 1):
        images = images.to(**place, non_blocking=True)
        labels = labels.to(DEVICE, non_blocking=True)
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(DEVICE, torch.bfloat16, enabled=bfloat16):
            loss = objective(model(images), labels)
        loss.backward()
        optimizer.step()
        if step % LOG_EVERY == 0:
            loss.item()  # waits for the device, as a logger does
        yield loss.detach()


def _optimizer(parameters, ride):
    """SGD in as few kernels as the device has it."""
    parameters = [*parameters]
    decay = {"weight_decay": 5e-4 if ride else 2e-4, "nesterov": ride}
    for kind in ("fused", "foreach"):
        with contextlib.suppress(RuntimeError):
            return torch.optim.SGD(
                parameters, 0.1, 0.9, **decay, **{kind: True}
            )


def contenders(
    method: str,
    class_counts: list[int],
    *,
    depth: int,
    size: int,
    batch_size: int,
    steps: int,
    workers: int,
    threads: int | None = None,
    bfloat16: bool = False,
) -> dict[str, Callable[[], None]]:
    """Functions that train `steps` steps a call, and go on in the next.

    Each has its own network, and worker processes that make its batches of
    random images from its first call on.

    Args:
        method: "ce" or "ride".
        class_counts: Training images of each class.
        depth: Layers of the ResNet.
        size: Pixels of a side.
        batch_size: Images a step.
        steps: Steps of a call.
        workers: Processes of the DataLoader.
        threads: Of the arithmetic; None for PyTorch's own choice.
        bfloat16: Whether to compute in bfloat16 where autocast does.
    """
    torch.backends.cudnn.benchmark = True  # as in many released programs
    torch.set_float32_matmul_precision("high")  # TensorFloat-32, as XLA has it
    if threads:
        torch.set_num_threads(threads)
    labels = np.repeat(np.arange(len(class_counts)), class_counts)
    shape = len(labels), size, size, 3
    images = np.random.default_rng(0).integers(0, 256, shape, "uint8")

    def contender(layout, compiled=False):
        loader = DataLoader(
            Images(images, labels),
            batch_size,
            shuffle=True,
            num_workers=workers,
            drop_last=True,
            pin_memory=DEVICE == "cuda",
            persistent_workers=workers > 0,
        )
        losses = train(
            method,
            loader,
            class_counts,
            depth=depth,
            bfloat16=bfloat16,
            layout=layout,
            compiled=compiled,
        )

        def run():
            for _ in range(steps):
                next(losses)
            if DEVICE == "cuda":
                torch.cuda.synchronize()

        return run

    return {
        "torch_eager": contender(torch.contiguous_format),
        "torch_channels_last": contender(torch.channels_last),
        "torch_compile": contender(torch.channels_last, True),
    }


def main() -> None:
    """Take turns, see `child`."""
    child.serve(contenders(**json.loads(sys.argv[1])))


if __name__ == "__main__":
    main()
