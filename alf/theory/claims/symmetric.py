"""The claim symmetric: the losses over all labels sum to a constant."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice

import sympy
from sympy import Expr, diff

from alf.losses import Loss, u
from alf.theory.curve.derivative import is_identically_zero, telling_points
from alf.theory.curve.pieces import smooth_pieces
from alf.theory.curve.shape import shape_of
from alf.theory.risk.structure import Structure, structure_of
from alf.theory.verdict import Verdict, Witness, holds, refuted, step, undecided
from alf.theory.witnesses.kinds import sum_function
from alf.theory.witnesses.witness import clearest, witness


def symmetric(loss: Loss, classes: int) -> Verdict:
    """Whether sum_i L(u, i) is the same for every prediction u.

    >>> from alf.losses import parse
    >>> symmetric(parse("mae"), 10).holds, symmetric(parse("mse"), 10).holds
    (True, False)
    """
    structure = structure_of(loss, classes)
    if structure is None:
        return undecided("symmetric", "No rule covers this form of loss.")
    f = sum_function(structure)
    steps = []
    if structure.normalised:
        steps.append(step("The normalised part sums to a constant by construction."))
    steps.append(step("sum_i L(u, i) = constant + sum_i f(u_i) with this f:", f, latex="f(u) = " + sympy.latex(f)))
    flat = _affine(f) if classes > 2 else _constant(f + f.subs(u, 1 - u))
    if flat:
        text = "f is linear, so the sum is constant" if classes > 2 else "f(t) + f(1-t) is constant"
        steps.append(step(text + ": symmetric.", theorem="constant-sum"))
        return holds("symmetric", steps)
    found = _two_sums(structure)
    if found is None:
        return undecided("symmetric", "Neither two points with different sums nor an identity was found.", steps)
    return refuted("symmetric", steps, found)


def _affine(f: Expr) -> bool:
    shape = shape_of(f)
    slopes = {diff(p.expression, u) for p in shape.pieces}
    return (
        shape.located
        and all(is_identically_zero(diff(p.expression, u, 2)) for p in shape.pieces)
        and (shape.smooth or len(slopes) == 1)
    )


def _constant(f: Expr) -> bool:
    pieces, located = smooth_pieces(f)
    return located and all(is_identically_zero(diff(p.expression, u)) for p in pieces)


def _two_sums(structure: Structure) -> Witness | None:
    """A point of the simplex over which the sum differs from that at the uniform prediction."""
    shares = [Fraction(1, 2), Fraction(1, 3), Fraction(3, 4), Fraction(1, 5), Fraction(9, 10), Fraction(2, 7)]
    shape = shape_of(sum_function(structure))
    shares += [(piece.lo + piece.hi) / 2 for piece in shape.pieces[:20]]  # a tent may be narrow
    shares += [kink.lo for kink in shape.kinks[:20]]
    shares += islice(telling_points(shape.expression), 60)  # and a steep step flat to all appearance elsewhere
    points = (point for share in shares for point in _predictions(share, structure.classes))
    return clearest(witness("sums", structure, point) for point in points)


def _predictions(share: Fraction, classes: int) -> Iterator[tuple[Fraction, ...]]:
    """One share given, the rest in equal shares or in shares that rise evenly."""
    yield (share, *[(1 - share) / (classes - 1)] * (classes - 1))
    yield (share, *((1 - share) * 2 * Fraction(i, classes * (classes - 1)) for i in range(1, classes)))
