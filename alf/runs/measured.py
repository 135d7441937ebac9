"""What has been measured here of a data set, whoever asked for it: the last accuracy of every model, by protocol.

A result belongs to a recipe and not to a person, so a table of losses is made of all that this installation has
computed: of runs of single losses, of sweeps, of phase maps.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from sqlalchemy import func, select, tuple_

from alf.errors import InputError, brief, quoted
from alf.runs import tables as t
from alf.runs.store import Store
from alf.training.protocols import OPEN, protocol_of
from alf.training.recipe import Lane, Recipe
from alf.training.states import UNFINISHED


@dataclass(frozen=True)
class Model:
    """What has become of one model.

    Attributes
    ----------
    accuracy
        On the clean test set, as a fraction, at the last epoch that it has finished; None before the first.
    epoch
        That epoch.
    ended
        Why it ended early, or None.
    finished, going
        Whether it has come to its end, and whether it waits or is trained at the moment.
    """

    accuracy: float | None
    epoch: int
    ended: str | None = None
    finished: bool = True
    going: bool = False


Measured = dict[Recipe, dict[Lane, Model]]
"""Protocol (see `alf.training.protocols`) -> model -> what has become of it."""


def measured(store: Store, data: str, losses: Collection[str], noises: Collection[str]) -> Measured:
    """Look up every model of a data set with one of these losses and noises, whichever run it belongs to.

    Of a model that belongs to several results the one that has come furthest counts.
    """
    with store.read() as connection:
        query = select(t.results.c.key, t.results.c.recipe).where(t.results.c.recipe["data"].as_string() == data)
        lanes = {}
        protocols: dict[str, Recipe] = {}
        for key, recipe in connection.execute(query):
            found = {number: lane for number, lane in _lanes(recipe) if lane.loss in losses and lane.noise in noises}
            if found and not recipe.get("changes") and (protocol := _protocol(recipe)) is not None:
                lanes[key], protocols[key] = found, protocol
        mine = t.parts.c.result.in_(lanes)
        parts = connection.execute(
            select(*(t.parts.c[name] for name in ("result", "lanes", "status", "ended"))).where(mine)
        ).all()
        last = _last(connection, lanes)
    result: defaultdict[Recipe, dict[Lane, Model]] = defaultdict(dict)
    for part in parts:
        for number in part.lanes:
            if (lane := lanes[part.result].get(number)) is None:
                continue
            epoch, accuracy = last.get((part.result, number), (0, None))
            ended, epochs = part.ended.get(str(number)), protocols[part.result].epochs
            done = accuracy is not None and (epoch == epochs or ended is not None)
            model = Model(accuracy, epoch, ended, done, not done and part.status in UNFINISHED)
            _keep(result[protocols[part.result]], lane, model)
    return dict(result)


def merged(one: Measured, other: Measured) -> Measured:
    """Put two lots of models together."""
    result = {protocol: dict(models) for protocol, models in one.items()}
    for protocol, models in other.items():
        for lane, model in models.items():
            _keep(result.setdefault(protocol, {}), lane, model)
    return result


def read_runs(contents: bytes) -> Measured:
    """Read what another machine has measured: lines of ``train --json`` or ``sweep``, or a run exported as JSON.

    A stranger may have written it; formulas in it are not read. Runs without a summary were cut off and are left out.

    Raises
    ------
    InputError
        It is no such file, or holds no whole run.
    """
    records: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    summaries: dict[str, Mapping[str, Any]] = {}
    for value in _objects(contents):
        if "epoch" in value:
            records[str(value.get("run"))].append(value)
        elif "recipe" in value:
            summaries[str(value.get("run"))] = value
    result: Measured = {}
    for run, summary in summaries.items():
        recipe = summary["recipe"]
        protocol = _protocol(recipe) if isinstance(recipe, dict) and not recipe.get("changes") else None
        if protocol is None:
            raise InputError(f"runs: a recipe of this version without changed learning rates is needed, got {run[:40]}")
        ended = _ended(summary.get("ended") or ())
        for record in records[run]:
            lane, epoch, accuracy = _record(record)
            model = Model(accuracy, epoch, ended.get(lane), epoch == protocol.epochs or lane in ended)
            models = result.setdefault(protocol, {})
            if lane not in models or models[lane].epoch < epoch:
                models[lane] = model
    if not result:
        raise InputError("runs: at least one whole run with its summary is needed, got none")
    return result


def _objects(contents: bytes) -> Iterator[Mapping[str, Any]]:
    """The records and summaries in a file."""
    try:
        text = contents.decode()
    except UnicodeDecodeError:
        raise InputError(f"runs: text in UTF-8 is needed, got {len(contents)} other bytes") from None
    whole = _json(text)
    if isinstance(whole, dict) and isinstance(whole.get("records"), list):
        values = [{"recipe": whole.get("recipe")}, *(_anonymous(value) for value in whole["records"])]
    else:
        values = [_json(line) for line in text.splitlines() if line.strip()]
    for value in values:
        if not isinstance(value, dict):
            raise InputError(
                f"runs: lines of train --json or sweep, or an exported run, are needed, got {brief(value)}"
            )
        yield value


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # ValueError: JSON's own error, and numbers of thousands of digits
        return quoted(text)


def _anonymous(value: object) -> object:
    """A record of a file with one run alone."""
    return {**value, "run": None} if isinstance(value, dict) else value


def _record(record: Mapping[str, Any]) -> tuple[Lane, int, float]:
    """A record's lane, epoch and accuracy, checked."""
    loss, noise, seed, epoch = (record.get(name) for name in ("loss", "noise", "seed", "epoch"))
    if not (isinstance(loss, str) and isinstance(noise, str) and type(seed) is int and type(epoch) is int):
        raise InputError(f"runs: a record needs loss, noise, seed and epoch, got {brief(dict(record))}")
    accuracy = record.get("test_accuracy")
    if not isinstance(accuracy, int | float) or isinstance(accuracy, bool) or not 0 <= accuracy <= 1:
        raise InputError(f"test_accuracy: must lie in [0, 1], got {brief(accuracy)}")
    return Lane(loss, noise, seed), epoch, float(accuracy)


