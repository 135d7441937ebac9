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
    most = min(count, concave_left) if kinds[0] == -1 else count
    for k in range(most + 1):
        for zeros, *others in _compositions(count - k, kinds[1:], concave_left - (k if kinds[0] == -1 else 0)):
            yield (zeros, k, *others)
