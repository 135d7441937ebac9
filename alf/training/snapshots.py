"""A snapshot of what a trainer's models do, sample by sample; `alf.training.inspect` reads it without torch."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from alf.training.inspect import grid
from alf.training.trainer import Trainer


class Detail(NamedTuple):
    """How much of what a model does is kept.

    Attributes
    ----------
    side
        Points along each side of the decision regions of a 2-D data set.
    samples
        Test samples whose features are kept.
    axes
        Principal axes on which they are kept, in half precision.
    iterations
        Steps of the subspace iteration that finds the axes.
    """

    side: int
    samples: int
    axes: int
    iterations: int


FINE, COARSE = Detail(40, 300, 30, 2), Detail(20, 150, 10, 1)
"""After the last epoch, and on the way there, where half the cost lets regions move twice as often."""
SNAPSHOT_SHARE, MOVING_SHARE = 0.007, 0.008
"""How often one is made: as often as this share of the training time allows (`alf.runs.journal`), and after the last
epoch; of points in the plane more, whose regions are watched as they move."""


def snapshot(trainer: Trainer) -> dict[str, np.ndarray]:
    """Take what an `Inspection` needs from a trainer after an epoch, as arrays with a leading lane axis.

    ``lanes`` (L,), ``epoch`` (), ``train`` (L, M) and ``test`` (L, N) predicted classes, ``features`` (L, S, A) of the
    first test samples on their principal axes and ``variance`` (L, A), the share of it along each, and for points in
    the plane ``scores`` (L, side, side, K), log-probabilities up to a constant per point.
    """
    detail = FINE if trainer.epoch == trainer.recipe.epochs else COARSE
    small = np.uint8 if trainer.classes <= 256 else np.int16
    arrays = {
        "lanes": np.array(trainer.alive, np.int32),
        "epoch": np.array(trainer.epoch, np.int32),
        "train": trainer.train_predictions.cpu().numpy().astype(small),
        "test": trainer.test_predictions.cpu().numpy().astype(small),
    }
    with torch.no_grad():
        trainer.model.eval()
        features = trainer.model.features(trainer.normal(trainer.test_inputs[: detail.samples][None]))
        features = features.expand(len(trainer.alive), -1, -1)
        features, variance = on_principal_axes(features, detail.axes, detail.iterations)
        arrays["features"] = features.half().cpu().numpy()
        arrays["variance"] = variance.float().cpu().numpy()
        if trainer.recipe.dataset.shape == (2,):
            logits = trainer.model(torch.from_numpy(grid(detail.side)).to(trainer.device)[None])
            logits = (logits - logits.amax(dim=-1, keepdim=True)).clamp_min(-6e4)  # what half precision can hold
            arrays["scores"] = logits.view(-1, detail.side, detail.side, trainer.classes).half().cpu().numpy()
    # safetensors writes memory as it lies: transposed arrays would come back scrambled
    return {name: np.asarray(array, order="C") for name, array in arrays.items()}


def on_principal_axes(features: Tensor, axes: int, iterations: int = 2) -> tuple[Tensor, Tensor]:
    """Project features (L, S, n) on the axes along which they vary most, and say how much of the variance each holds.

    Subspace iteration on the samples' inner products, from a fixed start: a full decomposition takes several times
    longer. Lengths are relative to the largest coordinate of a lane, which alone has no meaning.

    Returns
    -------
    (L, S, A) coordinates, (L, A) shares of the variance in falling order, with A = min(axes, S, n).
    """
    features = features - features.mean(dim=1, keepdim=True)
    axes = min(axes, *features.shape[1:])
    products = (features @ features.transpose(1, 2)).cpu()
    total = products.diagonal(dim1=1, dim2=2).sum(dim=1).clamp_min(1e-30)
    products = products / total[:, None, None]
    width = min(axes + 8, products.shape[-1])
    basis = torch.randn(products.shape[-1], width, generator=torch.Generator().manual_seed(0))
    basis = basis.expand(len(products), -1, -1)
    for _ in range(iterations):
        basis = torch.linalg.qr(products @ (products @ basis)).Q
    variance, turn = torch.linalg.eigh(basis.transpose(1, 2) @ products @ basis)  # ascending
    variance = variance.flip(-1)[:, :axes].clamp_min(0)
    placed = (basis @ turn).flip(-1)[..., :axes] * variance.sqrt().unsqueeze(1)
    # An axis has no sign of its own: the largest coordinate is made positive, so that pictures do not flip about.
    largest = placed.gather(1, placed.abs().argmax(dim=1, keepdim=True))
    placed = placed * torch.where(largest < 0, -1.0, 1.0)
    return placed / placed.abs().amax(dim=(1, 2), keepdim=True).clamp_min(1e-30), variance
