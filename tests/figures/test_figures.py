"""Every figure: valid for Plotly, says a message, names its axes, and carries nothing that JSON cannot."""

import json
import os
import re

import numpy as np
import plotly.graph_objects as go
import pytest

from alf.figures.atlas import atlas_figure, slice_figure
from alf.figures.base import Series
from alf.figures.headline import Result, leaders, told_apart
from alf.figures.label_placement import Box, Sizes, sides
from alf.figures.matrix import HEAT_DARK, cell_ink, ground, matrix_figure
from alf.figures.palette import contrast, rgb, style, styles
from alf.figures.risk import P, calibration_figure, edge_figure, edge_risk, minimiser
from alf.figures.shape import U, loss_figure, slope_figure, weight_figure
from alf.figures.simplex import raster, simplex_figure, to_plane
from alf.figures.trade_off import trade_off_figure
from alf.figures.training import accuracy_figure, bands, memorised_figure, metric_figure
from alf.figures.witness import curve_figure, path_figure
from alf.losses import catalogue, parse
from alf.numbers import rounded, times
from alf.theory.ratios.grid import ratio_grid


def series(specs, values):
    losses = [parse(spec) for spec in specs]
    return [
        Series(loss.label, s, U if len(v) == len(U) else P, v, short=loss.name)
        for loss, s, v in zip(losses, styles(x.key for x in losses), map(values, losses), strict=True)
    ]


def curve_over_epochs(name, values, spread=0.01):
    y = np.array(values, dtype=float)
    return Series(name, style(name.lower()), np.arange(1.0, len(y) + 1), y, np.full(len(y), spread))


def ends(*curves, seeds=3):
    return [Result(s.name, float(s.y[-1]), float(s.spread[-1]), seeds) for s in curves]


MIXED = ("ce", "agce:a=0.6,q=0.6", "mae")


def _mark(x, y):
    return Series("AGCE", style("agce"), np.array([x]), np.array([y]))


def _map():
    x, y = np.geomspace(0.05, 10, 20), np.linspace(0.05, 2, 15)
    values = ratio_grid(parse("agce:a=1,q=1"), a=x[None, :], q=y[:, None])
    presets = [("MNIST", 4.0, 0.2)]
    return atlas_figure(x, y, values, ("a", "q"), "ratio", "AGCE: asymmetry ratio", _mark(0.6, 0.6), presets, 0.6)


