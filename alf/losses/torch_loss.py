"""Losses as torch modules, with the conventions of `torch.nn.CrossEntropyLoss`.

The gradient trained is the gradient of the declared formula: its derivatives with respect to log u and to the sums are
compiled from the same SymPy expression, and torch's own log-softmax carries them to the logits. Nothing is detached,
and second derivatives exist.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import hardshrink

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

CHUNK = 1 << 18
"""Elements worked on at a time on a CPU: smaller ones cost calls, larger ones fresh pages (`benchmarks.losses`)."""


@dataclass
class _Pieces:
    """The loss of each sample, and what its gradient is made of."""

    log_probability: Tensor  # (..., K)
    losses: Tensor  # (...)
    of_label: tuple[Tensor, ...]  # (...) each: dL/d log u_y [, dL/d log(1 - u_y)]
    of_sums: tuple[Tensor, ...]  # (...) each: dL/dS_i
    of_own: tuple  # (...) each: dL/ds_i(u_y), None where it is 0
    of_classes: tuple[tuple, ...]  # per S_i: (..., K) ds/d log u_k [, ds/d log(1 - u_k)]; None where it is 0
    probability: Tensor | None  # (..., K), where log(1 - u) is used

    def over_rows(self, change: Callable[[Tensor], Tensor]) -> "_Pieces":
        """The same with every tensor changed."""

        def changed(x):
            return tuple(map(changed, x)) if isinstance(x, tuple) else x if x is None else change(x)

        return _Pieces(*(changed(getattr(self, field.name)) for field in fields(self)))


def _pieces(form: CompiledLoss, constants: tuple, logits: Tensor, labels: Tensor, gradient: bool) -> _Pieces:
    log_probability = logits.log_softmax(dim=-1)
    everywhere = [log_probability]
    probability = None
    if form.uses_log_v:
        log_complement, probability = _in_chunks(_log_complement, [log_probability], (False, False))
        everywhere.append(log_complement)
    index = labels.unsqueeze(-1)
    inputs = [x.gather(-1, index).squeeze(-1) for x in everywhere]
    over_classes = tuple(c.unsqueeze(-1) if isinstance(c, Tensor) and c.ndim else c for c in constants)
    lanes = any(isinstance(c, Tensor) for c in constants)
    sums, own, of_classes = [], [], []
    for summand in form.summands:
        function = partial(_over_classes, summand, over_classes, gradient)
        per_row = (True, True, *(False for _ in summand.varying if gradient))
        arguments = [*everywhere, index]
        total, at_label, *slopes = function(inputs=arguments) if lanes else _in_chunks(function, arguments, per_row)
        sums.append(total)
        own.append(at_label)
        of_classes.append(tuple(summand.all_partials(slopes)) if gradient else ())
    losses, *slopes = _evaluate(form.shared, constants, [*inputs, *sums, *own], gradient)
    slopes = form.shared.all_partials(slopes) if gradient else []
    first, count = len(everywhere), len(sums)
    of_label, of_sums, of_own = slopes[:first], slopes[first : first + count], slopes[first + count :]
    return _Pieces(
        log_probability, losses, tuple(of_label), tuple(of_sums), tuple(of_own), tuple(of_classes), probability
    )


def _over_classes(summand: Compiled, constants: tuple, gradient: bool, inputs: list[Tensor]) -> list[Tensor]:
    """A summand's sum over the classes, its value at the label, and its varying slopes in full."""
    *everywhere, index = inputs
    value, *slopes = _evaluate(summand, constants, everywhere, gradient)
    return [value.sum(dim=-1), value.gather(-1, index).squeeze(-1), *slopes]


def _evaluate(form: Compiled, constants: tuple, inputs: list[Tensor], gradient: bool) -> list[Tensor]:
    """The expression at the inputs, and where asked for its varying partial derivatives."""
    log_u = inputs[0]
    log_v, sums = (inputs[1], inputs[2:]) if form.uses_log_v else (None, inputs[1:])
    probability = log_u.exp() if form.needs_u else None
    # Clamped where a formula may divide by it, so that v^(gamma-1) log u has its limit 0 and not inf 0.
    complement = torch.rsub(probability, 1).clamp_min(EPS[log_u.dtype] / 2) if form.needs_v else None
    if form.divides_by_u:
        probability = probability.clamp_min(TINY[log_u.dtype])
    results = form.function("torch", gradient)(probability, log_u, complement, log_v, *sums, *constants)
    results = results if gradient else [results]
    lanes = [c.shape for c in constants if isinstance(c, Tensor)]
    shape = torch.broadcast_shapes(log_u.shape, *lanes) if lanes else log_u.shape
    return [x if isinstance(x, Tensor) and x.shape == shape else _filled(x, log_u, shape) for x in results]


def _filled(result, like: Tensor, shape: torch.Size) -> Tensor:
    """The full shape also for an expression without u, such as cross entropy's slope -1, without the memory of it."""
    return (result if isinstance(result, Tensor) else like.new_tensor(float(result))).expand(shape)


def _in_chunks(function: Callable, inputs: list[Tensor], per_row: tuple[bool, ...]) -> list[Tensor]:
    """The results of `function` over tensors (..., K), or (...) for those marked `per_row`."""
    like = inputs[0]
    if not _chunked(like):
        return function(inputs=inputs)
    rows = [x.reshape(-1, x.shape[-1]) for x in inputs]
    results = [torch.empty(like.shape[:-1] if row else like.shape, dtype=like.dtype) for row in per_row]
    flat = [x.view(-1) if row else x.view_as(rows[0]) for x, row in zip(results, per_row, strict=True)]
    for chunk in _row_chunks(*rows[0].shape):
        for output, x in zip(flat, function(inputs=[x[chunk] for x in rows]), strict=True):
            output[chunk] = x
    return results


