"""A loss with Abs, Max and Min resolved into stretches on which it is one smooth expression, and its kinks.

A switch, where one argument overtakes another, is put exactly where it is a simple fraction or the root of a linear
function; any other is caught in an interval of 2**-128 or less. What l does on that interval is never guessed: only
one switch may lie in it, and the difference of its two sides must be monotone there. Where intervals of two switches
meet, both are narrowed, so that a steep ramp between two switches is seen however short it is.
"""

from dataclasses import dataclass
from fractions import Fraction

import sympy
from sympy import Abs, Expr, Max, Min, Rational, diff, oo

from alf.losses import u
from alf.numbers import as_rational
from alf.theory.arithmetic.balls import at_point, exact_zero, fine_sign, sign_of_number
from alf.theory.arithmetic.limits import from_end, one_sided_limit
from alf.theory.arithmetic.sign_pattern import Budget, Run, halved, sign_pattern
from alf.theory.curve.continuity import reveal, rough
from alf.theory.curve.derivative import derivative_of, factored, is_identically_zero

PRECISIONS = (128, 512, 2048)
"""Bits to which a switch that is no fraction is located; the next where two lie closer together."""


SLIVER = Fraction(1, 2**30)
"""An unsettled run wider than this is one that the budget left over."""


MOST_STEPS = 4000


@dataclass(frozen=True)
class Piece:
    """A stretch [lo, hi] of [0, 1] on which l is one smooth expression."""

    lo: Fraction
    hi: Fraction
    expression: Expr


def smooth_pieces(f: Expr, lo=Fraction(0), hi=Fraction(1)) -> tuple[tuple[Piece, ...], bool]:
    """Abs, Max and Min resolved stretch by stretch; the flag says whether every switch was located.

    Without the flag nothing may be concluded from the pieces about what lies between them.

    >>> [str(p.expression) for p in smooth_pieces(Abs(u - Rational(1, 2)))[0]]
    ['1/2 - u', 'u - 1/2']
    >>> steep = 1 - u - Max(0, Min(10**13 * (u - Rational(1, 3)), Rational(1, 5)))
    >>> [float(p.hi - p.lo) for p in smooth_pieces(steep)[0]][1], smooth_pieces(steep)[1]
    (2e-14, True)
    """
    f = reveal(f)
    for bits in PRECISIONS:
        resolver = _Resolver(f, bits)
        pieces = resolver.resolve(f, lo, hi)
        if not resolver.narrow:
            break
    complete = resolver.complete and not any(rough(p.expression, p.lo, p.hi) for p in pieces)
    return pieces, complete


def switch_in(f: Expr) -> tuple[Expr, Expr, dict[int, Expr]] | None:
    """An innermost Abs, Max or Min of u, the difference whose sign decides it, and what it is for each sign."""
    for node in sympy.postorder_traversal(f):
        if isinstance(node, (Abs, Max, Min)) and node.has(u) and not any(a.has(Abs, Max, Min) for a in node.args):
            if isinstance(node, Abs):
                inside = node.args[0]
                return node, inside, {1: inside, -1: -inside, 0: sympy.Integer(0)}
            first, second, *rest = node.args
            sign = 1 if isinstance(node, Max) else -1
            winners = {sign: first, -sign: second, 0: first}
            return node, first - second, {s: node.func(w, *rest) for s, w in winners.items()}
    return None


