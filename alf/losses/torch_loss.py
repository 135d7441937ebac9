"""Losses as torch modules, with the conventions of `torch.nn.CrossEntropyLoss`.

The gradient trained is the gradient of the declared formula: log-softmax and the gathering of the label's entry are
torch's own, and between them stands one elementwise function whose derivative with respect to log u is compiled from
the same declaration. Nothing is detached, and derivatives of any order exist.
"""

import math

import torch
from sympy import Symbol
from torch import Tensor, nn

from alf.errors import InputError
from alf.losses.compile import LOG_U, LOG_V, Compiled, V, compiled, u
from alf.losses.declaration import Loss

REDUCTIONS = ("mean", "sum", "none")


def _lift(on_tensors, on_numbers):
    """A torch function that also takes plain numbers, which constants of a formula are."""
    return lambda x: on_tensors(x) if isinstance(x, Tensor) else on_numbers(x)


def _pairwise(on_tensors, on_numbers):
    def function(*arguments):
        like = next((x for x in arguments if isinstance(x, Tensor)), None)
        if like is None:
            return on_numbers(arguments)
        result, *rest = (x if isinstance(x, Tensor) else torch.full_like(like, x) for x in arguments)
        for other in rest:
            result = on_tensors(result, other)
        return result

    return function


def _step(x, at_zero=0.5):
    return torch.heaviside(x, torch.full_like(x, at_zero)) if isinstance(x, Tensor) else float(x > 0) or at_zero * (x == 0)


