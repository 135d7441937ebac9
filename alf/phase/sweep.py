"""Computing a phase map: its blocks are started as runs of an owner of their own, as many as keep the workers busy.

Everything is in the store: which blocks have finished is told by their recipes' keys, that a map was stopped by its
stopped runs. Whoever makes the same `Sweep`, another process too, goes on with it and repeats nothing.

    sweep = Sweep(phase, engine(), reader)
    while (state := sweep.advance()).active:
        time.sleep(0.5)
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property, lru_cache
from itertools import groupby

from alf.errors import InputError
from alf.phase.cell_values import MEASURES, Measured, measured
from alf.phase.phase_map import Cell, PhaseMap
from alf.phase.stages import LANES, Block, blocks, in_order
from alf.phase.state import Started, State, SweepState
from alf.runs import Engine
from alf.runs.database import DatabaseAway
from alf.runs.estimate import about, guessed_seconds
from alf.settings import Settings
from alf.training.recipe import Recipe

__all__ = ["State", "Sweep", "SweepState", "refuse_too_many", "sweep_of"]

AHEAD = 2
"""Blocks that wait or run for each worker: while one is read and the next one chosen, no worker stands still."""
AGAIN = 0.3
"""Seconds between two looks of a map that goes on in the background."""
READ = 0.3
"""Seconds for which one look goes on reading finished blocks; the next one goes on from there."""
ANEW = 3.0
"""Seconds for which an estimate of the time of a block is believed."""


SILENT = "The store of runs has not answered"
"""How the sentence begins that says so."""


class Sweep:
    """Computes a map on an engine for a reader. Thread-safe.

    Parameters
    ----------
    phase
        The map.
    engine
        Where its networks are trained.
    reader
        Whose map this is; another reader who asks for the same one shares what was measured.
    measure
        The quantity by whose changes the map is refined first; which cells there are does not depend on it.

    Raises
    ------
    InputError
        The map has more networks than the installation allows.
    """

    def __init__(self, phase: PhaseMap, engine: Engine, reader: str, measure: str = "last"):
        if measure not in MEASURES:
            raise InputError(f"measure: must be one of {', '.join(MEASURES)}, got {str(measure)[:60]}")
        refuse_too_many(phase, engine.settings)
        self.phase, self.engine, self.measure = phase, engine, measure
        self.owner = f"map-{reader[:120]}-{phase.key}"
        self.blocks = blocks(phase, min(LANES, engine.settings.max_lanes))
        self._cells: dict[Cell, Measured] = {}
        self._read: set[int] = set()  # blocks whose cells are in there
        self._estimate: tuple[float, float] | None = None  # when it was made, seconds a unit of work takes
        self._order: tuple[tuple[int, int], list[Block]] | None = None  # as of which values the rest was put in order
        self._silent: float | None = None  # since when the store has not answered
        self._again: set[int] = set()  # blocks that were stopped or had failed and are to be started again
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    @cached_property
    def _recipes(self) -> dict[str, Block]:
        """The blocks by their recipes' keys."""
        return {self.phase.recipe_of(block.cells).key: block for block in self.blocks}

    def _recipe(self, block: Block) -> Recipe:
        return self.phase.recipe_of(block.cells)

    # -- looking -----------------------------------------------------------------------------------------------------

    def look(self) -> State:
        """Tell how far the map is; nothing is started."""
        return self._answered(lambda: self._state(self._look()))

    def _look(self) -> dict[int, Started]:
        """What was started, by the number of the block; what has finished meanwhile is read."""
        started = self._started()
        end = time.monotonic() + READ
        for block in self.blocks:
            if block.number in self._read or block.number not in started or not started[block.number].finished:
                continue
            self._cells |= self._measured(block, started[block.number])
            self._read.add(block.number)
            if time.monotonic() > end:
                break
        return started

    def _started(self) -> dict[int, Started]:
        found = {}
        for key, rows in groupby(self.engine.store.shares(self.owner), key=lambda row: row.result):
            parts = list(rows)
            if key in self._recipes:
                found[self._recipes[key].number] = Started(parts[0].run, parts[0].stopped, parts)
        return found

    def _measured(self, block: Block, started: Started) -> dict[Cell, Measured]:
        recipe = self._recipe(block)
        ended = {recipe.lanes[int(lane)]: why for part in started.parts for lane, why in part.ended.items()}
        records, _ = self.engine.store.news(recipe.key, 0)  # of the result: a view of it that was stopped ends early
        return measured(self.phase, block.cells, records, ended)

    def _state(self, started: Mapping[int, Started]) -> State:
        phase = self.phase
        lost = {n: why for n, one in started.items() if (why := one.failed) and n not in self._again}
        failed = {cell: why for number, why in lost.items() for cell in self.blocks[number].cells}
        going = {number for number, one in started.items() if one.unfinished and number not in self._read}
        status, message = self._status(started, going, failed)
        return State(
            cells=dict(self._cells),
            going=frozenset(cell for number in going for cell in self.blocks[number].cells),
            failed=failed,
            done=len(self._cells),
            total=len(phase.cells),
            seconds_left=self._seconds_left(started) if status != SweepState.FINISHED else None,
            status=status,
            message=message,
            notes=tuple(sorted({part.note for one in started.values() for part in one.parts if part.note})),
        )

    def _status(
        self, started: Mapping[int, Started], going: set[int], failed: Mapping[Cell, str]
    ) -> tuple[SweepState, str | None]:
        total, done = len(self.phase.cells), len(self._cells)
        why = next(iter(failed.values()), None)
        lost = f"{len(failed)} of {total} cells could not be trained. {why}" if failed else None
        if done + len(failed) == total:
            return SweepState.FINISHED, lost
        if self._halted(started):
            return SweepState.STOPPED, f"Stopped with {done} of {total} cells measured."
        if not started:
            return SweepState.NEW, None
        if any(started[number].running for number in going) or not going:
            return SweepState.RUNNING, lost
        return SweepState.WAITING, self.engine.supervisor.waits_for

    def run_of(self, cell: Cell) -> str | None:
        """The run whose records have a cell's models, by their loss and noise; None where it was not started."""
        with self._lock:
            started = self._started()
        number = next(block.number for block in self.blocks if cell in block.cells)
        return started[number].run if number in started else None

    # -- time --------------------------------------------------------------------------------------------------------

    @property
    def estimate(self) -> float:
        """Seconds that the whole map takes, about, when nothing of it was computed and nothing else is going on."""
        return self._unit() * sum(self._work(block) for block in self.blocks)

    def _seconds_left(self, started: Mapping[int, Started]) -> float:
        epochs = self.phase.recipe.epochs
        left = 0.0
        for block in self.blocks:
            if block.number not in self._read:
                one = started.get(block.number)
                left += self._work(block) * (1.0 - (one.fraction(epochs) if one else 0.0))
        return self._unit() * left

    def _unit(self) -> float:
        """Seconds that a unit of work takes here, by the largest block that was not read yet."""
        now = time.monotonic()
        if self._estimate is None or now - self._estimate[0] > ANEW:
            waiting = [block for block in self.blocks if block.number not in self._read] or self.blocks
            block = max(waiting, key=lambda one: len(one.cells))
            seconds = self.engine.seconds_needed(self._recipe(block)).seconds
            if not seconds:
                seconds = rough_seconds(self._recipe(block), self.engine.settings)
            self._estimate = now, seconds / self._work(block)
        return self._estimate[1]

    def _work(self, block: Block) -> float:
        """What a block costs, in some unit that all blocks share."""
        samples = self.phase.own(block.cells[0]).get("samples", 1.0)
        return len(block.cells) * len(self.phase.recipe.seeds) * samples

    # -- doing -------------------------------------------------------------------------------------------------------

    def advance(self) -> State:
        """Have the workers go on with the map, unless it was stopped, and tell how far it is.

        To call it again, at any time and from anywhere, changes nothing; nothing goes on for long without it. Where the
        store does not answer, what was measured is there all the same, with a sentence.
        """
        return self._answered(self._advance)

    def _answered(self, act: Callable[[], State]) -> State:
        """Do something with the store; where it does not answer, tell what is known without it."""
        with self._lock:
            try:
                state = act()
                self._silent = None
                return state
            except DatabaseAway as error:
                self._silent = self._silent or time.monotonic()
                message = f"{SILENT} for {time.monotonic() - self._silent:.0f} s and is tried again. {error}"
                return replace(self._last(), status=SweepState.WAITING, message=message)

    def _last(self) -> State:
        """What is known without the store."""
        nothing: frozenset[Cell] = frozenset()
        total = len(self.phase.cells)
        return State(dict(self._cells), nothing, {}, len(self._cells), total, None, SweepState.WAITING, None)

    def _advance(self) -> State:
        end = time.monotonic() + READ
        trouble = None
        while True:
            started = self._look()
            if self._halted(started):
                break
            fresh, trouble = self._start_more(started)
            if not fresh:
                break
            if time.monotonic() > end:  # else go on: what was started may have been computed for somebody else
                started = self._started()
                break
        state = self._state(started)
        if trouble and not state.going:
            return replace(state, status=SweepState.WAITING, message=trouble)
        return state

    def _start_more(self, started: Mapping[int, Started]) -> tuple[int, str | None]:
        """Start as many blocks as the workers need; return how many that were, and why there were no more."""
        wanted = min(AHEAD * self.engine.workers, self.engine.settings.max_per_owner)
        wanted -= sum(one.unfinished for one in started.values())
        if wanted <= 0:
            return 0, None
        chosen = self._waiting(started)[:wanted]
        for count, block in enumerate(chosen):
            try:
                self._start_block(block)
            except DatabaseAway:
                raise
            except InputError as error:  # others have taken all places
                return count, f"Waiting for a place in the queue. {error}."
        return len(chosen), None

    def _halted(self, started: Mapping[int, Started]) -> bool:
        """Whether the map was stopped."""
        return any(one.halted for number, one in started.items() if number not in self._again)

    def _start_block(self, block: Block) -> str:
        self._again.discard(block.number)
        return self.engine.start(self._recipe(block), self.owner)

    def _waiting(self, started: Mapping[int, Started]) -> list[Block]:
        """The blocks that are to be started, in order; made anew only when a coarser grid has become clearer."""
        waiting = [block for block in self.blocks if block.number not in started or block.number in self._again]
        if not waiting:
            return []
        level = min(block.level for block in waiting)
        state = level, sum(self.blocks[number].level < level for number in self._read)
        if self._order is None or self._order[0] != state:
            rest = [block for block in self.blocks if block.level >= level]  # one that failed may come again
            self._order = state, in_order(self.phase, rest, self._cells, self.measure)
        numbers = {block.number for block in waiting}
        return [block for block in self._order[1] if block.number in numbers]

    def in_background(self) -> State:
        """Begin or go on as `start` does, and have a thread see to it until the map has ended or was stopped.

        Then nobody need call `advance`. The thread ends with its process; in another one, `advance` goes on.
        """
        state = self.start()
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._go_on, name="alf-map", daemon=True)
                self._thread.start()
        return state

    def _go_on(self) -> None:
        while self.advance().active:
            time.sleep(AGAIN)

    def start(self) -> State:
        """Begin, or go on after a stop; what had failed is tried again."""
        return self._answered(self._start)

    def _start(self) -> State:
        self._again = {number for number, one in self._started().items() if one.failed or one.stopped}
        return self._advance()

    def stop(self) -> State:
        """End this reader's map; what was measured stays, and blocks that others wait for go on for them."""
        return self._answered(self._stop)

    def _stop(self) -> State:
        self._again.clear()
        while True:
            started = self._started()
            going = [one.run for one in started.values() if one.unfinished]
            if not going and not self._halted(started):
                # Between two blocks, the next one that is not done tells whoever comes that the map was stopped.
                going = [self._start_block(block) for block in self._waiting(started)[:1]]
            if not going:
                return self._state(self._look())
            for run in going:
                self.engine.stop(run)


