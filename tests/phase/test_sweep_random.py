"""Sweeps over a real store with workers that compute nothing, in random orders, with stops, failures and new processes.

What each network "comes to" is a number made from its loss, noise and seed, so that a value in the wrong cell is seen.
"""

import os
import random
import zlib
from collections import Counter

import pytest

from alf.phase import PhaseMap
from alf.phase.sweep import AHEAD, Sweep, SweepState
from alf.runs import Store
from alf.runs.estimate import Estimate
from alf.settings import Settings
from alf.training.parts import share_out
from alf.training.recipe import Recipe
from alf.training.records import METRICS
from tests.phase.maps import any_map
from tests.runs.fakes import take

MANY = 60 if os.environ.get("ALF_SOAK") == "1" else 6


class FakeEngine:
    """An engine whose workers are the test."""

    def __init__(self, settings):
        self.settings, self.store, self.workers = settings, Store(settings.store), 2
        self.supervisor, self.waits_for = self, "Waiting for a free worker."
        self.computed = Counter()

    def start(self, recipe, owner):
        shares = share_out(recipe, self.workers)
        return self.store.start(recipe, owner, shares, None, self.settings.max_queued, self.settings.max_per_owner)

    def stop(self, run):
        self.store.stop(run)

    def seconds_needed(self, recipe):
        return Estimate(10.0)

    def work(self, random, waiting):
        """Compute a part from start to end, or let it fail, or let its networks diverge."""
        lease, row = take(self.store, random.choice(waiting))
        lanes = Recipe.from_dict(row.recipe).lanes
        if random.random() < 0.1:
            lease.fail("Out of memory.")
            return
        if zlib.crc32(f"{row.result} {row.number}".encode()) % 10 == 0:  # these always do
            lease.write([], 1, 1.0, dict.fromkeys(row.lanes, "Diverged in epoch 1: the loss is nan."))
            lease.fail("All models that one worker trained have diverged.")
            return  # they are tried again for whoever starts their block later
        for epoch in (1, 2):
            values = [{"lane": i, "epoch": epoch, **record(lanes[i], epoch)} for i in row.lanes]
            lease.write(values, epoch, 1.0, {})
        lease.finish()
        recipe = Recipe.from_dict(row.recipe)
        self.computed.update((lanes[i], recipe.lr, recipe.samples) for i in row.lanes)


def record(lane, epoch):
    value = zlib.crc32(repr(tuple(lane)).encode()) / 2**32
    return dict.fromkeys(METRICS, value) | {"test_accuracy": 1.0 if epoch == 1 else value}


def queued(store):
    from alf.runs.leases import waiting

    return waiting(store)


@pytest.mark.parametrize("seed", range(MANY))
def test_whatever_happens_every_network_is_computed_once_and_shown_in_its_cell(seed, tmp_path):
    source = random.Random(seed)
    phase = any_map(source, most=7)
    phase = PhaseMap(phase.recipe.with_(epochs=2, seeds=phase.recipe.seeds[:3]), phase.x, phase.y)
    settings = Settings.from_environment({"ALF_STORE": f"sqlite:///{tmp_path / 'runs.sqlite'}", "ALF_WORKERS": "2"})
    engine = FakeEngine(settings)
    measure = source.choice(("last", "memorised"))
    sweeps = [Sweep(phase, engine, reader, measure) for reader in ("ann", "bob")[: source.choice((1, 1, 2))]]
    seen: dict = {}
    for _ in range(20_000):
        place = source.randrange(len(sweeps))
        event = source.random()
        if event < 0.03:
            state = sweeps[place].stop()
            assert state.status in (SweepState.STOPPED, SweepState.FINISHED)
            assert not state.going and sweeps[place].advance().status == state.status
        elif event < 0.1:
            state = sweeps[place].start()
        elif event < 0.13:  # another process
            sweeps[place] = Sweep(phase, engine, sweeps[place].owner.split("-")[1], measure)
            state = sweeps[place].look()
        elif event < 0.5:
            state = sweeps[place].advance()
        else:
            if waiting := queued(engine.store):
                engine.work(source, waiting)
            continue
        # Of two readers, one may start again what diverged for the other.
        unfinished = {part.result for part in engine.store.shares(sweeps[place].owner) if part.status == "queued"}
        assert len(sweeps) > 1 or len(unfinished) <= AHEAD * engine.workers + 1
        assert state.done == len(state.cells) and state.total == len(phase.cells)
        assert not (state.going & state.cells.keys()) and not (state.failed.keys() & state.cells.keys())
        seen |= state.cells
        if all(one.look().status == SweepState.FINISHED and not one.look().failed for one in sweeps):
            break
    else:
        pytest.fail(f"never finished: {state.status}, {state.done} of {state.total}, {len(state.failed)} failed")
    for sweep in sweeps:
        final = sweep.look()
        assert set(final.cells) == set(phase.cells)
        for cell, one in final.cells.items():
            for place, number in enumerate(phase.recipe.seeds):
                expected = record((phase.loss(cell), phase.noise(cell), number), 2)["test_accuracy"]
                found = [one.values[measure][place] for measure in ("last", "memorised", "drop")]
                if number in one.ended:
                    assert found == [None, None, None]
                else:
                    assert found == pytest.approx([expected, expected, 1 - expected])
    assert all(final.cells[cell] == seen[cell] for cell in seen)
    assert set(engine.computed.values()) == {1}
    diverged = sum(len(one.ended) for one in final.cells.values())
    assert len(engine.computed) + diverged == phase.networks
    engine.store.close()
