"""Networks whose parameters carry a leading lane axis: many models of one architecture as one module.

A lane's slice of the parameters is the ordinary network. Weights are drawn lane by lane from that lane's own seed, so
that a lane does not depend on its neighbours: uniform in +-1/sqrt(inputs) for the MLP (PyTorch's default), He uniform
for convolutions and Glorot uniform for the linear layers of the convolutional networks (the authors' choice).

Between convolutions the lanes lie side by side as groups of channels, (B, L * C, H, W); elsewhere inputs are (L, B, n).
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from alf.training.networks_spec import PLANS, hidden_widths

SLIM = 32
"""Layers with at most this many outputs are multiplied the other way round, which is five times faster on a CPU."""


class _SlimLinear(torch.autograd.Function):
    """x (L, B, in), weight (L, out, in), bias (L, 1, out) -> (L, B, out) for few outputs.

    BLAS is slow when the result is a narrow matrix, (B, 10), and quick when it is a flat one, (10, B). So the result
    and the weight's gradient are computed as flat ones, and the input's gradient in the layout that comes next.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return torch.bmm(weight, x.transpose(1, 2)).transpose(1, 2) + bias

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        to_x = torch.bmm(gradient, weight) if ctx.needs_input_grad[0] else None
        return to_x, torch.bmm(gradient.transpose(1, 2), x), gradient.sum(dim=1, keepdim=True)


