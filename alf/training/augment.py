"""Augmentation of picture batches: shift, mirror, turn in one resampling, drawn from seed and epoch alone."""

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

SHIFT, TURN = 4, 20.0


def draw(kind: str, seed: int, epoch: int, samples: int) -> Tensor:
    """Draw every sample's (shift down, shift right, mirror, angle) for an epoch: (samples, 4), a pure function.

    >>> draw("crop-flip", 0, 1, 3).shape
    torch.Size([3, 4])
    """
    random = np.random.default_rng([0xA06, seed, epoch])
    moves = np.zeros((samples, 4), np.float32)
    moves[:, :2] = random.integers(-SHIFT, SHIFT + 1, (samples, 2))
    moves[:, 2] = random.integers(0, 2, samples)
    if kind == "crop-flip-rotate":
        moves[:, 3] = random.uniform(-TURN, TURN, samples)
    return torch.from_numpy(moves)


def apply(pictures: Tensor, moves: Tensor) -> Tensor:
    """Move pictures (B, C, H, W) by their moves (B, 4); what comes in from outside is 0.

    >>> picture = torch.arange(4.0).view(1, 1, 2, 2)
    >>> apply(picture, torch.tensor([[0.0, 0.0, 1.0, 0.0]])).flatten().tolist()
    [1.0, 0.0, 3.0, 2.0]
    >>> apply(picture, torch.tensor([[1.0, 0.0, 0.0, 0.0]])).flatten().tolist()
    [2.0, 3.0, 0.0, 0.0]
    """
    down, right, mirror, angle = moves.to(pictures.device).unbind(1)
    cosine, sine = torch.cos(angle * math.pi / 180), torch.sin(angle * math.pi / 180)
    side = 1 - 2 * mirror
    height, width = pictures.shape[2:]
    # where in the picture (coordinates from -1 to 1) each pixel of the result comes from
    top = torch.stack([cosine * side, -sine * height / width, 2 * right / width], dim=1)
    bottom = torch.stack([sine * side * width / height, cosine, 2 * down / height], dim=1)
    grid = functional.affine_grid(torch.stack([top, bottom], dim=1), list(pictures.shape), align_corners=False)
    return functional.grid_sample(pictures, grid, mode="nearest", padding_mode="zeros", align_corners=False)
