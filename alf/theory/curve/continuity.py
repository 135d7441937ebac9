"""Whether l is a real, finite and continuous function on (0, 1), asked before anything is claimed about it.

The functions a formula may use are continuous wherever they have a value, and they have one everywhere but for four:
a quotient needs a divisor that is not 0, a logarithm a positive argument, a root a base that is not negative, a tangent
a cosine that is not 0. So a formula is continuous where each of these conditions holds for its sub-expression, from the
inside outwards. Signs of derivatives say nothing without it: `-u - tan(3 u)` has a negative derivative everywhere and
jumps up at pi/6.

`discontinuity(f)` certifies the conditions by interval arithmetic on a subdivision of (0, 1); `parameter_cell` reads
the same conditions off for a whole cell of parameters.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import sympy
from sympy import Abs, Expr, Max, Min, Mul, Pow, Symbol, exp, log

from alf.losses import K, Loss, u
from alf.theory.arithmetic.strict_sign import certain_sign
from alf.theory.curve.derivative import factored
from alf.theory.progress import stage

CONTINUOUS = (exp, sympy.sin, sympy.cos, sympy.sinh, sympy.cosh, sympy.tanh, sympy.atan, Abs, Max, Min)
"""Functions that are continuous on the whole line."""


LARGEST_BASE = 60
"""Operations in a root's base up to which it is factored to find squares."""


@dataclass(frozen=True)
class Condition:
    """What one sub-expression needs: `inside` must be ``nonzero``, ``positive`` or, for a root, ``nonnegative``."""

    node: Expr
    inside: Expr
    needs: str

    @property
    def failure(self) -> str:
        """What happens where it does not hold."""
        if isinstance(self.node, log):
            return "the logarithm of a number that is not positive"
        if isinstance(self.node, sympy.tan):
            return "a pole of a tangent"
        return "a division by 0" if self.needs == "nonzero" else "a power of a number that is not positive"


@dataclass(frozen=True)
class Gap:
    """A place in (0, 1) where l is not known to be finite and continuous.

    Parameters
    ----------
    at : float or None
        Near where; None where it is no one place.
    reason : str
        A sentence.
    shown : bool
        Whether l certainly has no value there; otherwise it could not be settled.
    """

    at: float | None
    reason: str
    shown: bool


@lru_cache(maxsize=1024)
def conditions(f: Expr) -> tuple[Condition, ...] | None:
    """What f needs to be real, finite and continuous, innermost first; None where f holds a function not known here.

    >>> [(str(c.inside), c.needs) for c in conditions(log(u) / (2 - u) + sympy.sqrt(1 - u))]
    [('1 - u', 'nonnegative'), ('2 - u', 'nonzero'), ('u', 'positive')]
    """
    found: dict[Expr, Condition] = {}
    for node in sympy.postorder_traversal(f):
        if node in found or not isinstance(node, Expr) or node.is_number or node.is_Symbol:
            continue
        if isinstance(node, Pow):
            if node.exp.is_Integer and node.exp > 0:
                continue
            needs = "nonzero" if node.exp.is_Integer else "nonnegative" if _is_root(node.exp) else "positive"
            found[node] = Condition(node, node.base, needs)
        elif isinstance(node, log):
            found[node] = Condition(node, node.args[0], "positive")
        elif isinstance(node, sympy.tan):
            found[node] = Condition(node, sympy.cos(node.args[0]), "nonzero")
        elif not (node.is_Add or node.is_Mul or isinstance(node, CONTINUOUS)):
            return None
    return tuple(found.values())


def _is_root(exponent: Expr) -> bool:
    return not exponent.has(u) and bool(exponent.is_positive)


def reveal(f: Expr) -> Expr:
    """Roots of squares as absolute values: the square root of u^2 - u + 1/4 is |u - 1/2|, which has a kink.

    >>> reveal(sympy.sqrt(u**2 - u + sympy.Rational(1, 4)))
    Abs(2*u - 1)/2
    """
    return f.replace(lambda e: isinstance(e, Pow) and e.base.has(u) and not e.exp.is_Integer, _without_square)


