"""Sweeps with real worker processes: they compute what training alone computes, and nothing twice."""

import time
from collections import Counter

import pytest
from sqlalchemy import select

from alf.errors import InputError
from alf.phase import MEASURES, PhaseMap, parse_axis
from alf.phase.cell_values import measured
from alf.phase.report import GaveUp, report
from alf.phase.sweep import SILENT, Sweep, SweepState, sweep_of
from alf.runs import tables as t
from alf.runs.database import DatabaseAway
from alf.theory.asking.prover import Prover
from alf.training import Recipe, run

SMALL = Recipe(
    data="digits", losses=("agce:a=1,q=0.6", "formula:(1-u)**(a/9+0.5);a=1[0.05,6]"), noise=("symmetric:0.4",),
    seeds=(0, 3), network="mlp:8", epochs=2, samples=60, lr=0.3,
)  # fmt: skip
PHASE = PhaseMap(SMALL, parse_axis("a=0.05:6:4:log"), parse_axis("noise=0:0.8:3"))


def until_done(sweep, seconds=120.0, until=lambda state: not state.active):
    end = time.monotonic() + seconds
    while not until(state := sweep.advance()):
        assert time.monotonic() < end, f"waited too long: {state.status}, {state.message}"
        time.sleep(0.05)
    return state


def results(engine):
    """Every result of the store, by the number of times that it was made: once."""
    with engine.store.read() as connection:
        return Counter(connection.scalars(select(t.results.c.key)))


def alone(cell, phase):
    """What a cell's networks come to when they are trained by themselves, in this process."""
    *records, summary = run(phase.recipe_of([cell]))
    return measured(phase, [cell], records, {})[cell], summary


def test_a_cell_has_the_values_of_its_networks_trained_alone(engine):
    state = until_done(Sweep(PHASE, engine, "ann"))
    assert (state.status, state.done, state.total, state.message) == (SweepState.FINISHED, 24, 24, None)
    assert set(state.cells) == set(PHASE.cells)
    tests = 359
    for cell in PHASE.cells[::5]:
        here, _ = alone(cell, PHASE)
        there = state.cells[cell]
        assert there.seeds == (0, 3) and not there.ended
        for measure in ("last", "drop"):  # rounding may turn single predictions round
            assert there.values[measure] == pytest.approx(here.values[measure], abs=3.5 / tests), (cell, measure)
        if PHASE.values(cell)["noise"] == 0:
            assert there.mean("memorised") is None
        else:
            assert there.values["memorised"] == pytest.approx(here.values["memorised"], abs=0.1)


def test_looking_starts_nothing(engine):
    phase = PhaseMap(SMALL.with_(seeds=(9,)), PHASE.x, PHASE.y)
    before = results(engine)
    state = Sweep(phase, engine, "ann").look()
    assert (state.status, state.done, state.going, state.active) == (SweepState.NEW, 0, frozenset(), False)
    assert results(engine) == before
    assert state.seconds_left > 0


def test_stop_resume_and_another_process_repeat_nothing(make_engine):
    phase = PhaseMap(SMALL.with_(epochs=20, seeds=(0, 1, 2)), PHASE.x, PHASE.y)
    engine = make_engine()
    sweep = Sweep(phase, engine, "ann")
    until_done(sweep, until=lambda state: state.done > 0)
    stopped = sweep.stop()
    assert stopped.status in (SweepState.STOPPED, SweepState.FINISHED)
    if stopped.status == SweepState.STOPPED:
        assert sweep.advance().status == SweepState.STOPPED and not sweep.look().going
        assert Sweep(phase, engine, "ann").advance().status == SweepState.STOPPED  # it is the store that knows
    kept = sweep.look().cells
    engine.close()

    again = make_engine(engine.settings.store)
    later = Sweep(phase, again, "ann")
    assert kept.keys() <= later.look().cells.keys()
    later.start()
    state = until_done(later)
    assert state.status == SweepState.FINISHED and all(state.cells[cell] == kept[cell] for cell in kept)
    with again.store.read() as connection:
        made = connection.execute(select(t.results.c.recipe)).scalars().all()
        records = connection.execute(select(t.records.c.result, t.records.c.lane, t.records.c.epoch)).all()
    lanes = Counter(tuple(lane) for recipe in made for lane in Recipe.from_dict(recipe).lanes)
    assert len(made) == len(later.blocks) and set(lanes.values()) == {1}
    assert len(lanes) == phase.networks and len(records) == phase.networks * 20  # every epoch of every network once


def test_another_reader_shares_what_was_measured(engine):
    until_done(Sweep(PHASE, engine, "ann"))
    before = results(engine)
    other = Sweep(PHASE, engine, "bob")
    assert other.look().status == SweepState.NEW
    start = time.monotonic()
    assert until_done(other).cells == Sweep(PHASE, engine, "ann").look().cells
    assert results(engine) == before and time.monotonic() - start < 20


