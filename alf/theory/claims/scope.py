"""For which hyperparameters a verdict holds, and where in a typed domain it stops holding.

A proof covers a cell of the parameter space, which is open; a typed domain ``[lo, hi]`` is closed. So each end that
belongs to the domain is asked about on its own, the other hyperparameters ranging as before, and either joins what is
proved or is named with what happens there. Where no proof covers the cell, the values around the reader's are certified
box by box, and the first value at which the claim fails is named with the points that show it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import product

from sympy import Expr, oo

from alf.errors import InputError
from alf.losses import Loss
from alf.losses.domain import Parameter
from alf.numbers import as_rational, decimal, in_digits
from alf.theory.curve.families import family_of, stretches
from alf.theory.curve.parameter_cell import Cell, sign_steps
from alf.theory.curve.shape import single
from alf.theory.ratios.ratio import Ratio
from alf.theory.verdict import Status, Step, Verdict

ORDERS = {"decreasing": (1, (-1,)), "convex": (2, (0, 1)), "concave": (2, (-1, 0))}
"""Of which derivative a claim about the shape needs which signs."""


MOST_MOVING = 3
"""Hyperparameters up to which every corner of a closed domain is asked about."""


@dataclass(frozen=True)
class Side:
    """The values of one hyperparameter; an end that belongs to them is `closed`."""

    parameter: Parameter
    low: Expr
    high: Expr
    closed: tuple[bool, bool] = (False, False)

    def __str__(self) -> str:
        name, (first, last) = self.parameter.name, self.closed
        if self.low == self.high:
            return f"{name} = {_written(self.low)}"
        if self.high == oo:
            return f"{name} {'>=' if first else '>'} {_written(self.low)}"
        if self.low == -oo:
            return f"{name} {'<=' if last else '<'} {_written(self.high)}"
        signs = [" <= " if closed else " < " for closed in self.closed]
        return f"{_written(self.low)}{signs[0]}{name}{signs[1]}{_written(self.high)}"


def _written(value: Expr) -> str:
    return decimal(value) if value.is_Rational else str(value)


def stated(claim: str, loss: Loss, verdict: Verdict, decide: Callable[[Loss], Verdict]) -> Verdict:
    """The verdict with the domain it holds on under ``domain``, and in a typed domain a step that says where it stops.

    Parameters
    ----------
    decide : callable
        The same question about another loss of the family.

    Examples
    --------
    >>> from alf.losses import parse
    >>> from alf.theory import prove
    >>> [prove("decreasing", parse(spec)).data["domain"] for spec in ("ael:a=2", "formula:a*(1-u);a=1[0,2]")]
    ['for all a > 0', 'for all 0 < a <= 2']
    """
    if not loss.declaration.parameters:
        return at_its_values(loss, verdict)
    if verdict.status == Status.PROVED and Cell(loss).free and _on_the_cell(loss, verdict):
        sides, outside = _closed(loss, decide)
        steps = tuple(_outside_step(claim, name, value, found) for name, value, found in outside)
        verdict = replace(verdict, data={**verdict.data, "domain": "for all " + ", ".join(map(str, sides))})
    else:
        steps = tuple(filter(None, (_along(claim, loss, p, decide) for p in _typed(loss)))) if claim in ORDERS else ()
        verdict = at_its_values(loss, verdict)
    # the last step is the one that decided
    return replace(verdict, steps=(*verdict.steps[:-1], *steps, *verdict.steps[-1:]))


def at_its_values(loss: Loss, verdict: Verdict) -> Verdict:
    """The verdict with the hyperparameters' values as the domain it holds on."""
    values = ", ".join(f"{name} = {_written(value)}" for name, value in loss.values.items())
    return replace(verdict, data={**verdict.data, "domain": f"at {values}" if values else "for the loss as it is"})