def _without_square(power: Pow) -> Expr:
    base, exponent = power.base, power.exp
    if exponent.has(u) or base.is_Symbol or sympy.count_ops(base) > LARGEST_BASE:
        return power
    outside, inside, squares = sympy.Integer(1), sympy.Integer(1), False
    for factor in Mul.make_args(_factored(base)):
        root, k = factor.as_base_exp()
        if k.is_Integer and abs(k) >= 2 and root.has(u):
            even = 2 * int(k / 2)  # towards 0
            outside *= Abs(root) ** (even * exponent)
            inside *= root ** (k - even)
            squares = True
        else:
            inside *= factor
    return outside * inside**exponent if squares else power


def _factored(base: Expr) -> Expr:
    if base.is_rational_function(u):
        return sympy.factor(base)
    found = factored(base)
    return base if found is None else found


@lru_cache(maxsize=2048)
def discontinuity(f: Expr) -> Gap | None:
    """The first place found in (0, 1) where f may fail to be real, finite and continuous; None where it is certified.

    >>> discontinuity(1 - u + sympy.tanh(1 / (u - sympy.Rational(1, 3)))).reason
    'l has no value at u = 0.333333: a division by 0 in 1/(u - 1/3).'
    >>> discontinuity(-log(u)) is None
    True
    """
    stage("certifying that l is finite and continuous on (0, 1)")
    f = reveal(f)
    if f.has(sympy.I, sympy.nan, sympy.zoo, sympy.oo):
        return Gap(None, "l is not a real number.", True)
    needed = conditions(f)
    if needed is None:
        return Gap(None, "l holds a function whose continuity no rule covers.", False)
    return next(filter(None, map(_failure, needed)), None)


def _failure(condition: Condition) -> Gap | None:
    inside, needs = condition.inside, condition.needs
    if needs == "nonnegative" and inside.is_nonnegative:
        return None
    found = certain_sign(inside, u)
    signs = {"nonzero": (1, -1), "positive": (1,), "nonnegative": (1, 0)}[needs]
    if found.sign in signs or (needs == "nonnegative" and found.weak == 1):
        return None
    place = "" if found.at is None else f" at u = {float(found.at):.6g}"
    text = str(condition.node)
    text = text if len(text) <= 60 else text[:57] + "..."
    at = None if found.at is None else float(found.at)
    if found.fails(needs):
        return Gap(at, f"l has no value{place}: {condition.failure} in {text}.", True)
    near = place.replace(" at ", " near ")
    return Gap(
        at,
        f"l could not be certified finite and continuous on (0, 1): {condition.failure}{near} in {text} "
        "was not ruled out.",
        False,
    )


def rough(f: Expr, lo: Fraction, hi: Fraction) -> bool:
    """Whether a root's base may touch 0 inside (lo, hi), where the root need not be smooth."""
    return any(
        c.needs == "nonnegative" and certain_sign(c.inside, u, lo, hi).sign != 1
        for c in conditions(f) or ()
        if c.inside.has(u)
    )


@lru_cache(maxsize=1024)
def discontinuity_of(loss: Loss, classes: int) -> Gap | None:
    """The same for a loss of the catalogue or a formula, normalising sums included: they must keep one sign."""
    for weight, term in loss.terms:
        if weight == 0:
            continue
        sums = {symbol: summand.subs(K, classes) for symbol, summand in term.exact_sums}
        gaps = filter(None, map(discontinuity, sums.values()))
        gap = next(gaps, None) or _outer(term.exact.subs(K, classes), sums)
        if gap is not None:
            return gap
    return None


def _outer(f: Expr, sums: dict[Symbol, Expr]) -> Gap | None:
    """Conditions of g(u, S): a divisor that is a sum alone needs a summand of one sign."""
    if not sums:
        return discontinuity(f)
    for condition in conditions(f) or ():
        if condition.inside in sums and condition.needs == "nonzero":
            if certain_sign(sums[condition.inside], u).sign not in (1, -1):
                return Gap(None, f"{sums[condition.inside]} was not certified to keep one sign.", False)
        elif condition.inside.free_symbols & sums.keys():
            return Gap(None, f"{condition.node} was not certified finite.", False)
        else:
            gap = _failure(condition)
            if gap is not None:
                return gap
    return None