def _ended(rows: object) -> dict[Lane, str]:
    """Lane -> why it ended early, from a summary."""
    found = {}
    for row in rows if isinstance(rows, list | tuple) else ():
        if isinstance(row, dict) and isinstance(row.get("reason"), str):
            found[Lane(str(row.get("loss")), str(row.get("noise")), row.get("seed", 0))] = brief(row["reason"])
    return found


def _keep(models: dict[Lane, Model], lane: Lane, model: Model) -> None:
    other = models.get(lane)
    if other is None or (model.finished, model.going, model.epoch) > (other.finished, other.going, other.epoch):
        models[lane] = model


def _lanes(recipe: Mapping[str, Any]) -> Iterator[tuple[int, Lane]]:
    """The lanes of a recipe as it is stored, without reading its formulas again."""
    return enumerate(Lane(*lane) for lane in product(recipe["losses"], recipe["noise"], recipe["seeds"]))


def _protocol(recipe: Mapping[str, Any]) -> Recipe | None:
    """A stored recipe's protocol; None for one that this version would not take any more."""
    plain = {name: value for name, value in recipe.items() if name not in OPEN}
    try:
        return protocol_of(Recipe.from_dict({"data": recipe.get("data"), "losses": ("ce",), **plain}))
    except InputError:
        return None


def _last(connection: Any, lanes: Mapping[str, Mapping[int, Lane]]) -> dict[tuple[str, int], tuple[int, float]]:
    """The last epoch of each lane and its accuracy."""
    r = t.records.c
    its_last = select(r.result, r.lane, func.max(r.epoch)).where(r.result.in_(lanes)).group_by(r.result, r.lane)
    query = select(r.result, r.lane, r.epoch, r.test_accuracy).where(tuple_(r.result, r.lane, r.epoch).in_(its_last))
    return {(row.result, row.lane): (row.epoch, row.test_accuracy) for row in connection.execute(query)}
