"""For each coordinate, whether it is 0 or on which stretch: all the choices that a minimiser may have made."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from alf.theory.risk.branches import Branch

Group = tuple[Fraction, int]
"""A label weight, and how many labels have it."""

Choice = tuple[tuple[int, ...], ...]
"""For each group: how many coordinates are 0, and how many lie on each branch of its psi."""

Tables = Mapping[Fraction, Sequence[Branch]]
"""The branches of psi for each label weight."""


def all_choices(groups: Sequence[Group], tables: Tables) -> Iterator[Choice]:
    """For every group, how many coordinates are 0 and how many lie on each branch.

    At most one coordinate of all lies on a concave branch, and at least two are positive.
    """

    def of_group(index: int, concave_left: int) -> Iterator[Choice]:
        if index == len(groups):
            yield ()
            return
        x, count = groups[index]
        kinds = [b.bend for b in tables[x]]
        for counts in _compositions(count, kinds, concave_left):
            used = sum(c for c, k in zip(counts[1:], kinds, strict=True) if k == -1)
            for rest in of_group(index + 1, concave_left - used):
                yield (counts, *rest)

    for choice in of_group(0, 1):
        positive = sum(sum(c[1:]) for c in choice)
        if positive >= 2:
            yield choice


def _compositions(count: int, kinds: list[int], concave_left: int) -> Iterator[tuple[int, ...]]:
    """(zeros, on branch 0, ...) with sum count."""
    if not kinds:
        yield (count,)
        return

    def rest(i: int, left: int, concave: int) -> Iterator[tuple[int, ...]]:
        if i == len(kinds):
            yield ()
            return
        most = min(left, concave) if kinds[i] == -1 else left
        for k in range(most + 1):
            for more in rest(i + 1, left - k, concave - (k if kinds[i] == -1 else 0)):
                yield (k, *more)

    for branch_counts in rest(0, count, concave_left):
        yield (count - sum(branch_counts), *branch_counts)
