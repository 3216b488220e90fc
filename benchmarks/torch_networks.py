"""The networks of `training_speed` in PyTorch, for comparison only: same layers, same arithmetic.

Needs requirements-bench.txt. `speedrun` has its whitening layer fixed, as here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnn.config import RunConfig
from cnn.models.whitening import whitening_weights

_NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
_CLASSES = 10


def vgg_bn() -> nn.Module:
    """Return `vgg-bn` for 32x32 RGB images; L2 is left to the optimizer's weight decay."""
    layers: list[nn.Module] = []
    channels = 3
    for filters, rate in ((64, 0.2), (128, 0.3), (256, 0.4)):
        for _ in range(2):
            layers += [nn.Conv2d(channels, filters, 3, padding=1), nn.BatchNorm2d(filters),
                       nn.ReLU()]
            channels = filters
        layers += [nn.MaxPool2d(2), nn.Dropout(rate)]
    head = [nn.Flatten(), nn.Linear(256 * 16, 256), nn.BatchNorm1d(256), nn.ReLU(),
            nn.Dropout(0.5), nn.Linear(256, _CLASSES)]
    return nn.Sequential(*layers, *head)


class Scaled(nn.Module):
    """Global max pooling and outputs that are scaled down."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.head = nn.Linear(channels, _CLASSES, bias=False)
        nn.init.normal_(self.head.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        return self.head(x.amax((2, 3)) / x.shape[1])


class Whitening(nn.Conv2d):
    """The first layer, in float32 under bfloat16 too: `cnn.models.build` says why."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the whitened images, float32."""
        with torch.autocast("cpu", enabled=False):
            return super().forward(x.float())


def speedrun() -> nn.Module:
    """Return `speedrun` for 32x32 RGB images."""
    whitening = Whitening(3, 24, 2)
    whitening.requires_grad_(False)
    layers: list[nn.Module] = [whitening, nn.SiLU()]
    channels = 24
    for width in (64, 256, 256):
        layers += [_conv(channels, width), nn.MaxPool2d(2), _norm(width), nn.SiLU(),
                   _conv(width, width), _norm(width), nn.SiLU()]
        channels = width
    return nn.Sequential(*layers, Scaled(channels))


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)


def _norm(channels: int) -> nn.BatchNorm2d:
    norm = nn.BatchNorm2d(channels, momentum=0.4)
    norm.weight.requires_grad_(False)
    return norm


class Muon(torch.optim.Optimizer):
    """Orthogonalised momentum for convolution kernels, as in `cnn.training.muon`."""

    def __init__(self, kernels: list[Tensor]) -> None:
        super().__init__(kernels, {"lr": 0.24, "momentum": 0.6})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        """Change all kernels by one step."""
        for group in self.param_groups:
            for kernel in group["params"]:
                buffer = self.state[kernel].setdefault("momentum", torch.zeros_like(kernel))
                buffer.mul_(group["momentum"]).add_(kernel.grad)
                direction = kernel.grad.add(buffer, alpha=group["momentum"])
                kernel.mul_(len(kernel) ** 0.5 / kernel.norm())
                update = _orthogonalised(direction.reshape(len(kernel), -1))
                kernel.add_(update.view(kernel.shape), alpha=-group["lr"])


def _orthogonalised(matrix: Tensor) -> Tensor:
    a, b, c = _NEWTON_SCHULZ
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(3):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if tall else x


def optimizers(name: str, model: nn.Module, batch: int = 500) -> list[torch.optim.Optimizer]:
    """Return what trains a network: Adam for `vgg-bn`, Muon and Nesterov SGD for `speedrun`."""
    trained = [p for p in model.parameters() if p.requires_grad]
    if name == "vgg-bn":
        return [torch.optim.Adam(trained, lr=1e-3, weight_decay=1e-4)]
    groups = [{"params": [p for p in trained if p.dim() == dimensions], "lr": rate * batch,
               "weight_decay": 2e-6 / rate} for dimensions, rate in ((1, 0.053), (2, 0.67))]
    return [Muon([p for p in trained if p.dim() == 4]),
            torch.optim.SGD(groups, momentum=0.85, nesterov=True)]


def to_tensor(images: NDArray[np.uint8]) -> Tensor:
    """Return uint8 (N, H, W, C) as float (N, C, H, W) in 0..1, channels last in memory."""
    values = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2)
    return values.contiguous(memory_format=torch.channels_last).float() / 255


def start_as_here(model: nn.Module, images: NDArray[np.uint8]) -> None:
    """Give `speedrun` the weights that it starts with in CNN Studio."""
    kernel, bias = whitening_weights(images, 2)
    whitening, *convolutions = [m for m in model.modules() if isinstance(m, nn.Conv2d)]
    with torch.no_grad():
        whitening.weight.copy_(torch.from_numpy(kernel).permute(3, 2, 0, 1))
        whitening.bias.copy_(torch.from_numpy(bias))
        for convolution in convolutions:
            nn.init.dirac_(convolution.weight[:convolution.in_channels])


def train_step(model: nn.Module, config: RunConfig, steps: int) -> Callable[[Any, Any], None]:
    """Return what takes one step of `speedrun`'s recipe, on uint8 images and labels."""
    workers = optimizers("speedrun", model, config.batch_size)
    groups = [group for worker in workers for group in worker.param_groups]
    groups[0]["lr"] = config.learning_rate
    rates = [group["lr"] for group in groups]
    done = 0

    def step(images: Any, labels: Any) -> None:
        nonlocal done
        for group, rate in zip(groups, rates, strict=True):
            group["lr"] = rate * (1 - done / steps)
        with torch.autocast("cpu", torch.bfloat16, enabled=config.precision == "bfloat16"):
            logits = model(to_tensor(images))
        loss = nn.functional.cross_entropy(logits.float(), torch.from_numpy(labels),
                                           label_smoothing=config.label_smoothing)
        loss.backward()
        for worker in workers:
            worker.step()
            worker.zero_grad(set_to_none=True)
        done += 1

    return step


NETWORKS: dict[str, Callable[[], nn.Module]] = {"vgg-bn": vgg_bn, "speedrun": speedrun}
