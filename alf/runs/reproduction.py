"""Do we reproduce the published numbers? What was measured here beside what others have printed, cell by cell.

A cell is a loss under a noise. It says that a number is reproduced only where the whole protocol was run, with as many
seeds: what was trained for fewer epochs or on part of the data says how far it departs, and never more.

>>> beyond(90.0, 0.3, 90.5, 0.4), beyond(90.0, 0.1, 90.5, 0.1), beyond(90.0, None, 90.5, 0.4)
(False, True, None)
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import combinations
from statistics import fmean, stdev

from alf.data import dataset
from alf.errors import InputError
from alf.noise import parse_noise
from alf.runs.measured import Measured, Model, measured
from alf.runs.store import Store
from alf.training.protocols import protocol_of
from alf.training.published import NOISES, SEEDS, Method, Published, departures, methods, numbers
from alf.training.recipe import Recipe
from alf.training.recipes import PAPER

SPREADS = 2.0
"""Two accuracies differ when they are further apart than so many of their combined spread √(s₁² + s₂²)."""
MOST_NOISES = 12
NIGHT = 10 * 3600.0
"""Seconds: what is longer is for a bigger machine."""


class Outcome(StrEnum):
    """What can be said of a measured cell and a published number."""

    REPRODUCED = "reproduced"
    DIFFERENT = "not reproduced"
    UNKNOWN = "spread unknown"  # of the source: how far apart is too far cannot be said
    PARTIAL = "part of the protocol"  # or another one: never called a reproduction


@dataclass(frozen=True)
class Ours:
    """The models of a cell that have come to their end, by seed.

    Attributes
    ----------
    accuracies
        Seed -> test accuracy at the last epoch in percent.
    epochs
        The fewest epochs that one of them was trained.
    ended
        Why models ended early, each reason once.
    """

    accuracies: Mapping[int, float]
    epochs: int
    ended: tuple[str, ...] = ()

    @property
    def mean(self) -> float:
        """Mean accuracy over the seeds."""
        return fmean(self.accuracies.values())

    @property
    def spread(self) -> float | None:
        """Standard deviation of single models (divisor n - 1, as in the code of the sources); None for one seed."""
        return stdev(self.accuracies.values()) if len(self.accuracies) > 1 else None


@dataclass(frozen=True)
class Comparison:
    """Ours beside one published number: the difference in points, whether it is beyond the spread, and the outcome."""

    theirs: Published
    difference: float
    outside: bool | None
    outcome: Outcome


@dataclass(frozen=True)
class Cell:
    """A loss under a noise: what was measured here, what others have printed, and what is missing.

    Attributes
    ----------
    ours
        What has been measured; None while no model has come to its end.
    missing
        Seeds asked for of which nothing is here and nothing is going on.
    going
        The epoch of the hindmost model that waits or is trained; None where there is none.
    partial
        Where ours departs from what was published, in words; empty where it does not. See `Method.differs` too.
    """

    method: Method
    noise: str
    ours: Ours | None
    theirs: tuple[Published, ...]
    missing: tuple[int, ...]
    going: int | None = None
    partial: tuple[str, ...] = ()

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """Ours beside each published number."""
        return tuple(self._compared(number) for number in self.theirs) if self.ours else ()

    def _compared(self, number: Published) -> Comparison:
        assert self.ours is not None
        mean, spread = self.ours.mean, self.ours.spread
        outside = beyond(mean, spread, number.mean, number.spread)
        judged = {True: Outcome.DIFFERENT, False: Outcome.REPRODUCED, None: Outcome.UNKNOWN}[outside]
        return Comparison(number, mean - number.mean, outside, judged if self.comparable else Outcome.PARTIAL)

    @property
    def comparable(self) -> bool:
        """Whether ours is the experiment that was published, so that the numbers can be judged."""
        return self.ours is not None and not self.partial and not self.method.differs

    @property
    def disputed(self) -> bool:
        """Whether publications are further apart than their own spreads explain."""
        return any(beyond(a.mean, a.spread, b.mean, b.spread) for a, b in combinations(self.theirs, 2))


def beyond(mean: float, spread: float | None, other: float, other_spread: float | None) -> bool | None:
    """Whether two means are further apart than `SPREADS` combined spreads; None where a spread is not known."""
    if spread is None or other_spread is None:
        return None
    return abs(mean - other) > SPREADS * math.hypot(spread, other_spread)


@dataclass(frozen=True)
class Table:
    """Methods x noises of a data set, trained by one protocol.

    Attributes
    ----------
    protocol
        How ours were trained, see `alf.training.protocols`.
    seeds
        The seeds that were asked for.
    departs
        Where the protocol departs from that of the published numbers, in words.
    cells
        Method by method, then noise by noise.
    """

    protocol: Recipe
    seeds: tuple[int, ...]
    methods: tuple[Method, ...]
    noises: tuple[str, ...]
    departs: tuple[str, ...]
    cells: tuple[Cell, ...] = field(repr=False)

    def cell(self, method: Method, noise: str) -> Cell:
        """The cell of a method and a noise."""
        return self.cells[self.methods.index(method) * len(self.noises) + self.noises.index(noise)]

    @property
    def sources(self) -> tuple[str, ...]:
        """Where the published numbers of the table are printed."""
        return tuple(dict.fromkeys(number.source for cell in self.cells for number in cell.theirs))

    def recipe(self, cell: Cell, device: str = "auto") -> Recipe:
        """What trains the missing seeds of a cell."""
        if cell.method.loss is None or not cell.missing:
            raise InputError(f"cell: a loss of the catalogue with missing seeds is needed, got {cell.method.name}")
        return self.protocol.with_(losses=(cell.method.loss,), noise=(cell.noise,), seeds=cell.missing, device=device)

    def missing(self, most: int, device: str = "auto") -> tuple[Recipe, ...]:
        """What trains all that is missing, in recipes of at most so many models."""
        noises: defaultdict[tuple[str, tuple[int, ...]], list[str]] = defaultdict(list)
        for cell in self.cells:
            if cell.method.loss and cell.missing:
                noises[cell.method.loss, cell.missing].append(cell.noise)
        losses: defaultdict[tuple[tuple[str, ...], tuple[int, ...]], list[str]] = defaultdict(list)
        for (loss, seeds), lacking in noises.items():
            losses[tuple(lacking), seeds].append(loss)
        found = []
        for (under, seeds), specs in losses.items():
            columns = max(1, min(len(under), most // len(seeds)))
            for part in _shares(under, columns):
                rows = max(1, most // (len(part) * len(seeds)))
                changes = {"noise": part, "seeds": seeds, "device": device}
                found += [self.protocol.with_(losses=chosen, **changes) for chosen in _shares(specs, rows)]
        return tuple(found)

    def whole(self, device: str = "auto") -> Recipe:
        """The recipe of the whole table: everything of it that can be trained here, for a bigger machine."""
        specs = tuple(method.loss for method in self.methods if method.loss)
        return self.protocol.with_(losses=specs, noise=self.noises, seeds=self.seeds, device=device)


def _shares(values: Sequence[str], most: int) -> Iterator[tuple[str, ...]]:
    """The values in groups of at most so many."""
    return (tuple(values[start : start + most]) for start in range(0, len(values), most))


def columns(data: str, specs: Sequence[str]) -> tuple[str, ...]:
    """Check a noise grid, each noise once and in canonical form; without one it is the paper's.

    >>> columns("cifar10", ["symmetric:.40", "none", "symmetric:0.4"])
    ('symmetric:0.4', 'none')
    """
    found = tuple(dict.fromkeys(parse_noise(spec, dataset(data).classes, data).spec for spec in specs or NOISES))
    if len(found) > MOST_NOISES:
        raise InputError(f"noise: at most {MOST_NOISES} in one table, got {len(found)}")
    return found


def lookup(store: Store, data: str, noises: Sequence[str]) -> Measured:
    """Look up what has been measured here of the losses of a data set's table."""
    return measured(store, data, {method.loss for method in methods(data) if method.loss}, set(noises))