FIGURES = {
    "matrix": lambda: matrix_figure(np.array([[0.6, 0.4], [0.5, 0.5]])),
    "atlas": _map,
    "slice": lambda: slice_figure(curve_over_epochs("AGCE", [0.2, 0.5, 0.9]), 2.0, "a", "ratio", "Enough from a", 0.6),
    "trade": lambda: trade_off_figure([_mark(0.6, 0.3)], 10),
    "path": lambda: path_figure(Series("AGCE", style("agce"), np.linspace(0, 1, 5), np.ones(5)), np.inf, 0.4),
    "curve": lambda: curve_figure(Series("AGCE", style("agce"), U, 1 - U), [0.25, 0.5], "The loss does not fall"),
    "calibration": lambda: calibration_figure(Series("CE", style("ce"), np.linspace(0, 1, 5), np.linspace(0, 1, 5))),
    "loss": lambda: loss_figure(series(MIXED, lambda x: x.value(U)), 10),
    "slope": lambda: slope_figure(series(MIXED, lambda x: x.derivative(U)), 10),
    "weight": lambda: weight_figure(series(MIXED, lambda x: x.sample_weight(U)), 10),
    "risk": lambda: edge_figure(series(("ce", "agce:a=4,q=0.2"), lambda x: x.value(P, 2)), 0.4),
    "accuracy": lambda: accuracy_figure([curve_over_epochs("CE", [0.5, 0.9, 0.6])], 120),
    "memorised": lambda: memorised_figure([curve_over_epochs("CE", [0.1, 0.5, 0.9])], 120),
    "metric": lambda: metric_figure([curve_over_epochs("CE", [2.0, 1.0, 0.5])], 120, "train_loss"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_complete(name):
    figure = FIGURES[name]()
    assert isinstance(figure, go.Figure)
    assert len(figure.layout.title.text) > 10
    assert figure.layout.xaxis.title.text and figure.layout.yaxis.title.text
    assert not figure.layout.title.text.endswith(".")
    text = figure.to_json()
    assert "Infinity" not in text and "NaN" not in text
    assert set(json.loads(text)) == {"data", "layout"}


def test_the_triangle_is_dark_where_the_risk_is_least():
    _, _, predictions = raster()
    risk = parse("ce").vector(predictions) @ np.array([0.6, 0.3, 0.1])
    figure = simplex_figure(risk, [_mark(*to_plane([0.6, 0.3, 0.1]))], "The lowest risk is at the weights")
    heat = figure.data[0]
    row, column = np.unravel_index(np.argmin(heat.z), heat.z.shape)
    np.testing.assert_allclose([heat.x[column], heat.y[row]], to_plane([0.6, 0.3, 0.1]), atol=0.02)
    assert "NaN" not in figure.to_json()


def test_the_lines_are_the_losses_values():
    figure = FIGURES["loss"]()
    assert [t.name for t in figure.data] == ["CE", "AGCE (a=0.6, q=0.6)", "MAE"]
    np.testing.assert_allclose(figure.data[2].y, 1 - U, atol=1e-6)
    assert np.isnan(figure.data[0].y[0])  # -log 0 is a gap, not a number
    assert figure.layout.shapes[0].x0 == 0.1


@pytest.mark.parametrize("key", catalogue())
def test_every_loss_of_the_catalogue_can_be_drawn(key):
    for loss in catalogue()[key].configurations():
        for classes in (2, 10, 1000):
            for build, y in (
                (loss_figure, loss.value(U, classes)),
                (slope_figure, loss.derivative(U, classes)),
                (weight_figure, loss.sample_weight(U, classes)),
            ):
                figure = build([Series(loss.label, style(key), U, y, short=loss.name)], classes)
                low, high = figure.layout.yaxis.range
                assert np.isfinite([low, high]).all() and low < high, (loss.spec, classes, build.__name__)
                assert not {"nan", "inf", "nan%", "inf%"} & set(figure.layout.title.text.split())


@pytest.mark.parametrize(("rate", "ce"), [(0.0, 1.0), (0.1, 0.9), (0.4, 0.6)])
def test_cross_entropy_settles_at_the_share_of_right_labels(rate, ce):
    assert minimiser(edge_risk(parse("ce").value(P, 2), rate)) == pytest.approx(ce, abs=2 / len(P))
    assert minimiser(edge_risk(parse("agce:a=4,q=0.2").value(P, 2), rate)) == 1.0


def test_titles_say_what_happened():
    assert "without limit" in FIGURES["loss"]().layout.title.text
    both = [curve_over_epochs("CE", [0.5, 0.9, 0.6]), curve_over_epochs("AGCE", [0.5, 0.9, 0.94])]
    assert accuracy_figure(both[:1], 120, (), ends(both[0])).layout.title.text == "CE reaches 90%, then falls to 60%"
    title = accuracy_figure(both, 120, (), ends(*both)).layout.title.text
    assert title == "CE reaches 90%, then falls to 60%; AGCE leads with 94%"
    alone = accuracy_figure(both, 120, (), ends(*both, seeds=1)).layout.title.text
    assert alone == "With one seed CE reaches 90%, then falls to 60%"
    assert "gives the true class 60% for CE" in FIGURES["risk"]().layout.title.text


@pytest.mark.parametrize(
    ("agce", "ce", "said"), [(0.073, 0.063, "6% to 7%"), (0.073, 0.071, "about 7%"), (0.004, 0.003, "about 0%")]
)
def test_shares_memorised_that_cannot_be_told_apart_are_given_as_they_are(agce, ce, said):
    curves = [curve_over_epochs("AGCE", [0.02, agce]), curve_over_epochs("CE", [0.01, ce])]
    figure = memorised_figure(curves, 120, (), ends(*curves))
    assert figure.layout.title.text == f"AGCE and CE cannot be told apart: {said} of the wrong labels memorised"


SOAK = 5000 if os.environ.get("ALF_SOAK") == "1" else 400


@pytest.mark.parametrize("build", [accuracy_figure, memorised_figure])
def test_a_headline_claims_nothing_that_the_numbers_do_not_say(build):
    random = np.random.default_rng(7)
    for _ in range(SOAK):
        names = ["CE", "MAE", "AGCE", "AUL", "AEL"][: random.integers(1, 6)]
        seeds = int(random.integers(1, 4))
        curves = [
            curve_over_epochs(n, random.random(4).round(int(random.integers(1, 5))), random.choice([0, 0.01, 0.1, 0.3]))
            for n in names
        ]
        found = ends(*curves, seeds=seeds)
        by_name = {end.name: end for end in found}
        title = build(curves, 4, (), found).layout.title.text
        if "leads" in title:
            who = re.search(r"(\w+) leads", title)[1]
            assert all(by_name[who].mean > o.mean and told_apart(by_name[who], o) for o in found if o.name != who)
            assert leaders(found) == [names.index(who)]  # the row in bold
        if "falls" in title:
            who, top = re.search(r"(\w+) reaches (\d+%)", title).groups()
            curve = curves[names.index(who)]
            assert f"{curve.y.max():.0%}" == top and curve.y.max() - curve.y[-1] > 0.05
            assert seeds == 1 or curve.y.max() - curve.y[-1] > 2 * curve.spread[-1]
        if memorised := re.search(r"^(\w+) has memorised .* labels, (\w+)", title):
            most, least = (by_name[name] for name in memorised.groups())
            assert most.mean == max(o.mean for o in found) and least.mean == min(o.mean for o in found)
            assert told_apart(most, least)
        if "cannot be told apart:" in title and seeds > 1:
            highest, lowest = max(found, key=lambda o: o.mean), min(found, key=lambda o: o.mean)
            assert not told_apart(highest, lowest)
        if seeds == 1 and len(names) > 1:
            assert "ne seed" in title and "leads" not in title and leaders(found) == []
        assert "e+" not in title and "nan" not in title


@pytest.mark.parametrize(
    "spec", ["ce", "fl:gamma=0.5", "sce:alpha=1,beta=1", "formula:-log(u)/50", "formula:log(1/u)**0.5", "nlnl"]
)
@pytest.mark.parametrize("rate", [0.0, 0.05, 0.4])
def test_a_risk_without_end_leaves_the_picture_by_its_top(spec, rate):
    value = parse(spec).value(P, 2)
    [curve, *_] = edge_figure([Series("loss", style("ce"), P, value)], rate).data
    top = edge_figure([Series("loss", style("ce"), P, value)], rate).layout.yaxis.range[1]
    risk = edge_risk(value, rate)
    assert not np.isnan(curve.y).any()
    for end in (0, -1):
        assert np.isposinf(risk[end]) == (curve.y[end] > top)
    assert curve.x[0] == 0 and curve.x[-1] == 1


def test_both_ends_of_a_curve_are_drawn_closely():
    assert {0.0, 1.0} < set(U) and min(np.diff(U)[0], np.diff(U)[-1]) < 1e-8
    steep = parse("formula:(1-u)**0.2").value(U)  # falls by a fifth in the last thousandth
    assert np.abs(np.diff(steep)).max() < 0.05


def test_numbers_in_sentences_are_written_out():
    assert times(1000, 1) == "about 1,000 times" and times(99.99, 1) == "about 100 times" and "e+" not in times(1e9, 1)
    for value in 10 ** np.random.default_rng(3).uniform(-9, 12, 300):
        text = rounded(value)
        assert "e" not in text
        mantissa, _, power = text.replace(",", "").partition("·10")
        power = power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
        assert float(mantissa) * 10.0 ** int(power or 0) == pytest.approx(value, rel=6e-3)


def test_a_label_that_loses_by_little_is_seen_to_lose():
    rows = np.array([[0.333, 0.333, 0.334], [0, 1, 0], [0, 0, 1]])
    assert matrix_figure(rows).layout.title.text == (
        "The clean label loses in class 1: 33.3% against 33.4% for label 3"
    )
    rows[0] = 0.5, 0.5, 0
    assert "ties in class 1: 50% against 50%" in matrix_figure(rows).layout.title.text
    both = matrix_figure(np.array([[0.4, 0.6, 0], [0.6, 0.4, 0], [0, 0, 1]]))
    assert both.layout.title.text == "The clean label loses in 2 of 3 classes: 40% against 60% in class 1"


@pytest.mark.parametrize("page", [0, 1], ids=["light", "dark"])
def test_every_number_on_a_heat_map_can_be_read(page):
    for value in np.linspace(0, 1, 501):
        color = cell_ink(value)
        shown = HEAT_DARK.get(color, color) if page else color
        assert contrast(rgb(shown), ground(value, page)) >= 4.5


def trade(weights, classes=10):
    """The trade-off of losses (name, label) -> (ratio, weight)."""
    marks = [
        Series(label, style(name.lower()), np.array([x]), np.array([y]), short=name)
        for (name, label), (x, y) in weights.items()
    ]
    return trade_off_figure(marks, classes)


def test_a_trade_off_of_many_classes_tells_small_weights_apart():
    figure = trade({("CE", "CE"): (0, 0.99), ("GCE", "GCE"): (0, 0.025), ("MAE", "MAE"): (1, 0.004)}, 1000)
    heights = [trace.y[0] for trace in figure.data]
    assert heights[0] - heights[1] > 0.3 and heights[1] - heights[2] > 0.2 and min(heights) == pytest.approx(0)
    scale = dict(zip(figure.layout.yaxis.ticktext, figure.layout.yaxis.tickvals, strict=True))
    assert scale["1%"] == pytest.approx(np.interp(-2, np.log10([0.004, 0.025]), heights[:0:-1]))
    assert "weight 0.004" in figure.data[2].hovertemplate and "logarithmic" in figure.layout.title.subtitle.text
    none = trade({("CE", "CE"): (0, 0.99), ("GCE", "GCE"): (0, 0.025), ("MAE", "MAE"): (1, 0.0)}, 1000)
    scale = dict(zip(none.layout.yaxis.ticktext, none.layout.yaxis.tickvals, strict=True))
    assert none.data[2].y[0] == pytest.approx(scale["none"]) and scale["none"] < min(t.y[0] for t in none.data[:2])
    assert none.layout.yaxis.range[0] < scale["none"]


def test_marks_of_the_trade_off_that_coincide_are_rings_named_once():
    places = {("MAE", "MAE"): (1, 0.36), ("RCE", "RCE"): (1, 0.36), ("AEL", "AEL (a=3)"): (0.7, 0.4)}
    figure = trade(places | {("AEL", "AEL (a=2)"): (0.5, 0.4)})
    assert [trace.text for trace in figure.data] == [("MAE, RCE",), None, ("AEL (a=3)",), ("AEL (a=2)",)]
    assert figure.data[0].marker.size > figure.data[1].marker.size
    assert all("MAE" in trace.hovertemplate and "RCE" in trace.hovertemplate for trace in figure.data[:2])
    assert figure.layout.yaxis.tickformat == ".0%"


def test_bands_are_mean_and_deviation_over_seeds_and_skip_what_is_missing():
    rows = [(e, s) for e in (1, 2, 3) for s in (0, 1)]
    records = [{"loss": "ce", "epoch": e, "lane": s, "m": None if e == 3 else e + s} for e, s in rows]
    epochs, mean, spread = bands(records, "m")["ce"]
    assert epochs.tolist() == [1, 2] and mean.tolist() == [1.5, 2.5] and spread.tolist() == [0.5, 0.5]


def test_a_curve_goes_as_far_as_its_slowest_lane_that_still_goes():
    ahead = [{"loss": "ce", "epoch": e, "lane": 0, "m": 1.0} for e in (1, 2, 3)]
    behind = [{"loss": "ce", "epoch": 1, "lane": 1, "m": 0.0}]
    assert bands(ahead + behind, "m")["ce"][0].tolist() == [1]
    assert bands(ahead + behind, "m", ended={1: "NaN"})["ce"][1].tolist() == [0.5, 1.0, 1.0]


def test_an_empty_run_still_gives_figures():
    empty = Series("CE", style("ce"), np.array([]), np.array([]), np.array([]))
    for build in (accuracy_figure, memorised_figure):
        assert build([empty], 120).layout.title.text


def test_the_plain_data_is_the_same_figure():
    args = (series(MIXED, lambda x: x.value(U)), 10)
    assert go.Figure(loss_figure.spec(*args)) == loss_figure(*args)


def test_a_headline_names_every_loss_of_a_draw_and_no_rounded_zero():
    specs = ("mae", "1-u", "agce:a=0.6,q=0.6")
    title = slope_figure(series(specs, lambda x: x.derivative(U)), 10).layout.title.text
    assert title == "MAE and 1-u keep 100% of their slope up to u = 1, AGCE 68%"
    [flat] = series(["agce:a=1e300,q=0.6"], lambda x: x.value(U))
    assert "at most 0" not in loss_figure([flat], 10).layout.title.text


def test_the_mark_of_a_loss_at_the_right_end_stands_inside():
    x = np.linspace(0, 50, 51)
    curve = Series("AEL", style("ael"), x, np.exp(-1 / (x + 1)))
    for at, anchor in ((50.0, "right"), (5.0, "left")):
        figure = slice_figure(curve, at, "a", "ratio", "How the ratio changes with a")
        [word] = [note for note in figure.layout.annotations if note.text == f"a = {at:g}"]
        assert word.xanchor == anchor


@pytest.mark.parametrize("seed", range(8))
def test_a_label_stands_where_it_covers_least(seed):
    """With one label, whatever the marks, no other side of its mark covers less of them or leaves the plot less."""
    random = np.random.default_rng(seed)
    places = [tuple(map(float, place)) for place in random.uniform(0, 1, (12, 2))]
    plot, sizes, words = Box(0, 0, 1, 1), Sizes(0.02, 0.06, 0.02, 0.03), ["AGCE (a=0.6,", "q=0.6)"]
    [chosen] = sides([words], [[0]], places, plot, sizes)

    def covered(right, up):
        label = sizes.label(words, *places[0], right, up)
        outside = max(0, -label.left, label.right - 1, -label.low, label.high - 1)
        return outside + sum(label.common(sizes.mark(*place)) for place in places[1:])

    across, along = {"left": -1, "center": 0, "right": 1}, {"bottom": -1, "middle": 0, "top": 1}
    vertical, horizontal = chosen.split()
    others = [covered(right, up) for right in (-1, 0, 1) for up in (-1, 0, 1) if right or up]
    assert len(others) == 8 and covered(across[horizontal], along[vertical]) <= min(others) + 1e-9
