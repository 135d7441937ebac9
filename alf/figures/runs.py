"""Runs beside each other: a loss keeps its colour, a run has its dash, published numbers are diamonds at the end."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from alf.figures.base import Series, axis, builder, figure, line
from alf.figures.headline import Result, ranking
from alf.figures.palette import DASHES, Style, styles
from alf.figures.training import bands, fall
from alf.losses import distinct_labels, parse
from alf.training.recipe import Recipe
from alf.training.records import summarise

MOST = len(DASHES)


@dataclass(frozen=True)
class Curves:
    """What one run shows under one noise: its `name` in a legend, its `dash`, and its losses' accuracy `series`.

    `noise` is the spec, `epochs` how far the axis must go, `ends` the results at the last epoch.
    """

    name: str
    noise: str
    epochs: int
    dash: str
    series: tuple[Series, ...]
    ends: tuple[Result, ...] = ()


@dataclass(frozen=True)
class Mark:
    """A published number: `value` and `spread`, if any, as fractions at an `epoch`, in the `style` of its loss."""

    label: str
    style: Style
    epoch: int
    value: float
    spread: float | None


def loss_styles(recipes: Sequence[Recipe]) -> dict[str, Style]:
    """One style for each loss spec of all the runs, in the order of their first appearance.

    >>> a, b = (Recipe(data="digits", losses=losses) for losses in (("ce", "ael:a=2"), ("ael:a=3", "ce")))
    >>> [spec for spec in loss_styles([a, b])]
    ['ce', 'ael:a=2', 'ael:a=3']
    """
    specs = list(dict.fromkeys(spec for recipe in recipes for spec in recipe.losses))
    return dict(zip(specs, styles(parse(spec).key for spec in specs), strict=True))


def curves(runs: Sequence[tuple[str, Recipe, Sequence[dict], Collection[int], bool]]) -> list[Curves]:
    """Test accuracy of several runs, one `Curves` per run and noise.

    A run is given as its name, recipe, records, the lanes that ended early, and whether it is still going: only then
    room is left for the epochs that are to come.
    """
    chosen = loss_styles([recipe for _, recipe, *_ in runs])
    labels = {spec: name.label for spec, name in zip(chosen, distinct_labels(map(parse, chosen)), strict=True)}
    result: list[Curves] = []
    for name, recipe, records, ended, going in runs:
        epochs = recipe.epochs if going else max((record["epoch"] for record in records), default=recipe.epochs)
        shorts = [name.short for name in distinct_labels(map(parse, recipe.losses))]  # a title names its run
        for noise in recipe.noise:
            dash = DASHES[len(result) % MOST]
            found = bands([r for r in records if r["noise"] == noise], "test_accuracy", ended)
            nothing = (np.array([]),) * 3
            label = name
            if len(recipe.noise) > 1:
                label = noise.replace(":", " ") if len(runs) == 1 else f"{name}: {noise.replace(':', ' ')}"
            series = tuple(
                Series(labels[spec], replace(chosen[spec], dash=dash), *found.get(spec, nothing), short)
                for spec, short in zip(recipe.losses, shorts, strict=True)
            )
            rows = {row["loss"]: row for row in summarise(r for r in records if r["noise"] == noise)}
            ends = tuple(
                Result(s.name, row["last"]["mean"], row["last"]["std"], len(row["seeds"]))
                for spec, s in zip(recipe.losses, series, strict=True)
                if (row := rows.get(spec))
            )
            result.append(Curves(label, noise, epochs, dash, series, ends))
    return result


@builder
def compare_figure(shown: Sequence[Curves], marks: Sequence[Mark] = ()) -> dict:
    """Accuracy on the clean test set over the epochs, of all losses of all runs."""
    many = len(shown) > 1
    traces, used = [], []
    for group in shown:
        for series in group.series:
            used.append(series.style)
            label = f"{series.label} · {group.name}" if many else series.label
            traces.append(line(replace(series, label=label), hover="%{y:.1%}") | {"connectgaps": False})
    traces += [_diamond(mark) for mark in marks]
    used += [mark.style for mark in marks]
    averaged = any(end.seeds > 1 for group in shown for end in group.ends)
    about = f"Accuracy on clean test samples{', mean over seeds' if averaged else ''}."
    if many:
        about += " Colours are losses, dashes are runs and their noise."
    if marks:
        about += " Diamonds are published numbers."
    epochs = max([group.epochs for group in shown] + [mark.epoch for mark in marks], default=1)
    y = axis("test accuracy", -0.02, 1.02, tickformat=".0%")
    return figure(
        traces, _message(shown), axis("epoch", 0, epochs * 1.01, hoverformat="d"), y, about, styles=used, height=380
    )


def _message(shown: Sequence[Curves]) -> str:
    """Who leads among all losses of all runs, and which fell most, by the rule of `headline`."""
    of = (lambda name, group: f"{name} in “{group.name}”") if len(shown) > 1 else (lambda name, group: name)
    ends = [replace(end, name=of(end.name, group)) for group in shown for end in group.ends]
    if not ends:
        return "Accuracy on clean test samples"
    curves = [replace(s, short=of(s.name, group)) for group in shown for s in group.series]
    fallen = fall(curves, ends)
    title = ranking(ends)
    if fallen is not None and len(ends) > 1:
        best, last = fallen
        title += f"; {last.name} falls from {best.mean:.0%} to {last.mean:.0%}"
    return title


def _diamond(mark: Mark) -> dict:
    bar = {"type": "constant", "color": mark.style.color, "thickness": 1.2, "width": 4}
    known = {} if mark.spread is None else {"error_y": bar | {"value": mark.spread}}
    return known | {
        "type": "scatter",
        "mode": "markers",
        "name": mark.label,
        "legendgroup": mark.label,
        "showlegend": False,
        "x": [mark.epoch],
        "y": [mark.value],
        "marker": {
            "color": mark.style.color,
            "size": 10,
            "symbol": "diamond",
            "line": {"color": "#FFFFFF", "width": 1.5},
        },
        "hovertemplate": f"%{{y:.1%}}<extra>{mark.label}</extra>",
    }
