"""Factoring what holds exponentials, without powers of astronomic degree."""

import sympy
from sympy import Add, Dummy, Expr, Pow, exp

from alf.losses import u

LARGEST_DEGREE = 60
"""Degree in one exponential up to which a polynomial is factored; above that it takes too long."""


def in_letters(e: Expr) -> tuple[Expr, dict] | None:
    """An expression with its exponentials as powers of positive letters, and what the letters stand for.

    exp(2 u - 1851/1000) becomes z**2 c: numbers in an exponent are letters of their own where they have no common
    step, because exp(-1851/1000) as a power of exp(1/1000) has degree 1851. None where a degree is too large.

    >>> e, letters = in_letters(exp(3 * u - sympy.Rational(1851, 1000)) + exp(6 * u))
    >>> sorted(map(str, letters.values()))
    ['exp(-1851/1000)', 'exp(3*u)']
    """
    roots = {p: Dummy("r", positive=True) for p in e.atoms(Pow) if p.is_positive and p.is_number and not p.is_Rational}
    e = e.xreplace(roots)
    nodes = sorted(e.atoms(exp), key=str)
    parts: dict[Expr, dict[Expr, Expr]] = {n: {} for n in nodes}  # node -> {what is in its exponent: how often}
    for node in nodes:
        for term in Add.make_args(sympy.expand(node.args[0])):
            count, what = term.as_coeff_Mul()
            if not count.is_Rational:
                return None
            parts[node][what] = parts[node].get(what, 0) + count
    letters: dict[Expr, Dummy] = {}
    powers: dict[Expr, Expr] = dict.fromkeys(nodes, sympy.Integer(1))
    for what in sorted({w for p in parts.values() for w in p}, key=str):
        counts = {n: p[what] for n, p in parts.items() if what in p}
        step = sympy.gcd_list(list(counts.values()))
        steps = {n: c / step for n, c in counts.items()}
        if max(abs(s) for s in steps.values()) > LARGEST_DEGREE:
            if what != 1:
                return None
            for node, count in counts.items():  # numbers: that they are related is not needed
                letter = letters.setdefault(exp(count), Dummy("c", positive=True))
                powers[node] *= letter
            continue
        letter = letters.setdefault(exp(step * what), Dummy("z", positive=True))
        for node, s in steps.items():
            powers[node] *= letter**s
    numbers = {letter: value for value, letter in roots.items()}
    return e.xreplace(powers), numbers | {letter: value.xreplace(numbers) for value, letter in letters.items()}


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
