"""The released networks and losses as a plain PyTorch program has them."""

import itertools

import torch
from torch import nn
from torch.nn import functional as F

SCALE, DIVERSITY = 30.0, -0.45


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut without parameters."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.pad = (outputs - inputs) // 2
        first = _conv(inputs, outputs, stride=2 if self.pad else 1)
        self.body = nn.Sequential(*first, nn.ReLU(), *_conv(outputs, outputs))

    def forward(self, x):
        """Return the output for a feature map `(B, K, H, W)`."""
        y = self.body(x)
        if self.pad:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.pad, self.pad))
        return F.relu(x + y)


class ResNet(nn.Module):
    """CIFAR ResNet of 6n + 2 layers with a linear head."""

    def __init__(self, depth: int, classes: int):
        super().__init__()
        stages = _stages(depth, 16, 16, 32, 64)
        self.encoder = nn.Sequential(*_conv(3, 16), nn.ReLU(), *stages)
        self.head = nn.Linear(64, classes)

    def forward(self, x):
        """Return logits `(B, C)` of normalised images."""
        return self.head(self.encoder(x).mean((2, 3)))


class RIDE(nn.Module):
    """CIFAR ResNet with thinner last stages and a cosine head per expert."""

    def __init__(self, depth: int, classes: int, experts: int = 3):
        super().__init__()
        stage = _stages(depth, 16, 16)
        self.trunk = nn.Sequential(*_conv(3, 16), nn.ReLU(), *stage)
        self.experts, self.heads = nn.ModuleList(), nn.ParameterList()
        for _ in range(experts):
            self.experts.append(nn.Sequential(*_stages(depth, 16, 24, 48)))
            head = torch.empty(48, classes).uniform_(-1, 1)
            self.heads.append(F.normalize(head, dim=0))

    def forward(self, x):
        """Return logits `(B, E, C)` of normalised images."""
        x, logits = self.trunk(x), []
        for expert, head in zip(self.experts, self.heads, strict=True):
            features = F.normalize(expert(x).mean((2, 3)), dim=1)
            logits.append(SCALE * features @ F.normalize(head, dim=0))
        return torch.stack(logits, 1)


def _conv(inputs, outputs, stride=1):
    conv = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
    nn.init.kaiming_normal_(conv.weight)
    return conv, nn.BatchNorm2d(outputs)


def _stages(depth, *widths):
    for inputs, outputs in itertools.pairwise(widths):
        for block in range(depth // 6):
            yield BasicBlock(outputs if block else inputs, outputs)


def ride_loss(logits, labels, margins):
    """LDAM loss of each expert, and a reward for leaving their mean."""
    mean = F.softmax(logits.mean(1), 1).detach()
    lowered = SCALE * margins * F.one_hot(labels, len(margins))
    loss = 0.0
    for expert in logits.unbind(1):
        log_q = F.log_softmax(expert, 1)
        apart = F.kl_div(log_q, mean, reduction="batchmean")
        ldam = F.cross_entropy(expert - lowered, labels)
        loss = loss + ldam + DIVERSITY * apart
    return loss