def table(protocol: Recipe, noises: Sequence[str], seeds: Sequence[int], found: Measured) -> Table:
    """Put what was measured by a protocol beside what was published.

    Parameters
    ----------
    protocol
        How ours are trained.
    noises
        The columns.
    seeds
        The seeds asked for; others that were measured count too.
    found
        What was measured, see `alf.runs.measured`.
    """
    protocol = protocol_of(protocol)
    models = found.get(protocol, {})
    departs = departures(protocol) if protocol.data in PAPER else ()
    by_case: defaultdict[tuple[Method, str], list[Published]] = defaultdict(list)
    for number in numbers(protocol.data):
        by_case[number.method, number.noise].append(number)
    rows = methods(protocol.data)
    cells = []
    for method in rows:
        for noise in noises:
            theirs = tuple(by_case[method, noise])
            mine = {lane.seed: m for lane, m in models.items() if (lane.loss, lane.noise) == (method.loss, noise)}
            cells.append(_cell(method, noise, theirs, mine, tuple(seeds), departs))
    return Table(protocol, tuple(seeds), rows, tuple(noises), departs, tuple(cells))


def _cell(
    method: Method,
    noise: str,
    theirs: tuple[Published, ...],
    mine: Mapping[int, Model],
    seeds: tuple[int, ...],
    departs: tuple[str, ...],
) -> Cell:
    done = {seed: m for seed, m in sorted(mine.items()) if m.finished and m.accuracy is not None}
    going = [m.epoch for m in mine.values() if m.going]
    missing = tuple(seed for seed in seeds if seed not in done and not (seed in mine and mine[seed].going))
    ours, why = None, departs
    if done:
        ended = tuple(dict.fromkeys(m.ended for m in done.values() if m.ended))
        accuracies = {seed: 100 * m.accuracy for seed, m in done.items() if m.accuracy is not None}
        ours = Ours(accuracies, min(m.epoch for m in done.values()), ended)
        few = f"{len(done)} seed{'s' if len(done) > 1 else ''} instead of {SEEDS}"
        why = (*departs, *((few,) if len(done) < SEEDS else ()), *ended)
    trainable = missing if method.loss is not None else ()
    return Cell(method, noise, ours, theirs, trainable, min(going, default=None), why if ours else ())