def ratio_domain(loss: Loss, ratio: Ratio) -> str:
    """For which hyperparameters a ratio's proof holds: the open cell, or the values as they are.

    >>> from alf.losses import parse
    >>> from alf.theory import ratio
    >>> [ratio_domain(x, ratio(x)) for x in map(parse, ("agce:a=0.6,q=0.6", "aul:a=2,p=3", "mae", "agce:a=2,q=1"))]
    ['for all a > 0, 0 < q < 1', 'for all a > 1, p > 1', 'for all scale > 0', 'for all a > 0, q = 1']
    """
    part = single(loss)
    if not part.declaration.parameters:
        return "for the loss as it is"
    if not (Cell(part).free and _on_the_cell(part, ratio)):
        return "for these hyperparameters"
    sides = [str(Side(s.parameter, s.lower, s.upper, (s.point, s.point))) for s in Cell(part).sides]
    return "for all " + ", ".join(sides) + ("" if part == loss else ", with these weights")


def everywhere(loss: Loss, verdict: Verdict) -> bool:
    """Whether a verdict holds for every value of a typed domain, its ends included.

    >>> from alf.losses import parse
    >>> from alf.theory import prove
    >>> [everywhere(x, prove("decreasing", x)) for x in map(parse, ("a*(1-u);a=1[0,2]", "a*(1-u);a=1.5[1,2]"))]
    [False, True]
    """
    sides = [Side(p, p.domain.lower, p.domain.upper, (True, True)) for p in _typed(loss)]
    return bool(sides and verdict.holds) and verdict.data.get("domain") == "for all " + ", ".join(map(str, sides))


def _on_the_cell(loss: Loss, verdict: Verdict | Ratio) -> bool:
    """Whether the argument rests on signs that are proved for the whole cell."""
    return loss.pointwise and any(one in verdict.steps for one in sign_steps(loss, 1, 2))


def _closed(loss: Loss, decide) -> tuple[list[Side], list[tuple[str, Expr, Verdict | None]]]:
    """The cell with those ends of the domain at which the claim holds too, and the ends at which it does not."""
    sides = [Side(s.parameter, s.lower, s.upper, (s.point, s.point)) for s in Cell(loss).sides]
    moving = [i for i, side in enumerate(sides) if side.low != side.high and _ends(side)]
    outside: list[tuple[str, Expr, Verdict | None]] = []
    if not moving or len(moving) > MOST_MOVING:
        return sides, outside
    ends = {i: list(_ends(sides[i])) for i in moving}
    for choice in sorted(product(*((None, *ends[i]) for i in moving)), key=lambda c: sum(x is not None for x in c)):
        at = {i: value for i, value in zip(moving, choice, strict=True) if value is not None}
        if not at or any(value not in ends[i] for i, value in at.items()):
            continue  # the cell itself, or a corner of an end that is left out
        verdict = _asked(decide, loss, {sides[i].parameter.name: value for i, value in at.items()})
        if verdict is None or not verdict.holds or verdict.status != Status.PROVED:
            i, value = next(iter(at.items()))
            ends[i].remove(value)
            outside.append((sides[i].parameter.name, value, verdict))
    for i in moving:
        sides[i] = replace(sides[i], closed=(sides[i].low in ends[i], sides[i].high in ends[i]))
    return sides, outside


def _ends(side: Side):
    """The ends of a side that are ends of the domain and belong to it."""
    domain = side.parameter.domain
    return [end for end in (side.low, side.high) if end in (domain.lower, domain.upper) and end in domain]


def _asked(decide, loss: Loss, values: dict[str, Expr]) -> Verdict | None:
    try:
        return decide(loss.replace(**values))
    except InputError:  # there is no loss there
        return None


