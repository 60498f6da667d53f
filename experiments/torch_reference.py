"""A plain PyTorch training loop, to compare with, in a process of its own."""

import itertools
import json
import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset
from torch_networks import RIDE, ResNet, ride_loss

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


def train(method, loader, class_counts, depth, layout, compiled=False):
    """Train without end: a generator of the loss of each step."""
    ride, place = method == "ride", {"device": DEVICE, "memory_format": layout}
    network = {"ce": ResNet, "ride": RIDE}[method]
    model = network(depth, len(class_counts)).to(**place)
    rarity = torch.tensor([float(n) ** -0.25 for n in class_counts]).to(DEVICE)
    margins = 0.5 * rarity / rarity.max()
    objective = partial(ride_loss, margins=margins) if ride else F.cross_entropy
    decay = {"weight_decay": 5e-4 if ride else 2e-4, "nesterov": ride}
    optimizer = torch.optim.SGD(model.parameters(), 0.1, 0.9, **decay)
    model = torch.compile(model.train()) if compiled else model.train()
    # Not `itertools.cycle`, which would replay the batches of one epoch.
    batches = itertools.chain.from_iterable(itertools.repeat(loader))
    for step, (images, labels) in enumerate(batches, 1):
        images = images.to(**place, non_blocking=True)
        labels = labels.to(DEVICE, non_blocking=True)
        optimizer.zero_grad()
        loss = objective(model(images), labels)
        loss.backward()
        optimizer.step()
        if step % LOG_EVERY == 0:
            loss.item()  # waits for the device, as a logger does
        yield loss.detach()


def contenders(
    method: str,
    class_counts: list[int],
    *,
    depth: int,
    size: int,
    batch_size: int,
    steps: int,
    workers: int,
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
    """
    torch.backends.cudnn.benchmark = True  # as in many released programs
    labels = np.repeat(np.arange(len(class_counts)), class_counts)
    shape = len(labels), size, size, 3
    images = np.random.default_rng(0).integers(0, 256, shape, "uint8")

    def contender(*options):
        loader = DataLoader(
            Images(images, labels),
            batch_size,
            shuffle=True,
            num_workers=workers,
            drop_last=True,
            pin_memory=DEVICE == "cuda",
            persistent_workers=workers > 0,
        )
        losses = train(method, loader, class_counts, depth, *options)

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
    """Read names of contenders, call each, and print how long it took."""
    runs = contenders(**json.loads(sys.argv[1]))
    for line in sys.stdin:
        start = time.perf_counter()
        try:
            runs[line.strip()]()
            answer = time.perf_counter() - start
        except Exception as error:  # such as: no compiler for torch.compile
            answer = (str(error).strip() or repr(error)).splitlines()[0]
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
