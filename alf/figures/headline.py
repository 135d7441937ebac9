"""Who leads, in words and in bold: one rule for the titles of figures and for the bold rows of the tables beside them.

Two results are told apart when their means lie further apart than their standard deviations over the seeds add up to,
so when the bands drawn around them do not touch. One seed has no spread: nobody is said to lead then, and nothing is
bold.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from alf.figures.base import names
from alf.numbers import apart

MOST_NAMED = 3


@dataclass(frozen=True)
class Result:
    """What a loss came to: its `name`, the `mean` and the deviation `std` over so many `seeds`."""

    name: str
    mean: float
    std: float
    seeds: int


def told_apart(one: Result, other: Result) -> bool:
    """Whether two results differ by more than their spreads; never where one of them has no spread.

    >>> told_apart(Result("AEL", 0.90, 0.05, 3), Result("GCE", 0.88, 0.01, 3))
    False
    >>> told_apart(Result("AEL", 0.90, 0.05, 3), Result("CE", 0.57, 0.05, 3))
    True
    """
    return min(one.seeds, other.seeds) > 1 and abs(one.mean - other.mean) > one.std + other.std


def leaders(results: Sequence[Result]) -> list[int]:
    """The numbers of the results that lead: the highest one, and all that cannot be told apart from it.

    Empty where nobody leads: fewer than two results, one without a spread, or none that can be told from the highest.

    >>> leaders([Result("CE", 0.57, 0.05, 3), Result("GCE", 0.88, 0.01, 3), Result("AEL", 0.90, 0.05, 3)])
    [1, 2]
    """
    if len(results) < 2 or any(result.seeds < 2 for result in results):
        return []
    best = max(results, key=lambda result: result.mean)
    found = [i for i, result in enumerate(results) if not told_apart(best, result)]
    return found if len(found) < len(results) else []


def ranking(results: Sequence[Result], one: str = "ends at", many: str = "end at") -> str:
    """A sentence on who leads, or that nobody does.

    >>> ce, ael = Result("CE", 0.57, 0.05, 3), Result("AEL", 0.9, 0.05, 3)
    >>> ranking([ce, ael])
    'AEL leads with 90%'
    >>> ranking([ael, Result("GCE", 0.88, 0.01, 3)])
    'AEL and GCE cannot be told apart: 88% to 90%'
    >>> ranking([Result("CE", 0.57, 0.0, 1), Result("AEL", 0.9, 0.0, 1)])
    'With one seed no spread is known: CE ends at 57%, AEL at 90%'
    """
    if len(results) == 1:
        return f"{results[0].name} {one} {results[0].mean:.0%}"
    if any(result.seeds < 2 for result in results):
        if len(results) <= MOST_NAMED:
            first, *others = results
            said = [f"{first.name} {one} {first.mean:.0%}", *(f"{r.name} at {r.mean:.0%}" for r in others)]
            return f"With one seed no spread is known: {', '.join(said)}"
        return f"With one seed no spread is known: the {len(results)} losses {many} {_range(results)}"
    lead = leaders(results)
    if not lead:
        return f"{_who(results, len(results))} cannot be told apart: {_range(results)}"
    return leading([results[i] for i in lead], len(results), results)


def leading(first: Sequence[Result], of: int, results: Sequence[Result] = ()) -> str:
    """A clause on those that lead, of so many."""
    if len(first) > 1:
        return f"{_who(first, of)} cannot be told apart at {_range(first)}"
    others = [result for result in results if result is not first[0]]
    second = max(others, key=lambda result: result.mean, default=None)
    share = f"{first[0].mean:.0%}" if second is None else apart(first[0].mean, second.mean)[0]
    return f"{first[0].name} leads with {share}"


def _who(results: Sequence[Result], of: int) -> str:
    if len(results) <= MOST_NAMED:
        return names([result.name for result in results])
    return f"The {of} losses" if len(results) == of else f"{len(results)} of the {of} losses"


def _range(results: Sequence[Result]) -> str:
    low, high = min(r.mean for r in results), max(r.mean for r in results)
    return f"about {high:.0%}" if f"{low:.0%}" == f"{high:.0%}" else f"{low:.0%} to {high:.0%}"