def _outside_step(claim: str, name: str, value: Expr, verdict: Verdict | None) -> Step:
    where = f"At {name} = {_written(value)}"
    if verdict is None:
        return Step(f"{where} the formula is not a loss.")
    if verdict.holds is False:
        return Step(f"{where} the claim does not hold: {_shown(verdict)}")
    if verdict.status == Status.NOT_DEFINED:
        return Step(f"{where} the claim is not defined: {verdict.steps[-1].statement}")
    if verdict.holds:
        return Step(f"{where} the claim is certified, the other hyperparameters as they are.")
    return Step(f"{where} the claim is not settled.")


def _shown(verdict: Verdict | None) -> str:
    assert verdict is not None  # only a claim that fails is shown
    witness = verdict.witness
    if witness is None:
        return verdict.steps[-1].statement
    point = ", ".join(str(x) for x in witness.point)
    numbers = [
        f"{label} is {value:.8g}" for label, value in zip(witness.labels, (witness.value, witness.bound), strict=True)
    ]
    return f"{witness.statement[:-1]} ({point}): {', '.join(numbers)}."


def _typed(loss: Loss) -> tuple[Parameter, ...]:
    return loss.declaration.parameters if loss.key == "formula" else ()


def _along(claim: str, loss: Loss, parameter: Parameter, decide) -> Step | None:
    """Where along one hyperparameter of a typed loss a claim about its shape holds, and a value at which it fails."""
    family = family_of(loss, parameter.name)
    low, high = Fraction(parameter.domain.lower), Fraction(parameter.domain.upper)
    if family is None or low == high:
        return None
    order, wanted = ORDERS[claim]

    @cache
    def at(x: Fraction) -> Verdict | None:
        return _asked(decide, loss, {parameter.name: as_rational(x)})

    def certain(a: Fraction, b: Fraction) -> bool | None:
        return True if family.sign(order, a, b) in wanted else None

    intervals = [(a, b) for a, b, found in stretches(low, high, certain) if found]
    mine = Fraction(loss.values[parameter.name])
    others = "" if len(loss.values) == 1 else ", the other hyperparameters as they are"
    name = parameter.name
    here = next((i for i in intervals if i[0] <= mine <= i[1]), None)
    if here is not None and here == (low, high):
        return Step(f"It holds for all {Side(parameter, parameter.domain.lower, parameter.domain.upper, (True, True))}"
                    f"{others}: certified on boxes of (u, {name}).", status=Status.CERTIFIED)  # fmt: skip
    told = []
    for a, b in intervals:
        a, fails_below = (a, None) if a == low else _pushed(a, low, at, certain)
        b, fails_above = (b, None) if b == high else _pushed(b, high, at, certain)
        told.append(f"from {in_digits(a, 6, 1)} to {in_digits(b, 6, -1)}")
        for x in (fails_below, fails_above):
            if x is not None:
                told[-1] += f" (at {name} = {float(x):.6g} it fails: {_shown(at(x))[:-1]})"
    if not told:
        if _fails(at(mine)):
            return None
        failing = next((x for x in (low, high, (low + high) / 2) if x != mine and _fails(at(x))), None)
        if failing is None:
            return None
        return Step(f"At {name} = {float(failing):.6g}{others} it fails: {_shown(at(failing))}")
    return Step(f"It holds for {name} {', and '.join(told)}{others}.", status=Status.CERTIFIED)


def _fails(verdict: Verdict | None) -> bool:
    return verdict is not None and verdict.holds is False


def _pushed(edge: Fraction, limit: Fraction, at, certain) -> tuple[Fraction, Fraction | None]:
    """The end of a certified stretch moved as far as it can be shown, and a value beyond at which the claim fails."""
    shown = next((x for x in (limit, edge + (limit - edge) / 64) if _fails(at(x))), None)
    beyond = limit if shown is None else shown
    for _ in range(24):
        middle = ((edge + beyond) / 2).limit_denominator(10**6)
        if not min(edge, beyond) < middle < max(edge, beyond):
            break
        if certain(*sorted((edge, middle))):
            edge = middle
        else:
            beyond = middle
    return edge, shown