def test_the_maps_of_a_reader_are_not_among_his_runs(engine):
    until_done(Sweep(PHASE, engine, "ann"))
    assert engine.store.count("ann") == 0


def test_a_diverged_network_counts_and_is_named(engine):
    recipe = SMALL.with_(losses=("ce",), weight_decay=1.0, epochs=30)
    phase = PhaseMap(recipe, parse_axis("lr=0.1,1000"), parse_axis("noise=0.1,0.2"))
    state = until_done(Sweep(phase, engine, "ann"))
    assert (state.status, state.done, state.failed) == (SweepState.FINISHED, 4, {})
    for cell, one in state.cells.items():
        if phase.values(cell)["lr"] == 1000:
            assert set(one.ended) == {0, 3} and all("Diverged in epoch" in why for why in one.ended.values())
        else:
            assert not one.ended and one.mean("last") is not None


def test_what_cannot_be_trained_is_said_and_the_rest_goes_on(engine):
    phase = PhaseMap(SMALL.with_(samples=None), parse_axis("samples=50,100000"), parse_axis("noise=0.1,0.2"))
    state = until_done(Sweep(phase, engine, "ann"))
    assert state.status == SweepState.FINISHED
    assert {phase.values(cell)["samples"] for cell in state.cells} == {50}
    assert {phase.values(cell)["samples"] for cell in state.failed} == {100000}
    assert "4 of 8 cells could not be trained. samples: digits has 1438 training samples" in state.message


def test_too_many_networks_are_refused_before_anything_starts(engine):
    phase = PhaseMap(SMALL, parse_axis("a=0.05:6:1000:log"), parse_axis("noise=0:0.8:500"))
    before = results(engine)
    said = r"at most 40,000 networks \(cells x losses x seeds\) in one map here, got 2,000,000, which would take about"
    with pytest.raises(InputError, match=said):
        Sweep(phase, engine, "ann")
    assert results(engine) == before


def test_other_limits_and_a_wrong_measure_are_refused(make_engine, engine):
    small = make_engine(ALF_MAX_EPOCHS=1, ALF_MAX_CELLS=10)
    with pytest.raises(InputError, match="epochs: at most 1 in one run here, got 2"):
        Sweep(PHASE, small, "ann")
    with pytest.raises(InputError, match="map: at most 10 networks"):
        Sweep(PhaseMap(SMALL.with_(epochs=1), PHASE.x, PHASE.y), small, "ann")
    with pytest.raises(InputError, match="measure: must be one of last, drop, memorised, confidence, dead, got best"):
        Sweep(PHASE, engine, "ann", measure="best")


def test_a_full_queue_is_waited_for(make_engine):
    engine = make_engine(ALF_MAX_QUEUED=1)
    engine.start(SMALL.with_(epochs=400, network="mlp:64", samples=None), "somebody")
    state = Sweep(PHASE, engine, "ann").advance()
    assert state.status == SweepState.WAITING and state.message.startswith("Waiting for a place in the queue. runs: ")


def test_a_map_is_one_sweep_in_a_process(engine):
    assert sweep_of(PHASE, engine, "ann") is sweep_of(PhaseMap.from_dict(PHASE.to_dict()), engine, "ann")
    assert set(MEASURES) == {"last", "drop", "memorised", "confidence", "dead"}


def test_in_the_background_nobody_need_ask(engine):
    phase = PhaseMap(SMALL.with_(seeds=(5,)), PHASE.x, PHASE.y)
    sweep = Sweep(phase, engine, "ann")
    assert sweep.in_background().active
    end = time.monotonic() + 100
    while (state := sweep.look()).status != SweepState.FINISHED:
        assert time.monotonic() < end, state.status
        time.sleep(0.1)
    assert set(state.cells) == set(phase.cells)


def test_a_store_that_goes_away_is_waited_for_and_said(engine, monkeypatch):
    sweep = Sweep(PHASE, engine, "ann")
    known = until_done(sweep).cells

    def away(owner):
        raise DatabaseAway("ALF_STORE: it does not answer: server closed the connection")

    with monkeypatch.context() as patch:
        patch.setattr(engine.store, "shares", away)
        state = sweep.advance()
        assert (state.status, state.cells, state.active) == (SweepState.WAITING, known, True)
        assert state.message.startswith(SILENT) and "server closed the connection" in state.message
        with Prover() as prover, pytest.raises(GaveUp, match=SILENT):
            list(report(PHASE, engine, prover, patience=0.5))
    assert sweep.advance().status == SweepState.FINISHED


def test_a_scheduler_that_is_not_there_is_said(make_engine):
    engine = make_engine(ALF_SCHEDULER="tcp://127.0.0.1:9")
    with (
        Prover() as prover,
        pytest.raises(GaveUp, match=r"ALF_SCHEDULER: no scheduler answers at tcp://127\.0\.0\.1:9"),
    ):
        list(report(PHASE, engine, prover, patience=12))
