"""The functions that a formula printed for torch calls: of tensors, and of plain numbers, which its constants are."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def _unary(on_tensors: Callable[[Tensor], Tensor], on_numbers: Callable[[float], float]) -> Callable[[Any], Any]:
    return lambda x: on_tensors(x) if isinstance(x, Tensor) else on_numbers(x)


def _pairwise(on_tensors: Callable[[Tensor, Tensor], Tensor], on_numbers: Callable[..., float]) -> Callable[..., Any]:
    def function(*arguments: Tensor | float) -> Tensor | float:
        like = next((x for x in arguments if isinstance(x, Tensor)), None)
        if like is None:
            return on_numbers(arguments)
        result, *rest = (x if isinstance(x, Tensor) else torch.full_like(like, x) for x in arguments)
        for other in rest:
            result = on_tensors(result, other)
        return result

    return function


def _step(x: Any, at_zero: float = 0.5) -> Any:
    if isinstance(x, Tensor):
        return torch.heaviside(x, torch.full_like(x, at_zero))
    return float(x > 0) or at_zero * (x == 0)


def _power(base: Any, exponent: Any) -> Any:
    tensors = isinstance(base, Tensor) or isinstance(exponent, Tensor)
    return torch.pow(base, exponent) if tensors else base**exponent


_SAME_NAME = ("exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "atan")

FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: _unary(getattr(torch, name), getattr(math, name)) for name in _SAME_NAME},
    "power": _power,
    "Abs": _unary(torch.abs, abs),
    "sign": _unary(torch.sign, lambda x: math.copysign(1.0, x) if x else 0.0),
    "Min": _pairwise(torch.minimum, min),
    "Max": _pairwise(torch.maximum, max),
    "Heaviside": _step,
}
"""By the name that SymPy prints."""
