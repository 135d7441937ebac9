"""Losses as torch modules, with the conventions of `torch.nn.CrossEntropyLoss`.

The gradient trained is the gradient of the declared formula: its derivatives with respect to log u and to the sums are
compiled from the same SymPy expression, and torch's own log-softmax carries them to the logits. Nothing is detached,
and second derivatives exist.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor, nn

from alf.errors import InputError
from alf.losses.compile import Compiled, CompiledLoss, compiled
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
    return (
        torch.heaviside(x, torch.full_like(x, at_zero)) if isinstance(x, Tensor) else float(x > 0) or at_zero * (x == 0)
    )


def _power(base, exponent):
    tensors = isinstance(base, Tensor) or isinstance(exponent, Tensor)
    return torch.pow(base, exponent) if tensors else base**exponent


FUNCTIONS = {
    "power": _power,
} | {
    name: _lift(getattr(torch, name), getattr(math, name))
    for name in ("exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "atan")
} | {
    "Abs": _lift(torch.abs, abs),
    "sign": _lift(torch.sign, lambda x: math.copysign(1.0, x) if x else 0.0),
    "Min": _pairwise(torch.minimum, min),
    "Max": _pairwise(torch.maximum, max),
    "Heaviside": _step,
}  # fmt: skip


EPS = {dtype: torch.finfo(dtype).eps for dtype in (torch.float32, torch.float64)}
TINY = {dtype: torch.finfo(dtype).tiny for dtype in (torch.float32, torch.float64)}
SMALL = {dtype: TINY[dtype] / EPS[dtype] for dtype in TINY}

LIKELY = 0.6
"""Probability above which 1 - u is summed up from the others: two classes of a row cannot both reach it by rounding."""

FEW = 32
"""Up to so many classes 1 - u_k is summed up from the others for every k: a small product of matrices."""

CHUNK = 1 << 18
"""Elements worked on at a time on a CPU: smaller ones cost calls, larger ones fresh pages (`benchmarks.losses`)."""


@dataclass
class _Pieces:
    """The loss of each sample, and what its gradient is made of."""

    log_probability: Tensor  # (..., K)
    losses: Tensor  # (...)
    # Slopes: tensors, plain numbers where they are constant, None where they are 0.
    of_label: list  # (...) each: dL/d log u_y [, dL/d log(1 - u_y)]
    of_sums: list  # (...) each: dL/dS_i
    of_own: list  # (...) each: dL/ds_i(u_y)
    of_classes: list[tuple]  # per S_i: (..., K) ds/d log u_k [, ds/d log(1 - u_k)]
    probability: Tensor | None  # (..., K), where log(1 - u) is used
    complement: "_Complement | None"  # 1 - u, likewise


@dataclass
class _Complement:
    """1 - u_k: summed up for every class where these are few, otherwise only where u_k is likely."""

    summed: Tensor | None  # (..., K)
    rest: Tensor | None = None  # (..., K): u_k, with 0 in place of a likely one
    where: tuple[Tensor, ...] = ()  # where the likely ones are, at most one in a row


def _pieces(form: CompiledLoss, constants: tuple, logits: Tensor, labels: Tensor, gradient: bool) -> _Pieces:
    log_probability = logits.log_softmax(dim=-1)
    everywhere = [log_probability]
    probability = complement = None
    if form.uses_log_v:
        probability = log_probability.exp()
        log_complement, complement = _log_complement(log_probability, probability)
        everywhere.append(log_complement)
    index = labels.unsqueeze(-1)
    inputs = [x.gather(-1, index).squeeze(-1) for x in everywhere]
    over_classes = tuple(c.unsqueeze(-1) if isinstance(c, Tensor) and c.ndim else c for c in constants)
    sums, own, of_classes = [], [], []
    for summand in form.summands:
        value, *slopes = _evaluate(summand, over_classes, everywhere, gradient)
        sums.append(value.sum(dim=-1))
        own.append(value.gather(-1, index).squeeze(-1))
        of_classes.append(tuple(summand.all_partials(slopes)) if gradient else ())
    losses, *slopes = _evaluate(form.shared, constants, [*inputs, *sums, *own], gradient)
    slopes = form.shared.all_partials(slopes) if gradient else []
    first, count = len(everywhere), len(sums)
    of_label, of_sums, of_own = slopes[:first], slopes[first : first + count], slopes[first + count :]
    return _Pieces(log_probability, losses, of_label, of_sums, of_own, of_classes, probability, complement)


def _evaluate(form: Compiled, constants: tuple, inputs: list[Tensor], gradient: bool) -> list[Tensor]:
    """The expression at the inputs, and where asked for its varying partial derivatives, constant ones as numbers."""
    log_u = inputs[0]
    log_v, sums = (inputs[1], inputs[2:]) if form.uses_log_v else (None, inputs[1:])
    probability = log_u.exp() if form.needs_u else None
    # Clamped where a formula may divide by it, so that v^(gamma-1) log u has its limit 0 and not inf 0.
    complement = torch.rsub(probability, 1).clamp_min(EPS[log_u.dtype] / 2) if form.needs_v else None
    if form.divides_by_u:
        probability = probability.clamp_min(TINY[log_u.dtype])
    results = form.function("torch", gradient)(probability, log_u, complement, log_v, *sums, *constants)
    value, *slopes = results if gradient else [results]
    lanes = [c.shape for c in constants if isinstance(c, Tensor)]
    shape = torch.broadcast_shapes(log_u.shape, *lanes) if lanes else log_u.shape
    value = value if isinstance(value, Tensor) else log_u.new_tensor(float(value))
    return [x.expand(shape) if isinstance(x, Tensor) and x.shape != shape else x for x in (value, *slopes)]


@lru_cache(maxsize=64)
def _beside(classes: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Ones beside the diagonal, shape (K, K): a row of probabilities times it is each class's 1 - u_k."""
    return 1 - torch.eye(classes, dtype=dtype, device=device)