def _chunked(like: Tensor) -> bool:
    """Whether a tensor is worked on in chunks; not where autograd records, which must see whole tensors."""
    return not (like.is_cuda or like.numel() <= CHUNK or torch.is_grad_enabled())


def _row_chunks(rows: int, columns: int) -> list[slice]:
    step = max(1, CHUNK // columns)
    return [slice(start, start + step) for start in range(0, rows, step)]


def _split(probability: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """A likely u_m (else 0), the other u_k (0 for it), and the sum of these; each row has at most one likely class.

    Arithmetic, because masks cost a CPU twenty times as much.
    """
    likely = hardshrink(probability, LIKELY)
    rest = probability - likely
    return likely, rest, rest.sum(dim=-1, keepdim=True)


def _log_complement(inputs: list[Tensor]) -> list[Tensor]:
    """log(1 - u_k), exact also where u_k rounds to 1 because a likely 1 - u_m is the sum of the others; and u_k."""
    (log_probability,) = inputs
    probability = log_probability.exp()
    likely, rest, total = _split(probability)
    if (total < SMALL[total.dtype]).any():  # digits of the sum are lost, or all of it
        total = log_probability.masked_fill(likely > 0, -math.inf).logsumexp(dim=-1, keepdim=True)
    else:
        total = total.log()
    largest = probability.amax(dim=-1, keepdim=True)
    return [torch.addcmul((-rest).log1p_(), likely, total / largest), probability]


def _through_complement(log_probability: Tensor, probability: Tensor, gradient: Tensor) -> Tensor:
    """From d/d log(1 - u_k) to d/d log u_k.

    d log(1 - u_k)/d log u_k = -u_k/(1 - u_k), but for a likely u_m, whose 1 - u_m is the sum of the others:
    d log(1 - u_m)/d log u_j = u_j/(1 - u_m).
    """
    likely, rest, total = _split(probability)
    of_likely = (gradient * likely).sum(dim=-1, keepdim=True) / probability.amax(dim=-1, keepdim=True)
    if (total < SMALL[total.dtype]).any():
        shares = log_probability.masked_fill(likely > 0, -math.inf).softmax(dim=-1)
        return of_likely * shares - gradient * rest / (1 - rest)
    return rest * (of_likely / total - gradient / (1 - rest))


class _PerSample(torch.autograd.Function):
    """The loss of each sample as one node of the graph: at (128, 10) a node a step costs more than the arithmetic."""

    @staticmethod
    def forward(ctx, form: CompiledLoss, constants: tuple, logits: Tensor, labels: Tensor) -> Tensor:
        ctx.form, ctx.constants = form, constants
        pieces = _pieces(form, constants, logits, labels, gradient=ctx.needs_input_grad[2])
        ctx.save_for_backward(logits, labels)
        ctx.pieces = pieces if ctx.needs_input_grad[2] else None
        return pieces.losses

    @staticmethod
    def backward(ctx, gradient: Tensor):
        logits, labels = ctx.saved_tensors
        pieces = ctx.pieces
        if torch.is_grad_enabled():  # create_graph=True: the pieces must themselves be functions of the logits
            pieces = _pieces(ctx.form, ctx.constants, logits, labels, gradient=True)
        lanes = any(isinstance(c, Tensor) for c in ctx.constants)
        return None, None, (_of_rows if lanes else _logit_gradient)(pieces, gradient, labels), None


def _logit_gradient(pieces: _Pieces, gradient: Tensor, labels: Tensor) -> Tensor:
    """Chain rule from the pieces back to the logits; with sums over classes on a CPU some rows at a time."""
    like = pieces.log_probability
    if not pieces.of_classes or not _chunked(like):
        return _of_rows(pieces, gradient, labels)
    dims = labels.ndim
    pieces = pieces.over_rows(lambda x: x.reshape(-1, *x.shape[dims:]))
    gradient, labels, result = gradient.reshape(-1), labels.reshape(-1), torch.empty_like(pieces.log_probability)
    for rows in _row_chunks(*result.shape):
        result[rows] = _of_rows(pieces.over_rows(lambda x: x[rows]), gradient[rows], labels[rows])  # noqa: B023
    return result.view_as(like)


def _of_rows(pieces: _Pieces, gradient: Tensor, labels: Tensor) -> Tensor:
    """The gradient with respect to the logits of all rows at once."""
    log_probability, index = pieces.log_probability, labels.unsqueeze(-1)
    by_input = []
    for i, of_label in enumerate(pieces.of_label):
        total = None
        for of_sum, of_own, of_classes in zip(pieces.of_sums, pieces.of_own, pieces.of_classes, strict=True):
            slope = of_classes[i]
            if slope is None:
                continue
            part = (gradient * of_sum).unsqueeze(-1) * slope
            if of_own is not None:
                part = part.scatter_add_(-1, index, (gradient * of_own).unsqueeze(-1) * slope.gather(-1, index))
            total = part if total is None else total.add_(part)
        if of_label is not None:
            total = torch.zeros_like(log_probability) if total is None else total
            total = total.scatter_add_(-1, index, (gradient * of_label).unsqueeze(-1))
        by_input.append(total)
    total = by_input[0]
    if pieces.probability is not None:
        through = _through_complement(log_probability, pieces.probability, by_input[1])
        total = through if total is None else total.add_(through)
    if pieces.probability is not None:  # the same without computing it again
        return torch.addcmul(total, pieces.probability, total.sum(dim=-1, keepdim=True), value=-1)
    return torch._log_softmax_backward_data(total, log_probability, -1, log_probability.dtype)


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