class LaneLinear(nn.Module):
    """A linear layer per lane, inputs (L, B, in) or (1, B, in) for all lanes.

    weight (L, in, out), or (L, out, in) where `slim`; bias (L, 1, out). `glorot` chooses the weights' bound.
    """

    def __init__(self, lanes: int, inputs: int, outputs: int, glorot: bool = False):
        super().__init__()
        self.slim, self.glorot = outputs <= SLIM, glorot
        self.inputs, self.outputs = inputs, outputs
        shape = (outputs, inputs) if self.slim else (inputs, outputs)
        self.weight = nn.Parameter(torch.empty(lanes, *shape))
        self.bias = nn.Parameter(torch.empty(lanes, 1, outputs))

    def draw(self, lane: int, generator: torch.Generator) -> None:
        """Draw a lane's weights, in the layout (out, in) of torch.nn.Linear, then its biases."""
        bound = 1 / math.sqrt(self.inputs)
        wide = math.sqrt(6 / (self.inputs + self.outputs)) if self.glorot else bound
        weight = torch.empty(self.outputs, self.inputs).uniform_(-wide, wide, generator=generator)
        self.weight[lane] = weight if self.slim else weight.T
        self.bias[lane, 0].uniform_(-bound, bound, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        """Map (L, B, in) or (1, B, in) to (L, B, out)."""
        lanes = self.weight.shape[0]
        if self.slim:
            product: Tensor = _SlimLinear.apply(x.expand(lanes, -1, -1), self.weight, self.bias)  # type: ignore[no-untyped-call]
            return product
        if lanes == 1:
            return torch.addmm(self.bias[0], x[0], self.weight[0])[None]
        return torch.baddbmm(self.bias, x.expand(lanes, -1, -1), self.weight)


class LaneConv(nn.Module):
    """A convolution per lane as one grouped convolution: (B, L * in, H, W) -> (B, L * out, H, W)."""

    def __init__(self, lanes: int, inputs: int, outputs: int, size: int = 3, stride: int = 1, bias: bool = True):
        super().__init__()
        self.stride, self.padding = stride, (size - 1) // 2
        self.weight = nn.Parameter(torch.empty(lanes, outputs, inputs, size, size))
        self.bias = nn.Parameter(torch.empty(lanes, outputs)) if bias else None

    def draw(self, lane: int, generator: torch.Generator) -> None:
        """Draw a lane's weights (He uniform), then its biases."""
        fan_in = self.weight[lane, 0].numel()
        self.weight[lane].uniform_(-math.sqrt(6 / fan_in), math.sqrt(6 / fan_in), generator=generator)
        if self.bias is not None:
            self.bias[lane].uniform_(-1 / math.sqrt(fan_in), 1 / math.sqrt(fan_in), generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve each lane's channels."""
        bias = None if self.bias is None else self.bias.flatten()
        lanes = self.weight.shape[0]
        return functional.conv2d(x, self.weight.flatten(0, 1), bias, self.stride, self.padding, groups=lanes)


class LaneNorm(nn.Module):
    """Batch normalisation per lane; `features` lie on axis 1 as L * C channels, or last in (L, B, C)."""

    mean: Tensor
    variance: Tensor

    def __init__(self, lanes: int, features: int):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(lanes, features)), nn.Parameter(torch.zeros(lanes, features))
        self.register_buffer("mean", torch.zeros(lanes, features))
        self.register_buffer("variance", torch.ones(lanes, features))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise by the batch's statistics while training, by the running ones otherwise."""
        rows = x.transpose(0, 1).flatten(1) if x.ndim == 3 else x
        statistics = self.mean.view(-1), self.variance.view(-1)
        rows = functional.batch_norm(rows, *statistics, self.weight.view(-1), self.bias.view(-1), self.training)
        return rows.view(len(rows), *self.mean.shape).transpose(0, 1) if x.ndim == 3 else rows


class LaneMLP(nn.Module):
    """Fully connected network with ReLU between layers; inputs of any shape are flattened."""

    def __init__(self, lanes: int, sizes: Sequence[int]):
        super().__init__()
        self.layers = nn.ModuleList(LaneLinear(lanes, a, b) for a, b in pairwise(sizes))

    def features(self, x: Tensor) -> Tensor:
        """Map inputs (L or 1, B, ...) to the last hidden layer (L, B, n)."""
        x = x.flatten(2)
        for layer in self.layers[:-1]:
            x = layer(x).relu_()
        return x

    def forward(self, x: Tensor) -> Tensor:
        """Map inputs (L or 1, B, ...) to logits (L, B, K)."""
        logits: Tensor = self.layers[-1](self.features(x))
        return logits


class LaneCNN(nn.Module):
    """A plain convolutional network by its plan; see `alf.training.networks_spec.PLANS`."""

    def __init__(self, lanes: int, shape: Sequence[int], classes: int, plan: Sequence[int | str]):
        super().__init__()
        self.plan = tuple(plan)
        channels, height, width = shape
        self.convolutions, self.norms, self.linears = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        flat = False
        for step in plan:
            if step == "pool":
                height, width = height // 2, width // 2
                continue
            if isinstance(step, int):
                self.convolutions.append(LaneConv(lanes, channels, step))
                channels = step
            else:
                inputs, channels = channels if flat else channels * height * width, int(step[2:])
                self.linears.append(LaneLinear(lanes, inputs, channels, glorot=True))
                flat = True
            self.norms.append(LaneNorm(lanes, channels))
        self.linears.append(LaneLinear(lanes, channels, classes, glorot=True))

    def features(self, x: Tensor) -> Tensor:
        """Map pictures (L or 1, B, C, H, W) to the last hidden layer (L, B, n)."""
        lanes = lanes_of(self)
        x = as_groups(x, lanes)
        convolutions, norms, linears = iter(self.convolutions), iter(self.norms), iter(self.linears)
        for step in self.plan:
            if step == "pool":
                x = functional.max_pool2d(x, 2)
            elif isinstance(step, int):
                x = next(norms)(next(convolutions)(x)).relu_()
            else:
                x = next(norms)(next(linears)(as_lanes(x, lanes) if x.ndim == 4 else x)).relu_()
        return x

    def forward(self, x: Tensor) -> Tensor:
        """Map pictures (L or 1, B, C, H, W) to logits (L, B, K)."""
        logits: Tensor = self.linears[-1](self.features(x))
        return logits


class LaneBlock(nn.Module):
    """A residual block: two convolutions, and a projection where the shape changes."""

    def __init__(self, lanes: int, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.first, self.norm1 = LaneConv(lanes, inputs, outputs, 3, stride, bias=False), LaneNorm(lanes, outputs)
        self.second, self.norm2 = LaneConv(lanes, outputs, outputs, 3, 1, bias=False), LaneNorm(lanes, outputs)
        self.project = None
        if stride != 1 or inputs != outputs:
            self.project = nn.Sequential(
                LaneConv(lanes, inputs, outputs, 1, stride, bias=False), LaneNorm(lanes, outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Add the block's change to its input."""
        change: Tensor = self.norm2(self.second(self.norm1(self.first(x)).relu_()))
        return (change + (x if self.project is None else self.project(x))).relu_()


class LaneResNet(nn.Module):
    """ResNet-34 for pictures of 32 x 32: a 3 x 3 stem without pooling, blocks of 64, 128, 256, 512 channels."""

    def __init__(self, lanes: int, shape: Sequence[int], classes: int, counts: Sequence[int] = (3, 4, 6, 3)):
        super().__init__()
        self.stem, self.norm = LaneConv(lanes, shape[0], 64, bias=False), LaneNorm(lanes, 64)
        blocks, inputs = [], 64
        for stage, count in enumerate(counts):
            for i in range(count):
                blocks.append(LaneBlock(lanes, inputs, 64 << stage, 2 if stage and i == 0 else 1))
                inputs = 64 << stage
        self.blocks = nn.Sequential(*blocks)
        self.linear = LaneLinear(lanes, inputs, classes, glorot=True)

    def features(self, x: Tensor) -> Tensor:
        """Map pictures (L or 1, B, C, H, W) to pooled features (L, B, 512)."""
        lanes = lanes_of(self)
        x = self.blocks(self.norm(self.stem(as_groups(x, lanes))).relu_())
        return as_lanes(x.mean(dim=(2, 3), keepdim=True), lanes)

    def forward(self, x: Tensor) -> Tensor:
        """Map pictures (L or 1, B, C, H, W) to logits (L, B, K)."""
        logits: Tensor = self.linear(self.features(x))
        return logits


Network = LaneMLP | LaneCNN | LaneResNet


def lanes_of(module: nn.Module) -> int:
    """Return how many lanes a module has: the leading axis of every parameter."""
    return len(next(module.parameters()))


def as_groups(x: Tensor, lanes: int) -> Tensor:
    """Lay lanes side by side as channels: (L or 1, B, C, H, W) -> (B, L * C, H, W), channels last where one lane."""
    if lanes == 1:
        return x[0].contiguous(memory_format=torch.channels_last)
    return x.expand(lanes, *x.shape[1:]).transpose(0, 1).flatten(1, 2)


def as_lanes(x: Tensor, lanes: int) -> Tensor:
    """Flatten each lane's channels: (B, L * C, H, W) -> (L, B, C * H * W)."""
    return x.reshape(len(x), lanes, -1).transpose(0, 1)


def empty(network: str, shape: Sequence[int], classes: int, lanes: int) -> Network:
    """Build the network of a canonical spec without drawing its weights."""
    if network.startswith("mlp:"):
        return LaneMLP(lanes, (math.prod(shape), *hidden_widths(network), classes))
    if network == "resnet34":
        return LaneResNet(lanes, shape, classes)
    return LaneCNN(lanes, shape, classes, PLANS[network])


def parameter_count(network: str, shape: Sequence[int], classes: int) -> int:
    """Count the parameters of one lane, without making any.

    >>> parameter_count("mlp:512", (1, 8, 8), 10)
    38410
    """
    with torch.device("meta"):
        return sum(p.numel() for p in empty(network, shape, classes, 1).parameters())


@torch.no_grad()
def build(network: str, shape: Sequence[int], classes: int, seeds: Sequence[int]) -> Network:
    """Build the network of a canonical spec with one lane per seed.

    >>> model = build("mlp:32", (1, 8, 8), 10, seeds=(0, 1, 0))
    >>> logits = model(torch.zeros(1, 5, 1, 8, 8))
    >>> logits.shape, bool((logits[0] == logits[2]).all()), bool((logits[0] == logits[1]).any())
    (torch.Size([3, 5, 10]), True, False)
    """
    model = empty(network, shape, classes, len(seeds))
    drawn = [module for module in model.modules() if isinstance(module, LaneLinear | LaneConv)]
    for lane, seed in enumerate(seeds):
        generator = torch.Generator().manual_seed(seed)  # on the CPU, so that every device gets the same
        for module in drawn:
            module.draw(lane, generator)
    return model
