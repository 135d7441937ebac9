"""For each coordinate, whether it is 0 or on which stretch: all the choices that a minimiser may have made."""


def all_choices(groups, tables):
    """For every group, how many coordinates are 0 and how many lie on each branch; at most one on a concave branch.

    A choice is a tuple, a group each, of tuples (zeros, count on branch 0, count on branch 1, ...).
    """

    def of_group(index, concave_left):
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


def _compositions(count, kinds, concave_left):
    """(zeros, on branch 0, ...) with sum count."""
    if not kinds:
        yield (count,)
        return

    def rest(i, left, concave):
        if i == len(kinds):
            yield ()
            return
        most = min(left, concave) if kinds[i] == -1 else left
        for k in range(most + 1):
            for more in rest(i + 1, left - k, concave - (k if kinds[i] == -1 else 0)):
                yield (k, *more)

    for branch_counts in rest(0, count, concave_left):
        yield (count - sum(branch_counts), *branch_counts)
