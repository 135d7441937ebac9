"""A declared loss as a `torch.nn.Module`, with the conventions of `torch.nn.CrossEntropyLoss`."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from alf.errors import InputError
from alf.losses.interface import ValuedLoss
from alf.losses.torch_loss import per_sample

REDUCTIONS = ("mean", "sum", "none")


class LossModule(nn.Module):
    """A declared loss with the conventions of `torch.nn.CrossEntropyLoss`. Made by ``parse(SPEC).module()``.

    Parameters
    ----------
    loss : Loss
    reduction : {'mean', 'sum', 'none'}
    ignore_index : int
        Samples with this label count neither in the loss nor in the mean's divisor.
    **tensors : Tensor or float
        Hyperparameters in place of the loss's own; a tensor broadcasts against the targets' shape, so that a batch of
        models can each have their own. They are buffers: moved with the module, never trained.

    Notes
    -----
    ``module(logits, target)``: logits (N, K), (N, K, d1, ...) or (K,), floating; target (N,), (N, d1, ...) or (),
    integers in [0, K) or `ignore_index`. K is read from the logits. Half precision is computed in single precision and
    the result returned in the logits' type, where a value beyond its range is inf, as for torch's own losses. Finite
    logits of any size give finite losses and gradients in single and double precision; a logit of -inf at the label
    gives the formula's own limit, inf for cross entropy.

    Raises
    ------
    InputError
        Fewer than two classes, targets of the wrong shape or type, an unknown reduction or parameter.
    IndexError
        A target outside [0, K).

    Examples
    --------
    >>> from alf.losses import parse
    >>> criterion = parse("agce:a=0.6,q=0.6").module()
    >>> logits = torch.zeros(2, 10, requires_grad=True)
    >>> loss = criterion(logits, torch.tensor([3, 7]))
    >>> loss.backward()
    >>> round(loss.item(), 4)
    0.8641
    """

    def __init__(
        self, loss: ValuedLoss, *, reduction: str = "mean", ignore_index: int = -100, **tensors: Tensor | float
    ):
        super().__init__()
        if reduction not in REDUCTIONS:
            raise InputError(f"reduction must be one of {', '.join(REDUCTIONS)}, got {reduction!r}")
        self.loss, self.reduction, self.ignore_index = loss, reduction, ignore_index
        for name, given in tensors.items():
            parameter, value = loss.declaration.parameter(name), torch.as_tensor(given)
            if value.requires_grad:
                raise InputError(f"{loss.name}: {name} is a constant of the loss and cannot be trained")
            for extreme in (value.min().item(), value.max().item()):
                parameter.check(extreme, loss.name)
            self.register_buffer(name, value)
        self.given = tuple(tensors)

    def extra_repr(self) -> str:
        """What PyTorch prints between the parentheses."""
        return f"{self.loss.spec!r}, reduction={self.reduction!r}, ignore_index={self.ignore_index}"

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """The reduced loss, or with reduction 'none' one value a target."""
        self._check(logits, target)
        if logits.ndim > 2:
            logits = logits.movedim(1, -1)
        values = {name: getattr(self, name) for name in self.given}
        # On a CPU an ignored label is found by the gather that it makes fail: asking first would cost every other call.
        if target.is_cuda or self.ignore_index >= 0:
            return self._reduced(*self._masked(logits, target, values), logits.dtype)
        try:
            losses, counted = per_sample(self.loss, logits, target, values), None
        except (RuntimeError, IndexError) as error:
            self._refuse_outside(target, logits.shape[-1], error)
            losses, counted = self._masked(logits, target, values)
        return self._reduced(losses, counted, logits.dtype)

    def _masked(self, logits: Tensor, target: Tensor, values: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Losses with 0 for ignored targets, and which targets count."""
        counted = target != self.ignore_index
        return per_sample(self.loss, logits, target.where(counted, 0), values).where(counted, 0), counted

    def _reduced(self, losses: Tensor, counted: Tensor | None, dtype: torch.dtype) -> Tensor:
        if self.reduction == "sum":
            losses = losses.sum()
        elif self.reduction == "mean":
            losses = losses.mean() if counted is None else losses.sum() / counted.sum()
        return losses if losses.dtype == dtype else losses.to(dtype)

    def _refuse_outside(self, target: Tensor, classes: int, error: Exception) -> None:
        outside = target[(target != self.ignore_index) & ((target < 0) | (target >= classes))]
        if len(outside):
            raise IndexError(
                f"{self.loss.name}: a target must lie in [0, {classes}) or be ignore_index {self.ignore_index}, "
                f"got {outside[0].item()}"
            ) from error
        if not (target == self.ignore_index).any():
            raise error

    def _check(self, logits: Tensor, target: Tensor) -> None:
        name = self.loss.name
        if not logits.is_floating_point():
            raise InputError(f"{name}: logits must be floating point, got {logits.dtype}")
        if target.dtype != torch.int64:
            raise InputError(f"{name}: targets must be class indices of type torch.int64, got {target.dtype}")
        shape = logits.shape[:1] + logits.shape[2:] if logits.ndim > 1 else logits.shape[:0]
        if logits.ndim == 0 or target.shape != shape:
            raise InputError(
                f"{name}: logits (N, K, d1, ...) need targets (N, d1, ...); got logits {tuple(logits.shape)} and "
                f"targets {tuple(target.shape)}"
            )
        classes = logits.shape[1] if logits.ndim > 1 else logits.shape[0]
        if classes < 2:
            raise InputError(f"{name}: logits must have at least 2 classes, got {classes}")
