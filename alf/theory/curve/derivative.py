"""Derivatives of l in a form that encloses well, what is identically zero, and exponentials factored."""

import math
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import chain

import sympy
from sympy import Add, Dummy, Expr, Pow, Rational, diff, exp

from alf.losses import u
from alf.theory.arithmetic.balls import at_point
from alf.theory.arithmetic.cells import on_cell

LARGEST_DEGREE = 60
"""Degree in one exponential up to which a polynomial is factored; above that it takes too long."""


@lru_cache(maxsize=4096)
def derivative_of(f: Expr, order: int) -> Expr:
    """A derivative in a form that encloses well: powers of one base joined, a sum of squares left factored.

    Factoring a rational function multiplies it out first: of a narrow spike the plain sum is much the tighter.
    """
    g = diff(f, u, order)
    if g.is_number:
        return g
    if is_identically_zero(g):
        return sympy.Integer(0)
    if g.is_polynomial(u):
        return sympy.factor(g)
    if g.is_rational_function(u):
        return min((sympy.factor(g), g), key=_looseness)
    found = in_exponential(g)
    return sympy.powsimp(g, combine="exp") if found is None else found


def _looseness(g: Expr) -> tuple[int, float]:
    """How wide g's enclosures are over small cells: how many are infinite, and the sum of the others' widths."""
    cell = on_cell(g, u)
    infinite, total = 0, 0.0
    for k in range(1, 63, 3):
        low, high = cell(k / 64, (k + 1) / 64)
        if math.isfinite(high - low):
            total += high - low
        else:
            infinite += 1
    return infinite, total


def is_identically_zero(g: Expr) -> bool:
    """Whether an expression in u is identically zero: by expansion, after a look at a few points."""
    if g == 0:
        return True
    try:
        value = at_point(g, u)
        for point in chain((Fraction(1, 3), Fraction(5, 7)), telling_points(g)):
            ball = value(point, 200)
            if ball > 0 or ball < 0:
                return False
    except NotImplementedError:
        pass
    return sympy.expand(g) == 0 or sympy.simplify(g) == 0


def telling_points(g: Expr) -> Iterator[Fraction]:
    """Points on every scale around the zeros of g's linear parts: tanh((u - c)/w) is 1 to all appearance elsewhere."""
    for node in g.atoms(Add):
        slope = node.diff(u)
        if slope.is_Rational and slope != 0:
            root = node.subs(u, 0) / -slope
            if root.is_Rational and 0 <= root < 1:
                for k in range(1, 18):
                    yield Fraction(root) + Fraction(37, 10 ** (k + 2))


def in_letters(e: Expr) -> tuple[Expr, dict] | None:
    """An expression with its exponentials as powers of positive letters, and what the letters stand for.

    exp(2 u - 1851/1000) becomes z**2 c: numbers in an exponent share a letter where they are small multiples of a
    common step, because exp(-1851/1000) as a power of exp(1/1000) has degree 1851. None where a degree is too large.

    >>> e, letters = in_letters(exp(3 * u - sympy.Rational(1851, 1000)) + exp(6 * u))
    >>> sorted(map(str, letters.values()))
    ['exp(-1851/1000)', 'exp(3*u)']
    """
    roots = {p: Dummy("r", positive=True) for p in e.atoms(Pow) if p.is_positive and p.is_number and not p.is_Rational}
    e = e.xreplace(roots)
    nodes = sorted(e.atoms(exp, type(sympy.E)), key=str)  # SymPy keeps exp(1) apart from all the others
    parts: dict[Expr, dict[Expr, Expr]] = {n: {} for n in nodes}  # node -> {what is in its exponent: how often}
    for node in nodes:
        terms = Add.make_args(sympy.expand(node.args[0]) if node.args else sympy.Integer(1))
        if len(terms) > LARGEST_DEGREE:  # (1 - u)**625, multiplied out
            return None
        for term in terms:
            count, what = term.as_coeff_Mul()
            if not count.is_Rational:
                return None
            parts[node][what] = parts[node].get(what, 0) + count
    letters: dict[Expr, Dummy] = {}
    powers: dict[Expr, Expr] = dict.fromkeys(nodes, sympy.Integer(1))
    for what in sorted({w for p in parts.values() for w in p}, key=str):
        counts = {n: p[what] for n, p in parts.items() if what in p}
        groups = _with_common_steps(counts.values())
        if len(groups) > 1 and what != 1:
            return None
        for step, members in groups:  # that numbers of two groups may be related is not needed
            step = -step if max(members) < 0 else step
            letter = letters.setdefault(exp(step * what), Dummy("z", positive=True))
            for node, count in counts.items():
                if count in members:
                    powers[node] *= letter ** (count / step)
    numbers = {letter: value for value, letter in roots.items()}
    return e.xreplace(powers), numbers | {letter: value.xreplace(numbers) for value, letter in letters.items()}


def _with_common_steps(counts) -> list[tuple[Rational, set]]:
    """Rational numbers in groups, each with a step of which its members are small multiples."""
    groups: list[tuple[Rational, set]] = []
    for count in sorted(set(counts), key=lambda c: (abs(c), c)):
        for i, (step, members) in enumerate(groups):
            common = _common_step(step, count)
            if max(map(abs, (*members, count))) / common <= LARGEST_DEGREE:
                groups[i] = common, members | {count}
                break
        else:
            groups.append((abs(count), {count}))
    return groups


def _common_step(a: Rational, b: Rational) -> Rational:
    """The largest number of which both are multiples (SymPy's gcd of 2 and 1/3 is 1)."""
    return Rational(math.gcd(int(a.p) * int(b.q), int(b.p) * int(a.q)), int(a.q) * int(b.q))


def factored(e: Expr) -> Expr | None:
    """An expression factored, its exponentials as letters; None where that takes too long.

    >>> factored(exp(2 * u) - 3 * exp(u) + sympy.Rational(9, 4))
    (2*exp(u) - 3)**2/4
    """
    found = in_letters(e)
    if found is None or sympy.count_ops(e) >= 200:
        return None
    written, letters = found
    return sympy.factor(written).xreplace(letters)


def in_exponential(g: Expr) -> Expr | None:
    """An expression rational in exp(c u), factored as such; None for any other.

    >>> in_exponential(exp(2 * u) / (1 + exp(u)) ** 2 - exp(u) / (1 + exp(u)))
    -exp(u)/(exp(u) + 1)**2
    """
    found = in_letters(g)
    if found is None or not any(value.has(u) for value in found[1].values()):
        return None
    written, letters = found
    if written.has(u) or not written.is_rational_function(*letters):
        return None
    return sympy.factor(sympy.together(written)).xreplace(letters)
