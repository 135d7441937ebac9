"""The loss of each sample in torch, as a differentiable function of its logits.

The gradient trained is the gradient of the declared formula: its derivatives with respect to log u and to the sums are
compiled from the same SymPy expression, and torch's own log-softmax carries them to the logits. Nothing is detached,
and second derivatives exist.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from alf.losses.compile import Compiled, CompiledLoss, compiled
from alf.losses.interface import ValuedLoss
from alf.losses.torch_complement import EPS, TINY, Complement

CHUNK = 1 << 18
"""Elements worked on at a time on a CPU: smaller ones cost calls, larger ones fresh pages (`benchmarks.losses`)."""

Slope = Tensor | float | None
"""A partial derivative at every sample: a plain number where it is constant, None where it is 0."""

Constants = tuple[Tensor | float, ...]
"""K and the hyperparameters, in declared order."""


def per_sample(
    loss: ValuedLoss, logits: Tensor, labels: Tensor, values: Mapping[str, Tensor | float] | None = None
) -> Tensor:
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
    if logits.dtype in (torch.float16, torch.bfloat16):
        logits = logits.float()
    chosen = {**loss.floats, **(values or {})}
    constants = (float(logits.shape[-1]), *chosen.values())
    form = compiled(loss.declaration)
    result: Tensor = _PerSample.apply(form, constants, logits, labels)  # type: ignore[no-untyped-call]
    return result


class _PerSample(torch.autograd.Function):
    """The loss of each sample as one node of the graph: at (128, 10) a node a step costs more than the arithmetic."""

    @staticmethod
    def forward(ctx: Any, form: CompiledLoss, constants: Constants, logits: Tensor, labels: Tensor) -> Tensor:
        ctx.form, ctx.constants, wanted = form, constants, ctx.needs_input_grad[2]
        ctx.save_for_backward(logits, labels)
        ctx.gradient = ctx.slopes = None
        if form.summands or form.outer.uses_log_v:
            losses, ctx.gradient = _in_chunks(form, constants, logits, labels, wanted)
            return losses
        losses, slopes = _losses(form, constants, logits, labels, wanted)
        ctx.slopes = slopes if wanted else None
        return losses

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, None, Tensor, None]:
        logits, labels = ctx.saved_tensors
        if torch.is_grad_enabled():  # create_graph=True: the slopes must themselves be functions of the logits
            _, slopes = _losses(ctx.form, ctx.constants, logits, labels, wanted=True)
            return None, None, _logit_gradient(slopes, labels, gradient), None
        if ctx.gradient is not None:
            return None, None, ctx.gradient * gradient.unsqueeze(-1), None
        return None, None, _logit_gradient(ctx.slopes, labels, gradient), None


def _in_chunks(
    form: CompiledLoss, constants: Constants, logits: Tensor, labels: Tensor, wanted: bool
) -> tuple[Tensor, Tensor | None]:
    """The loss of each sample and, where wanted, its gradient; on a CPU some rows at a time, each row to its end.

    With sums over the classes there are many passes over (..., K), and memory costs more than arithmetic.
    """
    classes = logits.shape[-1]
    if logits.is_cuda or logits.numel() <= CHUNK or any(isinstance(c, Tensor) for c in constants):
        losses, slopes = _losses(form, constants, logits, labels, wanted)
        return losses, _logit_gradient(slopes, labels) if wanted else None
    rows, targets = logits.reshape(-1, classes), labels.reshape(-1)
    losses, gradient = rows.new_empty(len(rows)), torch.empty_like(rows) if wanted else None
    step = max(1, CHUNK // classes)
    for start in range(0, len(rows), step):
        chunk = slice(start, start + step)
        losses[chunk], slopes = _losses(form, constants, rows[chunk], targets[chunk], wanted)
        if gradient is not None:
            gradient[chunk] = _logit_gradient(slopes, targets[chunk])
    return losses.view_as(labels), None if gradient is None else gradient.view_as(logits)


@dataclass
class _SumSlopes:
    """How the loss of each sample moves with one of its sums over the classes, S = sum of s(u_k)."""

    of_sum: Slope  # (...): dL/dS
    of_own: Slope  # (...): dL/ds(u_y), where g has the label's own summand
    of_classes: list[Slope]  # (..., K) for each coordinate: ds/d log u_k [, ds/d log(1 - u_k)]


@dataclass
class _Slopes:
    """What the gradient of each sample's loss is made of; a coordinate is log u or, where used, log(1 - u)."""

    log_probability: Tensor  # (..., K)
    complement: Complement | None  # where log(1 - u) is a coordinate
    of_label: list[Slope]  # (...) for each coordinate of the label: dL/d log u_y [, dL/d log(1 - u_y)]
    sums: list[_SumSlopes]


