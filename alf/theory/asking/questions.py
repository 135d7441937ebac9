"""What the worker processes run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from alf.errors import InputError
from alf.theory.claims.prove import prove
from alf.theory.curve.rise import find_rise
from alf.theory.curve.shape import shape_of
from alf.theory.failures import stopped
from alf.theory.progress import follow, stage
from alf.theory.verdict import Verdict
from alf.theory.witnesses.witness import witness


def followed(trail: str, function: Callable, arguments: tuple) -> Any:
    """Answer a question with its steps written to a file, which stays where something else than bad input stops it."""
    follow(trail)
    stage("reading the loss")
    try:
        value = function(*arguments)
    except InputError:
        Path(trail).unlink(missing_ok=True)
        raise
    Path(trail).unlink(missing_ok=True)  # whatever else stops it leaves the step it was at
    return value


def decide(claim: str, loss: str, noise: str, classes: int, data: str | None = None) -> Verdict:
    """A claim, decided in this process; the steps on the way are followed."""
    from alf.losses import parse
    from alf.noise import parse_noise

    parsed = parse(loss)
    model = parse_noise(noise, classes, data)
    stage(f"deciding '{claim.replace('_', ' ')}'")
    return prove(claim, parsed, model, classes)


def read(text: str) -> str:
    """Read a formula, and try what a page or a table will do with it: none of that may take longer than reading may."""
    from alf.losses import parse
    from alf.losses.javascript import source

    loss = parse(text)
    stage("preparing its curve")
    points = (0.0, 0.25, 0.5, 1.0)
    loss.value(points), loss.derivative(points), loss.sample_weight(points)
    stage("printing it")
    source(loss.declaration), loss.latex()
    return loss.spec


def refuse_rise(spec: str) -> None:
    """Refuse a formula that has no value somewhere in (0, 1), or rises somewhere, with two points that show it."""
    from alf.losses import parse

    try:
        shape = shape_of(parse(spec).exact)
        found = None if shape.gap is not None and shape.gap.shown else find_rise(shape)
    except Exception as error:  # the claim "decreasing" will say so too
        stopped(error, f"whether {spec} rises")
        return
    if shape.gap is not None and shape.gap.shown:
        raise InputError(f"formula: {shape.gap.reason}")
    shown = None if found is None else witness("rise", shape, found)
    if found is not None and shown is not None and shown.relation == ">":
        (x, y), (last, first) = found, shown.shown
        got = f"got l({float(x):.12g}) = {first} and l({float(y):.12g}) = {last}"
        raise InputError(f"formula: l must not rise on (0, 1], {got}")