def _log_complement(log_probability: Tensor, probability: Tensor) -> tuple[Tensor, _Complement]:
    """log(1 - u_k), exact also where u_k rounds to 1, because 1 - u_k is the sum of the others there."""
    classes, tiny = probability.shape[-1], SMALL[probability.dtype]
    if classes <= FEW:
        summed = probability @ _beside(classes, probability.dtype, probability.device)
        # Else digits of a sum are lost, or all of it. A model that has diverged (nan) does not decide for the others.
        if not (summed < tiny).any():
            return summed.log(), _Complement(summed)
    rest, where = probability, ()
    rows = (probability.amax(dim=-1) > LIKELY).nonzero(as_tuple=True)
    if len(rows[0]):
        where = (*rows, probability[rows].argmax(dim=-1))
        rest = probability.clone()
        rest[where] = 0
    result = (-rest).log1p_()
    if where:
        total = rest[rows].sum(dim=-1)
        lost = (total < tiny).any()
        result[where] = _others(log_probability, where).logsumexp(dim=-1) if lost else total.log()
    return result, _Complement(None, rest, where)


def _through_complement(pieces: _Pieces, gradient: Tensor) -> Tensor:
    """From d/d log(1 - u_k) to d/d log u_k.

    d log(1 - u_k)/d log u_k = -u_k/(1 - u_k), or for the sum of the others d log(1 - u_m)/d log u_j = u_j/(1 - u_m).
    """
    summed, rest, where = pieces.complement.summed, pieces.complement.rest, pieces.complement.where
    if summed is not None:
        others = (gradient / summed) @ _beside(gradient.shape[-1], gradient.dtype, gradient.device)
        return pieces.probability * others
    result = gradient * rest / (rest - 1)
    if where:
        rows = where[:-1]
        shares = rest[rows]
        total = shares.sum(dim=-1, keepdim=True)
        lost = (total < SMALL[total.dtype]).any()
        shares = _others(pieces.log_probability, where).softmax(dim=-1) if lost else shares / total
        result[rows] += gradient[where].unsqueeze(-1) * shares
    return result


def _others(log_probability: Tensor, where: tuple[Tensor, ...]) -> Tensor:
    """The rows of the likely ones, shape (n, K), without these."""
    return log_probability[where[:-1]].scatter(-1, where[-1].unsqueeze(-1), -math.inf)