def _losses(
    form: CompiledLoss, constants: Constants, logits: Tensor, labels: Tensor, wanted: bool
) -> tuple[Tensor, _Slopes]:
    """The loss of each sample, and its slopes where these are wanted."""
    log_probability = logits.log_softmax(dim=-1)
    complement = Complement.of(log_probability) if form.outer.uses_log_v else None
    coordinates = [log_probability] if complement is None else [log_probability, complement.log]
    index = labels.unsqueeze(-1)
    over_classes = tuple(c.unsqueeze(-1) if isinstance(c, Tensor) and c.ndim else c for c in constants)
    summands = [_evaluate(summand, over_classes, coordinates, wanted) for summand in form.summands]
    inputs = [x.gather(-1, index).squeeze(-1) for x in coordinates]
    inputs += [value.sum(dim=-1) for value, _ in summands]
    inputs += [value.gather(-1, index).squeeze(-1) for value, _ in summands]
    losses, slopes = _evaluate(form.shared, constants, inputs, wanted)
    of_label, others = slopes[: len(coordinates)], slopes[len(coordinates) :]
    of_sums, of_own = others[: len(summands)], others[len(summands) :]
    of_classes = (of_summand for _, of_summand in summands)
    sums = [_SumSlopes(*each) for each in zip(of_sums, of_own, of_classes, strict=True)] if wanted else []
    return losses, _Slopes(log_probability, complement, of_label, sums)


def _evaluate(form: Compiled, constants: Constants, inputs: list[Tensor], wanted: bool) -> tuple[Tensor, list[Slope]]:
    """The expression at the inputs and, where wanted, its partial derivative with respect to each of them."""
    log_u = inputs[0]
    log_v, sums = (inputs[1], inputs[2:]) if form.uses_log_v else (None, inputs[1:])
    probability: Any = log_u.exp() if form.needs_u else None
    complement = None
    if form.needs_v:
        # Clamped where a formula may divide by it, so that v^(gamma-1) log u has its limit 0 and not inf 0.
        complement = torch.rsub(probability, 1).clamp_min(EPS[log_u.dtype] / 2)
    if form.divides_by_u:
        probability = probability.clamp_min(TINY[log_u.dtype])
    results = form.function("torch", wanted)(probability, log_u, complement, log_v, *sums, *constants)
    value, *varying = results if wanted else [results]
    lanes = [c.shape for c in constants if isinstance(c, Tensor)]
    shape = torch.broadcast_shapes(log_u.shape, *lanes) if lanes else log_u.shape
    value = value if isinstance(value, Tensor) else log_u.new_tensor(float(value))
    value, *varying = [x.expand(shape) if isinstance(x, Tensor) and x.shape != shape else x for x in (value, *varying)]
    return value, form.by_input(varying) if wanted else []


def _logit_gradient(slopes: _Slopes, labels: Tensor, gradient: Tensor | None = None) -> Tensor:
    """Chain rule back to the logits, times the gradient of each sample's loss where one is given."""
    total = _coordinate_gradient(slopes, 0, labels, gradient)
    if slopes.complement is None:
        assert total is not None  # a loss depends on log u or on log(1 - u)
        return torch._log_softmax_backward_data(total, slopes.log_probability, -1, slopes.log_probability.dtype)
    of_complement = _coordinate_gradient(slopes, 1, labels, gradient)
    if of_complement is not None:
        through = slopes.complement.to_log_probability(of_complement)
        total = through if total is None else total.add_(through)
    assert total is not None
    return torch.addcmul(total, slopes.complement.probability, total.sum(dim=-1, keepdim=True), value=-1)


def _coordinate_gradient(slopes: _Slopes, coordinate: int, labels: Tensor, gradient: Tensor | None) -> Tensor | None:
    """dL/d log u_k, or for coordinate 1 dL/d log(1 - u_k), of every class: (..., K); None where it is 0."""
    like, index = slopes.log_probability, labels.unsqueeze(-1)
    at_label, total = slopes.of_label[coordinate], None
    for one in slopes.sums:
        slope = one.of_classes[coordinate]
        if slope is None:
            continue
        part = _each(one.of_sum) * (slope if gradient is None else _each(gradient) * slope)
        if not isinstance(part, Tensor):
            part = torch.full_like(like, part)
        elif part.shape != like.shape:
            part = part.expand_as(like).contiguous()
        total = part if total is None else total.add_(part)
        if one.of_own is not None:
            own = one.of_own * (slope.gather(-1, index).squeeze(-1) if isinstance(slope, Tensor) else slope)
            at_label = own if at_label is None else at_label + own
    if at_label is not None:
        total = torch.zeros_like(like) if total is None else total
        at_label = at_label if gradient is None else gradient * at_label
        if not isinstance(at_label, Tensor):
            at_label = like.new_tensor(float(at_label)).expand(labels.shape)
        total = total.scatter_add_(-1, index, at_label.unsqueeze(-1))
    return total


def _each(row: Slope) -> Any:
    """A value per row, or a number, as a factor of a row's entries."""
    return row.unsqueeze(-1) if isinstance(row, Tensor) else row