@lru_cache(maxsize=64)
def sweep_of(phase: PhaseMap, engine: Engine, reader: str, measure: str = "last") -> Sweep:
    """The one `Sweep` of a reader's map in this process, which keeps what it has read."""
    return Sweep(phase, engine, reader, measure)


def rough_seconds(recipe: Recipe, settings: Settings) -> float:
    """About how long so many networks take in this installation, whatever was trained here before."""
    lanes = len(recipe.lanes)
    return recipe.epochs * guessed_seconds(recipe, lanes) / settings.workers


def refuse_too_many(phase: PhaseMap, settings: Settings) -> None:
    """Refuse a map that is too large for this installation, before anything of it is computed.

    Raises
    ------
    InputError
        It names the limit, the number of networks and about how long they would take.
    """
    if phase.recipe.epochs > settings.max_epochs:
        raise InputError(f"epochs: at most {settings.max_epochs} in one run here, got {phase.recipe.epochs}")
    if len(phase.recipe.seeds) > settings.max_lanes:
        raise InputError(f"seeds: at most {settings.max_lanes} models in one run, got {len(phase.recipe.seeds)}")
    if phase.networks <= settings.max_cells:
        return
    few = phase.recipe_of(phase.cells[:1])
    each = rough_seconds(few, settings) / len(few.lanes)
    raise InputError(
        f"map: at most {settings.max_cells:,} networks (cells x losses x seeds) in one map here, got "
        f"{phase.networks:,}, which would take {about(each * phase.networks)}"
    )
