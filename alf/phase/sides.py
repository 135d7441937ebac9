"""How often networks do what the theorem says of the best prediction: the share of cells that lie on its side.

The theorem is about the minimiser of the weighted risk. Where a loss tolerates the noise, that minimiser has all its
confidence in the clean class; where nothing holds it back (cross entropy), it repeats the labels as they were given:
its confidence is 1 less the share of flipped labels. The threshold lies half way between these two, so that it follows
from the noise alone and favours neither side.

Beyond the limit, but near it, the minimiser itself is still above the threshold: there a network that follows theory to
the letter is counted as one that does not. The share is a lower bound for theory in that sense.
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from alf.noise import Noise, parse_noise
from alf.phase.cell_values import Measured
from alf.phase.phase_map import Cell, PhaseMap
from alf.phase.theory import Critical, Question, of_cell, question

CONFIDENCE = 1.959963984540054
"""Of a standard normal variable, 95% lie within so many standard deviations."""


@dataclass(frozen=True)
class Sides:
    """How many cells lie on the side that the theorem says.

    Attributes
    ----------
    counts
        (tolerated by theory, confidence above the threshold) -> cells.
    left_out
        Why cells were not counted -> how many.
    """

    counts: Mapping[tuple[bool, bool], int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def counted(self) -> int:
        """How many cells were counted."""
        return sum(self.counts.values())

    @property
    def agree(self) -> int:
        """How many of them lie on the side that the theorem says."""
        return sum(count for (tolerated, above), count in self.counts.items() if tolerated == above)

    @property
    def share(self) -> float | None:
        """Their share; None where no cell was counted."""
        return self.agree / self.counted if self.counted else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's 95% interval of the share, as if cells were independent draws; neighbours are not."""
        return wilson(self.agree, self.counted)


def wilson(hits: int, count: int) -> tuple[float, float] | None:
    """The 95% interval of a share, by Wilson's score.

    >>> tuple(round(end, 4) for end in wilson(9, 10)), wilson(0, 0)
    ((0.5958, 0.9821), None)
    """
    if not count:
        return None
    z2, share = CONFIDENCE**2, hits / count
    middle, half = share + z2 / (2 * count), CONFIDENCE * math.sqrt((share * (1 - share) + z2 / (4 * count)) / count)
    low, high = ((middle + side * half) / (1 + z2 / count) for side in (-1, 1))
    return (max(0.0, low) if hits else 0.0), (min(1.0, high) if hits < count else 1.0)  # there but for rounding


def threshold(noise: Noise) -> float | None:
    """The confidence half way between 1 and that of whoever repeats the given labels; None where there is no matrix.

    >>> threshold(parse_noise("pair:0.4", 10)), threshold(parse_noise("asymmetric:0.4", 10, "digits"))
    (0.8, 0.9)
    """
    overall = noise.overall_rate
    return None if overall is None else 1 - float(overall) / 2


def sides(phase: PhaseMap, cells: Mapping[Cell, Measured], answers: Mapping[Question, Critical]) -> Sides:
    """Count the cells of a map on either side of theory and of the threshold.

    Parameters
    ----------
    phase
        The map.
    cells
        What was measured; cells that were not are not counted.
    answers
        What theory says, see `alf.phase.theory`.
    """
    counts: Counter[tuple[bool, bool]] = Counter()
    left_out: Counter[str] = Counter()
    for cell, one in cells.items():
        said = of_cell(phase, cell, answers)
        noise = parse_noise(phase.noise(cell), question(phase, cell).classes, phase.data(cell))
        limit, confidence = threshold(noise), one.mean("confidence")
        if said is None or said.tolerated is None or limit is None:
            left_out["theory does not decide"] += 1
        elif limit == 1:
            left_out["nothing is flipped"] += 1
        elif confidence is None:
            left_out["no confidence was measured"] += 1
        else:
            counts[said.tolerated, confidence >= limit] += 1
    return Sides(dict(counts), dict(left_out))