class _PerSample(torch.autograd.Function):
    """The loss of each sample as one node of the graph: at (128, 10) a node a step costs more than the arithmetic."""

    @staticmethod
    def forward(ctx, form: CompiledLoss, constants: tuple, logits: Tensor, labels: Tensor) -> Tensor:
        ctx.form, ctx.constants, wanted = form, constants, ctx.needs_input_grad[2]
        ctx.save_for_backward(logits, labels)
        ctx.slope = ctx.pieces = None
        if form.summands or form.uses_log_v:
            losses, ctx.slope = _in_chunks(form, constants, logits, labels, wanted)
            return losses
        pieces = _pieces(form, constants, logits, labels, wanted)
        ctx.pieces = pieces if wanted else None
        return pieces.losses

    @staticmethod
    def backward(ctx, gradient: Tensor):
        logits, labels = ctx.saved_tensors
        if torch.is_grad_enabled():  # create_graph=True: the pieces must themselves be functions of the logits
            pieces = _pieces(ctx.form, ctx.constants, logits, labels, gradient=True)
            return None, None, _logit_gradient(pieces, labels, gradient), None
        if ctx.slope is not None:
            return None, None, ctx.slope * gradient.unsqueeze(-1), None
        return None, None, _logit_gradient(ctx.pieces, labels, gradient), None


def _in_chunks(form: CompiledLoss, constants: tuple, logits: Tensor, labels: Tensor, gradient: bool):
    """The loss of each sample and, where asked, its gradient; on a CPU some rows at a time, a row's whole work at once.

    With sums over the classes there are many passes over (..., K), and memory costs more than arithmetic.
    """
    classes = logits.shape[-1]
    if logits.is_cuda or logits.numel() <= CHUNK or any(isinstance(c, Tensor) for c in constants):
        pieces = _pieces(form, constants, logits, labels, gradient)
        return pieces.losses, _logit_gradient(pieces, labels) if gradient else None
    rows, targets = logits.reshape(-1, classes), labels.reshape(-1)
    losses, slope = rows.new_empty(len(rows)), torch.empty_like(rows) if gradient else None
    step = max(1, CHUNK // classes)
    for start in range(0, len(rows), step):
        chunk = slice(start, start + step)
        pieces = _pieces(form, constants, rows[chunk], targets[chunk], gradient)
        losses[chunk] = pieces.losses
        if gradient:
            slope[chunk] = _logit_gradient(pieces, targets[chunk])
    return losses.view_as(labels), slope.view_as(logits) if gradient else None


def _logit_gradient(pieces: _Pieces, labels: Tensor, gradient: Tensor | None = None) -> Tensor:
    """Chain rule from the pieces back to the logits, times the gradient of each sample's loss where one is given."""
    log_probability, index = pieces.log_probability, labels.unsqueeze(-1)
    by_input = []
    for i, at_label in enumerate(pieces.of_label):
        total = None
        for of_sum, of_own, of_classes in zip(pieces.of_sums, pieces.of_own, pieces.of_classes, strict=True):
            slope = of_classes[i]
            if slope is None:
                continue
            part = _each(of_sum) * _scaled(slope, gradient)
            if not isinstance(part, Tensor):
                part = torch.full_like(log_probability, part)
            elif part.shape != log_probability.shape:
                part = part.expand_as(log_probability).contiguous()
            total = part if total is None else total.add_(part)
            if of_own is not None:
                own = of_own * (slope.gather(-1, index).squeeze(-1) if isinstance(slope, Tensor) else slope)
                at_label = own if at_label is None else at_label + own
        if at_label is not None:
            total = torch.zeros_like(log_probability) if total is None else total
            at_label = at_label if gradient is None else gradient * at_label
            if not isinstance(at_label, Tensor):
                at_label = log_probability.new_tensor(float(at_label)).expand(labels.shape)
            total = total.scatter_add_(-1, index, at_label.unsqueeze(-1))
        by_input.append(total)
    total = by_input[0]
    if pieces.probability is None:
        return torch._log_softmax_backward_data(total, log_probability, -1, log_probability.dtype)
    if by_input[1] is not None:
        through = _through_complement(pieces, by_input[1])
        total = through if total is None else total.add_(through)
    return torch.addcmul(total, pieces.probability, total.sum(dim=-1, keepdim=True), value=-1)


def _each(row):
    """A value per row, or a number, as a factor of a row's entries."""
    return row.unsqueeze(-1) if isinstance(row, Tensor) else row


def _scaled(slope, gradient: Tensor | None):
    return slope if gradient is None else _each(gradient) * slope


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
    if logits.dtype in (torch.float16, torch.bfloat16):
        logits = logits.float()
    chosen = {**loss.floats, **(values or {})}
    return _PerSample.apply(compiled(loss.declaration), (float(logits.shape[-1]), *chosen.values()), logits, labels)


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

    def _masked(self, logits: Tensor, target: Tensor, values: dict) -> tuple[Tensor, Tensor]:
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
