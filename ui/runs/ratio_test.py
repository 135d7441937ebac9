"""The paper's claim on the reader's own runs: does a higher asymmetry ratio give better noise tolerance?"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import streamlit as st

from alf.figures.palette import style
from alf.figures.ratio_test import AtScale, ratio_test_figure
from alf.losses import parse
from alf.training.higher_ratio import LEAST, Setting, higher_ratio
from alf.training.recipe import Recipe
from alf.training.recipes import classroom
from ui.asking.page_questions import ratio_of
from ui.charts.chart import chart
from ui.runs import rows
from ui.shell import entry, page

MOST = 4
"""Families and noises that one view tests."""
SCALES = {False: "own gradient scale", True: "equal gradient scale"}
EXAMPLE = tuple(f"agce:a={a},q=0.6" for a in ("0.01", "0.05", "0.2", "0.6", "2", "6"))
"""What a reader without a family is offered."""


@dataclass(frozen=True)
class Family:
    """Settings of one declaration under one noise, all else alike: gradient scale -> loss -> accuracies, one a seed."""

    name: str
    noise: str
    recipe: Recipe
    accuracies: dict[bool, dict[str, tuple[float, ...]]]


def families(runs: Sequence[rows.Run]) -> list[Family]:
    """What of the runs at rest can be tested: at least `LEAST` settings of one family at one scale."""
    found: dict[tuple[str, str, Recipe], Family] = {}
    for run in runs:
        if run.active:
            continue
        last: dict[int, dict] = {}
        for record in run.records:
            if record["lane"] not in last or record["epoch"] > last[record["lane"]]["epoch"]:
                last[record["lane"]] = record
        members: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        for lane in sorted(last):
            members[last[lane]["loss"], last[lane]["noise"]].append(last[lane]["test_accuracy"])
        for (spec, noise), values in members.items():
            loss, base = parse(spec), run.recipe.with_(losses=("ce",), noise=(noise,), equal_scale=False, device="auto")
            family = found.setdefault((loss.key, loss.name, base), Family(loss.name, noise, run.recipe, {}))
            family.accuracies.setdefault(run.recipe.equal_scale, {}).setdefault(spec, tuple(values))
    return [f for f in found.values() if max(map(len, f.accuracies.values())) >= LEAST][:MOST]


def ratio_test(runs: Sequence[rows.Run]) -> bool:
    """The section; returns whether a ratio is being worked out, so that the page looks again."""
    st.html('<h2 class="alf-h2">Does a higher ratio give better tolerance?</h2>')
    chosen = families(runs)
    if not chosen:
        _offer()
        return False
    awaited = [_family(number, family) for number, family in enumerate(chosen)]
    return any(awaited)


def _offer() -> None:
    st.html(
        f'<p class="alf-note">The paper says so. It can be tested on a run that has at least {LEAST} settings of one '
        "loss, such as AGCE with several a: accuracy against the asymmetry ratio, at one noise.</p>"
    )
    recipe = classroom("digits", losses=EXAMPLE, noise=("symmetric:0.8",))
    st.page_link(page(entry("Train")), label="Set up six AGCE losses on Train →", query_params=rows.train_link(recipe))


def _family(number: int, family: Family) -> bool:
    """One family's figure and sentences."""
    ratios = {spec: ratio_of(spec) for members in family.accuracies.values() for spec in members}
    if None in ratios.values():
        st.html(f'<p class="alf-note">The ratios of {escape(family.name)} are being worked out …</p>')
        return True
    tested = []
    for scale in sorted(family.accuracies):
        members = family.accuracies[scale]
        known = [(ratios[spec].value, spec) for spec in members if ratios[spec].value is not None]
        found = higher_ratio(Setting(ratio, members[spec], parse(spec).label) for ratio, spec in known)
        if found is not None:
            tested.append(AtScale(SCALES[scale], found))
    if not tested:
        st.html(f'<p class="alf-note">{escape(family.name)} has no asymmetry ratio.</p>')
        return False
    drawn = style(parse(next(iter(ratios))).key)
    noise = family.noise.replace(":", " ") if len(family.noise) < 30 else "a matrix"
    chart(ratio_test_figure.spec(tested, drawn, family.name, noise), key=f"ratio-test-{number}", legend=len(tested) > 1)
    for one in tested:
        which = f"<b>{one.scale.capitalize()}.</b> {escape(one.found.message)}. " if len(tested) > 1 else ""
        st.html(f'<p class="alf-note">{which}{escape(one.found.sentence)}</p>')
    if len(family.accuracies) == 1:
        other = not next(iter(family.accuracies))
        recipe = family.recipe.with_(equal_scale=other, losses=tuple(ratios), noise=(family.noise,))
        st.page_link(
            page(entry("Train")),
            label=f"Train the same with {'equal' if other else 'their own'} gradient scale →",
            query_params=rows.train_link(recipe),
        )
    return False