FUNCTIONS = {
    name: _lift(getattr(torch, name), getattr(math, name))
    for name in ("exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "atan")
} | {
    "Abs": _lift(torch.abs, abs),
    "sign": _lift(torch.sign, lambda x: math.copysign(1.0, x) if x else 0.0),
    "Min": _pairwise(torch.minimum, min),
    "Max": _pairwise(torch.maximum, max),
    "Heaviside": _step,
}  # fmt: skip


class _Elementwise(torch.autograd.Function):
    """A compiled expression over tensors of one shape; its derivative is another one, so any order works."""

    @staticmethod
    def forward(ctx, form: Compiled, constants: tuple, *inputs: Tensor) -> Tensor:
        ctx.form, ctx.constants = form, constants
        if not any(ctx.needs_input_grad):
            return _evaluate(form, constants, inputs)
        value, *partials = _evaluate(form, constants, inputs, partials=True)
        ctx.inputs = len(inputs)
        ctx.save_for_backward(*inputs, *partials)
        return value

    @staticmethod
    def backward(ctx, gradient: Tensor):
        inputs, partials = ctx.saved_tensors[: ctx.inputs], ctx.saved_tensors[ctx.inputs :]
        results = []
        for i, needed in enumerate(ctx.needs_input_grad[2:]):
            if not needed:
                results.append(None)
            elif torch.is_grad_enabled():  # create_graph=True: the derivative must itself be differentiable
                results.append(gradient * _Elementwise.apply(ctx.form.partial(i), ctx.constants, *inputs))
            else:
                results.append(gradient * partials[i])
        return None, None, *results


def _evaluate(form: Compiled, constants: tuple, inputs: tuple[Tensor, ...], partials: bool = False):
    """The value, or [value, *partials], each of the inputs' broadcast shape."""
    given: dict[Symbol, Tensor] = dict(zip(form.inputs, inputs, strict=True))
    log_u = given[LOG_U]
    tiny = torch.finfo(log_u.dtype).tiny
    needs = form.needs
    # Clamped, so that u (1/u) and v^(gamma-1) log u have the limits they have at 0 instead of 0 inf.
    probability = log_u.exp().clamp_min(tiny) if u in needs or V in needs else None
    complement = log_u.expm1().neg().clamp_min(tiny) if V in needs else None
    sums = [given[s] for s in form.inputs if s not in (LOG_U, LOG_V)]
    result = form.function("torch", partials)(probability, log_u, complement, given.get(LOG_V), *sums, *constants)
    shape = torch.broadcast_shapes(*(x.shape for x in inputs), *(c.shape for c in constants if isinstance(c, Tensor)))

    def full(x):
        x = x if isinstance(x, Tensor) else torch.as_tensor(float(x), dtype=log_u.dtype, device=log_u.device)
        return x if x.shape == shape else x.expand(shape)

    return [full(x) for x in result] if partials else full(result)


def _log_complement(logits: Tensor, log_probability: Tensor) -> Tensor:
    """log(1 - u_k) for every class, exact also where u_k rounds to 1: only the largest can, and the others' sum is known."""
    largest = logits.argmax(dim=-1, keepdim=True)
    is_largest = torch.zeros_like(logits, dtype=torch.bool).scatter_(-1, largest, True)
    others = logits.masked_fill(is_largest, -math.inf)
    of_largest = others.logsumexp(dim=-1, keepdim=True) - logits.logsumexp(dim=-1, keepdim=True)
    of_rest = torch.log1p(-log_probability.masked_fill(is_largest, -math.inf).exp())
    return torch.where(is_largest, of_largest, of_rest)


def per_sample(loss: Loss, logits: Tensor, labels: Tensor, values: dict | None = None) -> Tensor:
    """The loss of each sample, with classes on the *last* axis: the core that `LossModule` and the trainer share.

    Parameters
    ----------
    loss : Loss
    logits : Tensor (..., K), floating
        Half precision is computed in single and returned in single.
    labels : Tensor (...), int64 in [0, K)
    values : dict of str to float or Tensor, optional
        Hyperparameters in place of the loss's own. A tensor broadcasts against `labels`: with a leading lane axis,
        shape (lanes, 1). No gradient flows to them.

    Returns
    -------
    Tensor (...)

    Examples
    --------
    >>> from alf.losses import parse
    >>> per_sample(parse("mae"), torch.zeros(2, 4), torch.tensor([0, 3]))
    tensor([0.7500, 0.7500])
    """
    form = compiled(loss.declaration)
    if logits.dtype in (torch.float16, torch.bfloat16):
        logits = logits.float()
    log_probability = logits.log_softmax(dim=-1)
    index = labels.unsqueeze(-1)
    chosen = {**loss.floats, **(values or {})}
    constants = (float(logits.shape[-1]), *chosen.values())
    inputs = [log_probability.gather(-1, index).squeeze(-1)]
    everywhere = [log_probability]
    if form.uses_log_v:
        everywhere.append(_log_complement(logits, log_probability))
        inputs.append(everywhere[1].gather(-1, index).squeeze(-1))
    if form.summands:
        over_classes = tuple(c.unsqueeze(-1) if isinstance(c, Tensor) and c.ndim else c for c in constants)
        inputs += [_Elementwise.apply(s, over_classes, *everywhere).sum(dim=-1) for s in form.summands]
    return _Elementwise.apply(form.outer, constants, *inputs)


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

    def __init__(self, loss: Loss, *, reduction: str = "mean", ignore_index: int = -100, **tensors):
        super().__init__()
        if reduction not in REDUCTIONS:
            raise InputError(f"reduction must be one of {', '.join(REDUCTIONS)}, got {reduction!r}")
        self.loss, self.reduction, self.ignore_index = loss, reduction, ignore_index
        for name, value in tensors.items():
            parameter = loss.declaration.parameter(name)
            value = torch.as_tensor(value)
            if value.requires_grad:
                raise InputError(f"{loss.name}: {name} is a constant of the loss and cannot be trained")
            for extreme in (value.min().item(), value.max().item()):
                parameter.check(extreme, loss.name)
            self.register_buffer(name, value)
        self.given = tuple(tensors)

    def extra_repr(self) -> str:
        return f"{self.loss.spec!r}, reduction={self.reduction!r}, ignore_index={self.ignore_index}"

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """The reduced loss, or with reduction 'none' one value a target."""
        self._check(logits, target)
        dtype = logits.dtype
        classes_last = logits.movedim(1, -1) if logits.ndim > 1 else logits
        counted = target != self.ignore_index
        values = {name: getattr(self, name) for name in self.given}
        try:
            losses = per_sample(self.loss, classes_last, target.where(counted, 0), values)
        except (RuntimeError, IndexError) as error:
            outside = target[counted & ((target < 0) | (target >= classes_last.shape[-1]))]
            if len(outside) == 0:
                raise
            raise IndexError(
                f"{self.loss.name}: a target must lie in [0, {classes_last.shape[-1]}) or be ignore_index "
                f"{self.ignore_index}, got {outside[0].item()}"
            ) from error
        losses = losses.where(counted, 0)
        if self.reduction == "none":
            return losses.to(dtype)
        total = losses.sum()
        return (total if self.reduction == "sum" else total / counted.sum()).to(dtype)

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
