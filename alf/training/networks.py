"""Networks whose parameters carry a leading lane axis: many models of one architecture as one module.

A lane's slice of the parameters is the ordinary network. Initialisation is PyTorch's default (uniform in
+-1/sqrt(inputs)), drawn lane by lane from that lane's own seed, so that a lane does not depend on its neighbours.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from alf.training.networks_spec import hidden_widths

SLIM = 32
"""Layers with at most this many outputs are multiplied the other way round, which is five times faster on a CPU."""


class _SlimLinear(torch.autograd.Function):
    """x (L, B, in), weight (L, out, in), bias (L, 1, out) -> (L, B, out) for few outputs.

    BLAS is slow when the result is a narrow matrix, (B, 10), and quick when it is a flat one, (10, B). So the result
    and the weight's gradient are computed as flat ones, and the input's gradient in the layout that comes next.
    """

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return torch.bmm(weight, x.transpose(1, 2)).transpose(1, 2) + bias

    @staticmethod
    def backward(ctx, gradient: Tensor):
        x, weight = ctx.saved_tensors
        to_x = torch.bmm(gradient, weight) if ctx.needs_input_grad[0] else None
        return to_x, torch.bmm(gradient.transpose(1, 2), x), gradient.sum(dim=1, keepdim=True)


class LaneLinear(nn.Module):
    """A linear layer per lane, inputs (L, B, in) or (1, B, in) for all lanes.

    weight (L, in, out), or (L, out, in) where `slim`; bias (L, 1, out).
    """

    def __init__(self, inputs: int, outputs: int, generators: Sequence[torch.Generator]):
        super().__init__()
        bound = 1 / math.sqrt(inputs)
        self.slim = outputs <= SLIM
        # Drawn as (out, in), the layout of torch.nn.Linear.
        weights, biases = [], []
        for generator in generators:
            weights.append(torch.empty(outputs, inputs).uniform_(-bound, bound, generator=generator))
            biases.append(torch.empty(1, outputs).uniform_(-bound, bound, generator=generator))
        weight = torch.stack(weights)
        self.weight = nn.Parameter(weight if self.slim else weight.transpose(1, 2).contiguous())
        self.bias = nn.Parameter(torch.stack(biases))

    def forward(self, x: Tensor) -> Tensor:
        """Map (L, B, in) or (1, B, in) to (L, B, out)."""
        lanes = self.weight.shape[0]
        if self.slim:
            return _SlimLinear.apply(x.expand(lanes, -1, -1), self.weight, self.bias)
        if lanes == 1:
            return torch.addmm(self.bias[0], x[0], self.weight[0])[None]
        return torch.baddbmm(self.bias, x.expand(lanes, -1, -1), self.weight)


class LaneMLP(nn.Module):
    """Fully connected network with ReLU between layers; inputs of any shape are flattened.

    Parameters
    ----------
    sizes
        Inputs, hidden widths, classes.
    seeds
        One per lane.
    """

    def __init__(self, sizes: Sequence[int], seeds: Sequence[int]):
        super().__init__()
        generators = [weights_generator(seed) for seed in seeds]
        self.layers = nn.ModuleList(LaneLinear(a, b, generators) for a, b in pairwise(sizes))

    def forward(self, x: Tensor) -> Tensor:
        """Map inputs (L or 1, B, ...) to logits (L, B, K)."""
        x = x.flatten(2)
        *hidden, last = self.layers
        for layer in hidden:
            x = layer(x).relu_()
        return last(x)


def weights_generator(seed: int) -> torch.Generator:
    """Return the generator that draws the weights of a seed: on the CPU, so that every device gets the same."""
    return torch.Generator().manual_seed(seed)


def parameter_count(network: str, shape: Sequence[int], classes: int) -> int:
    """Count the parameters of one lane, without making any.

    >>> parameter_count("mlp:512", (1, 8, 8), 10)
    38410
    """
    sizes = (math.prod(shape), *hidden_widths(network), classes)
    return sum((a + 1) * b for a, b in pairwise(sizes))


def build(network: str, shape: Sequence[int], classes: int, seeds: Sequence[int]) -> nn.Module:
    """Build the network of a canonical spec with one lane per seed.

    >>> model = build("mlp:32", (1, 8, 8), 10, seeds=(0, 1, 0))
    >>> logits = model(torch.zeros(1, 5, 1, 8, 8))
    >>> logits.shape, bool((logits[0] == logits[2]).all()), bool((logits[0] == logits[1]).any())
    (torch.Size([3, 5, 10]), True, False)
    """
    return LaneMLP((math.prod(shape), *hidden_widths(network), classes), seeds)
