"""A map without a browser: one plain object a cell as it is measured, then a summary."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from alf.phase.cell_values import MEASURES, Measured
from alf.phase.phase_map import Cell, PhaseMap
from alf.phase.sides import sides
from alf.phase.sweep import State, Sweep, SweepState
from alf.phase.theory import Critical, Question, asked_of, curve, of_cell, question, questions, settled
from alf.runs import Engine
from alf.theory.asking.prover import Prover

LOOK = 0.2
"""Seconds between two looks at what was measured."""
PATIENCE = 60.0
"""Seconds for which workers or the store are waited for that do not answer."""
READER = "command-line"
"""Whose maps those of the command line are."""


class GaveUp(RuntimeError):
    """The workers, or the store, did not answer for too long; the text is a sentence that says which and why."""


def report(
    phase: PhaseMap,
    engine: Engine,
    prover: Prover,
    measure: str = "last",
    tell: Callable[[State], None] = lambda state: None,
    patience: float = PATIENCE,
) -> Iterator[dict[str, Any]]:
    """Compute a map, or go on with it.

    Parameters
    ----------
    phase, engine, measure
        As in `alf.phase.sweep.Sweep`.
    prover
        Answers what theory says.
    tell
        Is told how far the map is, now and then.
    patience
        Seconds for which it is waited for workers, or for the store, before this is given up.

    Yields
    ------
    dict
        For each cell, when it is measured: ``{"loss", "noise", "x", "y", "seeds", "measure", "mean", "std", "values",
        "ratio", "margin", "critical", "tolerated", "ended"}``; `x` and `y` are the axes' values, `values` one number a
        seed, `ended` seed -> why its model ended early. Last of all the summary, which has no ``loss``: ``{"map",
        "status", "message", "notes", "measure", "cells", "measured", "failed", "networks", "seconds", "critical",
        "sides"}``; `notes` are sentences such as on the device taken instead of the one asked for, `critical` has for
        each loss the points of theory's curve, [value, rate, low, high], where an axis is the noise.

    Raises
    ------
    InputError
        The map is too large for this installation.
    GaveUp
        Nothing answered for too long. What was measured is kept, and the same map goes on from there.
    """
    sweep = Sweep(phase, engine, READER, measure)
    asked = asked_of(prover, questions(phase))
    answers: dict[Question, Critical] = {}
    start, heard, known = time.monotonic(), time.monotonic(), 0
    told: set[Cell] = set()
    state = sweep.start()
    while True:
        tell(state)
        for cell in phase.cells:
            if cell in state.cells and cell not in told:
                told.add(cell)
                one = question(phase, cell)
                if one not in answers:
                    answers[one] = settled(asked[one])
                yield _line(phase, cell, state.cells[cell], measure, answers)
        if not state.active:
            break
        if state.status == SweepState.RUNNING or len(told) > known:
            heard, known = time.monotonic(), len(told)
        elif time.monotonic() - heard > patience:
            raise GaveUp(state.message or "Nothing answered.")
        time.sleep(LOOK)
        state = sweep.advance()
    yield _summary(phase, state, measure, answers, time.monotonic() - start)


def in_words(row: Mapping[str, Any]) -> str:
    """What `report` yields, as a person reads it: a line for a cell, two for the summary."""
    if "loss" not in row:
        return _summary_in_words(row)
    number = "    -" if row["mean"] is None else f"{row['mean']:5.3f} ± {row['std']:5.3f}"
    critical = "" if row["critical"] is None else f"  critical rate {row['critical']:.4f}"
    side = {True: "  tolerated", False: "  not tolerated", None: ""}[row["tolerated"]]
    return f"{row['loss']:32} {row['noise']:18} x {row['x']:<10.4g} y {row['y']:<10.4g} {number}{critical}{side}"


def _summary_in_words(summary: Mapping[str, Any]) -> str:
    done = f"{summary['measured']} of {summary['cells']} cells, {summary['networks']} networks"
    text = f"\n{summary['status']} in {summary['seconds']:.1f} s: {done}. {summary['about']} {summary['message'] or ''}"
    text = " ".join([text.rstrip(), *summary["notes"]])
    found = summary["sides"]
    if found["share"] is None:
        return text.rstrip()
    low, high = found["interval"]
    share = f"{found['share']:.1%} (95% interval {low:.1%} to {high:.1%})"
    return f"{text.rstrip()}\nOn the side that theory says: {found['agree']} of {found['counted']} cells, {share}."


def _line(
    phase: PhaseMap, cell: Cell, one: Measured, measure: str, answers: dict[Question, Critical]
) -> dict[str, Any]:
    said = of_cell(phase, cell, answers)
    assert said is not None  # it was answered before this
    return {
        "loss": phase.loss(cell),
        "noise": phase.noise(cell),
        "x": phase.x.values[cell.x],
        "y": phase.y.values[cell.y],
        "seeds": list(one.seeds),
        "measure": measure,
        "mean": one.mean(measure),
        "std": one.std(measure),
        "values": list(one.values[measure]),
        "ratio": said.ratio,
        "margin": said.margin,
        "critical": said.critical,
        "tolerated": said.tolerated,
        "ended": {str(seed): why for seed, why in one.ended.items()},
    }


def _summary(
    phase: PhaseMap, state: State, measure: str, answers: dict[Question, Critical], seconds: float
) -> dict[str, Any]:
    counted = sides(phase, state.cells, answers)
    curves = {}
    for index, loss in enumerate(phase.losses):
        found = curve(phase, index, answers)
        points = () if found is None else found.points
        curves[loss] = [
            [value, one and one.rate, *((one and one.interval) or (None, None))] for value, one in points
        ]  # fmt: skip
    return {
        "map": phase.to_dict(),
        "status": str(state.status),
        "message": state.message,
        "notes": list(state.notes),
        "measure": measure,
        "about": MEASURES[measure].about,
        "cells": state.total,
        "measured": state.done,
        "failed": len(state.failed),
        "networks": phase.networks,
        "seconds": round(seconds, 3),
        "critical": curves,
        "sides": {
            "counted": counted.counted,
            "agree": counted.agree,
            "share": counted.share,
            "interval": counted.interval and list(counted.interval),
            "left_out": dict(counted.left_out),
        },
    }
