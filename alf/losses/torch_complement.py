"""1 - u_k of every class of a softmax, and its logarithm, exact also where u_k rounds to 1.

There 1 - u_k is the sum of the other probabilities. It is summed up for every class where these are few, otherwise only
where u_k is likely.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

EPS = {dtype: torch.finfo(dtype).eps for dtype in (torch.float32, torch.float64)}
TINY = {dtype: torch.finfo(dtype).tiny for dtype in (torch.float32, torch.float64)}

_LOSES_DIGITS = {dtype: TINY[dtype] / EPS[dtype] for dtype in TINY}
"""Below this a sum of probabilities has lost digits, or all of it: some of them were subnormal or 0."""

_LIKELY = 0.6
"""Probability above which 1 - u is summed up from the others: two classes of a row cannot both reach it by rounding."""

_FEW = 32
"""Up to so many classes 1 - u_k is summed up from the others for every k: a small product of matrices."""


@dataclass
class Complement:
    """1 - u_k of every class; made by `Complement.of`."""

    log_probability: Tensor  # (..., K)
    probability: Tensor  # (..., K): u_k
    log: Tensor  # (..., K): log(1 - u_k)
    summed: Tensor | None  # (..., K): 1 - u_k, where the classes are few
    unlikely: Tensor  # (..., K): u_k, with 0 in place of a likely one
    likely: tuple[Tensor, ...]  # the indices of the likely ones, at most one in a row

    @classmethod
    def of(cls, log_probability: Tensor) -> "Complement":
        """The complement of the probabilities whose logarithms these are, shape (..., K)."""
        probability = log_probability.exp()
        classes, least = probability.shape[-1], _LOSES_DIGITS[probability.dtype]
        if classes <= _FEW:
            summed = probability @ _beside_diagonal(classes, probability.dtype, probability.device)
            # A model that has diverged (nan) does not decide for the others.
            if not (summed < least).any():
                return cls(log_probability, probability, summed.log(), summed, probability, ())
        unlikely = probability
        likely: tuple[Tensor, ...] = ()
        rows = (probability.amax(dim=-1) > _LIKELY).nonzero(as_tuple=True)
        if len(rows[0]):
            likely = (*rows, probability[rows].argmax(dim=-1))
            unlikely = probability.clone()
            unlikely[likely] = 0
        log = (-unlikely).log1p_()
        if likely:
            total = unlikely[rows].sum(dim=-1)
            lost = (total < least).any()
            log[likely] = _others(log_probability, likely).logsumexp(dim=-1) if lost else total.log()
        return cls(log_probability, probability, log, None, unlikely, likely)

    def to_log_probability(self, gradient: Tensor) -> Tensor:
        """The gradient with respect to log u_k from the one with respect to log(1 - u_k), both (..., K).

        d log(1 - u_k)/d log u_k = -u_k/(1 - u_k); for the sum of the others d log(1 - u_m)/d log u_j = u_j/(1 - u_m).
        """
        if self.summed is not None:
            beside = _beside_diagonal(gradient.shape[-1], gradient.dtype, gradient.device)
            return self.probability * ((gradient / self.summed) @ beside)
        result = gradient * self.unlikely / (self.unlikely - 1)
        if self.likely:
            rows = self.likely[:-1]
            shares = self.unlikely[rows]
            total = shares.sum(dim=-1, keepdim=True)
            lost = (total < _LOSES_DIGITS[total.dtype]).any()
            shares = _others(self.log_probability, self.likely).softmax(dim=-1) if lost else shares / total
            result[rows] += gradient[self.likely].unsqueeze(-1) * shares
        return result


@lru_cache(maxsize=64)
def _beside_diagonal(classes: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Ones beside the diagonal, shape (K, K): a row of probabilities times it is each class's 1 - u_k."""
    return 1 - torch.eye(classes, dtype=dtype, device=device)


def _others(log_probability: Tensor, likely: tuple[Tensor, ...]) -> Tensor:
    """The rows of the likely ones, shape (n, K), without these."""
    return log_probability[likely[:-1]].scatter(-1, likely[-1].unsqueeze(-1), -math.inf)