class _Resolver:
    """One attempt at locating every switch of f to so many bits."""

    def __init__(self, f: Expr, bits: int):
        self.f, self.bits, self.ball_bits = f, bits, 2 * bits + 100
        self.complete = True
        self.narrow = False  # whether more bits may help

    def resolve(self, f: Expr, lo: Fraction, hi: Fraction) -> tuple[Piece, ...]:
        found = switch_in(f)
        if found is None:
            return (Piece(lo, hi, f),)
        switch, difference, branches = found
        pieces: list[Piece] = []
        for run in self.located(difference, sign_pattern(difference, u, lo, hi)):
            if run.sign is None:
                if run.hi - run.lo > SLIVER:
                    self.complete = False
                elif run.lo < run.hi and not self.alone(run.lo, run.hi):
                    self.complete, self.narrow = False, True
                continue
            pieces += self.resolve(f.xreplace({switch: branches[run.sign]}), run.lo, run.hi)
        return _joined(pieces)

    def located(self, f: Expr, runs) -> list[Run]:
        """Unsettled slivers of a smooth f made as narrow as asked; to a point where a zero is a fraction."""
        found: list[Run] = []
        for run in runs:
            found += [run] if run.sign is not None or run.hi - run.lo > SLIVER else self.zero(f, run)
        return _closed_up(found)

    def zero(self, f: Expr, run: Run) -> list[Run]:
        """The sliver cut into runs around the zero or zeros in it."""
        slope = diff(f, u)
        rises = fine_sign(slope, u, run.lo, run.hi, self.ball_bits)
        c = _linear_root(f, slope) if slope.is_number else exact_zero(f, u, run.lo, run.hi)
        if c is not None and rises and run.lo <= Fraction(c) <= run.hi:
            c = Fraction(c)
            return [Run(run.lo, c, -rises), Run(c, c, None), Run(c, run.hi, rises)]
        return self.bisect(f, run, rises) if rises else self.scan(f, run)

    def bisect(self, f: Expr, run: Run, rises: int) -> list[Run]:
        """The one zero of a monotone f, caught in an interval of 2**-bits."""
        value = at_point(f, u)
        lo, hi = run.lo, run.hi

        def sign(x: Fraction) -> int:
            ball = value(x, self.ball_bits)
            return 1 if ball > 0 else -1 if ball < 0 else 0

        if sign(lo) == rises or sign(hi) == -rises:  # no zero inside
            return [Run(lo, hi, rises if sign(lo) == rises else -rises)]
        while hi - lo > Fraction(1, 2**self.bits):
            middle = (lo + hi) / 2
            side = sign(middle)
            if side == 0:
                break
            lo, hi = (lo, middle) if side == rises else (middle, hi)
        c = ((lo + hi) / 2).limit_denominator(2 ** (self.bits // 2 - 2))
        if lo <= c <= hi and sign(c) == 0 and sign_of_number(f.subs(u, as_rational(c))) == 0:
            lo = hi = c
        return [Run(run.lo, lo, -rises), Run(lo, hi, None), Run(hi, run.hi, rises)]

    def scan(self, f: Expr, run: Run) -> list[Run]:
        """A sliver that may hold several zeros, cut by balls."""

        def ask(lo: Fraction, hi: Fraction) -> list[Run] | None:
            sign = fine_sign(f, u, lo, hi, self.ball_bits)
            if sign:
                return [Run(lo, hi, sign)]
            rises = hi - lo > finest and fine_sign(diff(f, u), u, lo, hi, self.ball_bits)
            return self.zero(f, Run(lo, hi, None)) if rises else None

        finest = Fraction(1, 2**self.bits)
        found: list[Run] = []
        for lo, hi, runs in halved(run.lo, run.hi, ask, finest, Budget(MOST_STEPS)):
            found += runs or [Run(lo, hi, None)]
        return found

    def alone(self, lo: Fraction, hi: Fraction) -> bool:
        """Whether all of f's switches in the sliver are one: their differences are monotone and share their zero."""
        found: list[Expr] = []
        self.undecided(self.f, lo, hi, found)
        if not found or any(not fine_sign(diff(d, u), u, lo, hi, self.ball_bits) for d in found):
            return False
        return all(_same_zero(found[0], d) for d in found[1:])

    def undecided(self, f: Expr, lo: Fraction, hi: Fraction, found: list[Expr]) -> None:
        """Differences that may vanish in the sliver, whichever side other switches are on."""
        switch = switch_in(f)
        if switch is None or len(found) > 8:
            return
        node, difference, branches = switch
        sign = fine_sign(difference, u, lo, hi, self.ball_bits)
        if sign is None and difference.is_number:
            sign = 0
        if sign is None and difference not in found and -difference not in found:
            found.append(difference)
        for branch in (1, -1) if sign is None else (sign,):
            self.undecided(f.xreplace({node: branches[branch]}), lo, hi, found)


def _linear_root(f: Expr, slope: Expr) -> Rational | None:
    c = sympy.expand(u - f / slope) if slope.is_Rational and slope != 0 else None
    return c if c is not None and c.is_Rational else None


def _same_zero(f: Expr, g: Expr) -> bool:
    """Whether two functions are multiples of each other."""
    point = Rational(3, 11)
    return is_identically_zero(f * g.subs(u, point) - g * f.subs(u, point))


def _closed_up(runs: list[Run]) -> list[Run]:
    """Neighbours of one sign joined, empty runs dropped."""
    found: list[Run] = []
    for run in runs:
        if run.lo == run.hi and run.sign is not None:
            continue
        if found and found[-1].sign == run.sign and run.sign is not None and found[-1].hi == run.lo:
            found[-1] = Run(found[-1].lo, run.hi, run.sign)
        else:
            found.append(run)
    return found


def _joined(pieces: list[Piece]) -> tuple[Piece, ...]:
    joined: list[Piece] = []
    for piece in pieces:
        if joined and joined[-1].expression == piece.expression:
            joined[-1] = Piece(joined[-1].lo, piece.hi, piece.expression)
        else:
            joined.append(piece)
    return tuple(joined)


@dataclass(frozen=True)
class Kink:
    """A place where two pieces meet.

    Parameters
    ----------
    lo, hi : Fraction
        It lies in [lo, hi], whose ends are equal or next to each other.
    at : Rational or None
        The place, where it is known exactly.
    left, right : Expr
        The slopes at its sides; where `at` is not known, slopes in [lo, hi] of the pieces that meet there.
    turn : int or None
        The sign of right - left, certified: 1 bends upwards (convex), -1 downwards; None where it was not settled.
    """

    lo: Fraction
    hi: Fraction
    at: Rational | None
    left: Expr
    right: Expr
    turn: int | None = None


def kink_between(a: Piece, b: Piece) -> Kink:
    """Where two pieces meet, and whether the slope goes up or down there."""
    at = as_rational(a.hi) if a.hi == b.lo else None
    slopes = [derivative_of(p.expression, 1) for p in (a, b)]
    if at is not None:
        left, right = (one_sided_value(f, at, side) for f, side in zip(slopes, (-1, 1), strict=True))
        return Kink(a.hi, b.lo, at, left, right, _sign_of_difference(right, left))
    middle = as_rational((a.hi + b.lo) / 2)
    turn = fine_sign(slopes[1] - slopes[0], u, a.hi, b.lo)
    if turn is None and _touch(b.expression - a.expression, a.hi, b.lo):
        turn = 0
    left, right = (f.subs(u, middle) for f in slopes)
    return Kink(a.hi, b.lo, None, left, right, turn)


def _touch(gap: Expr, lo: Fraction, hi: Fraction) -> bool:
    """Whether a difference that vanishes in [lo, hi] does so with its slope: a power of one factor, no other is 0."""
    found = factored(sympy.expand(gap))
    parts = [f.as_base_exp() for f in sympy.Mul.make_args(found if found is not None else gap)]
    zero = [(base, k) for base, k in parts if base.has(u) and fine_sign(base, u, lo, hi) is None]
    return len(zero) == 1 and bool(zero[0][1].is_Integer) and zero[0][1] >= 2


def one_sided_value(f: Expr, at: Rational, side: int) -> Expr:
    """The value of a slope at a point, or its limit from one side; nan where it could not be settled."""
    value = f.subs(u, at)
    if value.is_number and value.is_finite and not value.has(sympy.nan, sympy.zoo, sympy.I):
        return value
    limit = one_sided_limit(from_end(f, u, Fraction(at), side))
    return sympy.nan if limit is None else limit


def _sign_of_difference(a: Expr, b: Expr) -> int | None:
    """The sign of a - b, either of which may be infinite."""
    if a is sympy.nan or b is sympy.nan or a == b:
        return None if sympy.nan in (a, b) or a in (oo, -oo) else 0
    return sign_of_number(a - b)
