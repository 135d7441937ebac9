"""Phase maps as figures: one scale for all losses, cells where their values are, a title that the numbers bear out."""

import base64
import itertools
import json
import random

import numpy as np
import pytest

from alf.figures.palette import contrast, rgb
from alf.figures.phase_map import CASING, LINE, SCALE, Heat, edges, phase_map_figure, span, title
from alf.phase import MEASURES, parse_axis
from tests.figures.test_palette import VISION, lab, linear, luminance

X, Y = parse_axis("a=0.05:6:12:log"), parse_axis("noise=0.1:0.8:10")
LAST = MEASURES["last"]


def heat(mean, std=0.0, seeds=3, name="AGCE", **more):
    mean = np.array(mean, dtype=float)
    nothing = np.zeros(mean.shape, bool)
    words = [["cell"] * mean.shape[1] for _ in mean]
    given = {"going": nothing, "failed": nothing, "words": words} | more
    return Heat(name, mean, np.full(mean.shape, float(std)), seeds, **given)


def drawn(one, measure=LAST, x=X, y=Y):
    return phase_map_figure(one, x, y, measure, span([one], measure), "symmetric")


def lines(figure):
    return [trace for trace in figure.data if trace.type == "scatter" and trace.mode == "lines+markers"]


def heights(trace):
    """A heat map's numbers."""
    z = trace.z
    if isinstance(z, dict):
        z = np.frombuffer(base64.b64decode(z["bdata"]), "<f4").reshape(*map(int, z["shape"].split(",")))
    return np.asarray(z, dtype=float)


def ridge(x=X, y=Y, best=0.4):
    """Accuracies with the best a at `best`, the more so the more noise there is."""
    a, noise = np.log(np.array(x.values))[None, :], np.array(y.values)[:, None]
    return 0.9 - 0.3 * noise - 0.05 * noise * (a - np.log(best)) ** 2


def test_the_figure_is_json_and_says_its_message():
    figure = json.loads(drawn(heat(ridge())).to_json())
    assert "the best a is 0.44" in figure["layout"]["title"]["text"]
    assert figure["layout"]["xaxis"]["type"] == "log" and figure["layout"]["yaxis"]["type"] == "linear"
    assert figure["layout"]["xaxis"]["title"]["text"] == "a"
    assert figure["layout"]["yaxis"]["title"]["text"] == "symmetric noise rate"
    bars = [trace["marker"]["colorbar"] for trace in figure["data"] if trace.get("marker", {}).get("showscale")]
    assert [bar["title"]["text"] for bar in bars] == ["last accuracy"] and bars[0]["tickformat"] == ".0%"


@pytest.mark.parametrize(
    "text", ["a=0.05:6:12:log", "noise=0.1:0.8:10", "lr=0.01,0.1,0.2,3", "classes=2:10:5", "q=1,2"]
)
def test_every_value_lies_in_its_own_cell(text):
    axis = parse_axis(text)
    ends = edges(axis)
    assert len(ends) == len(axis) + 1
    assert all(low < value < high for low, value, high in zip(ends, axis.values, ends[1:], strict=False))


def test_what_is_not_measured_is_seen_to_be_empty():
    mean = ridge()
    mean[2:, 3:] = np.nan
    going = np.zeros(mean.shape, bool)
    going[5, 5] = True
    pale, dark = drawn(heat(mean, going=going)).data[:2]
    assert np.array_equal(np.isnan(heights(dark)), np.isnan(mean))
    assert np.array_equal(np.isnan(heights(pale)), ~np.isnan(mean))
    assert heights(pale)[5, 5] == 1 and np.nansum(heights(pale)) == 1
    nothing = drawn(heat(np.full(mean.shape, np.nan)))
    assert "no cell is measured yet" in nothing.layout.title.text
    assert any(
        trace.type == "scatter" and trace.marker.showscale for trace in nothing.data
    )  # the colours stand already


@pytest.mark.parametrize("seed", range(30))
def test_all_losses_have_one_scale_that_holds_them(seed):
    pick = np.random.default_rng(seed)
    heats = [heat(pick.uniform(0, 1, (3, 4)) ** pick.integers(1, 4)) for _ in range(3)]
    for measure in (LAST, MEASURES["dead"]):
        low, high = span(heats, measure)
        assert low < high and all(low - 1e-9 <= one.mean.min() and one.mean.max() <= high + 1e-9 for one in heats)


@pytest.mark.parametrize("seed", range(60))
def test_the_title_names_the_best_value_of_the_row_it_names(seed):
    pick = random.Random(seed)
    x, y = parse_axis("a=1,2,3,4,5"), parse_axis("noise=0.1,0.2,0.3")
    mean = np.array([[pick.choice((0.2, 0.4, 0.5, 0.8)) + pick.uniform(0, 0.1) for _ in x] for _ in y])
    measure = MEASURES[pick.choice(("last", "drop", "memorised", "confidence"))]
    swapped = pick.random() < 0.5
    one = heat(mean.T if swapped else mean, 0.001)
    said = title(one, *((y, x) if swapped else (x, y)), measure, "pair")
    row = next(i for i, rate in enumerate(y.values) if f"pair noise rate {rate:g}" in said)
    assert row == int(np.argmax(np.ptp(mean, axis=1)))  # where the choice of a matters most
    best = np.argmax(mean[row]) if measure.key in ("last", "confidence") else np.argmin(mean[row])
    assert f"the best a is {best + 1}, with {measure.name} {mean[row, best]:.0%}" in said


def test_the_title_claims_no_more_than_the_seeds_bear():
    flat = heat(np.full((10, 12), 0.5) + np.linspace(0, 0.01, 12), std=0.02)
    assert "every a measured gives about the same: last accuracy 51%" in title(flat, X, Y, LAST)
    assert title(heat(ridge(), seeds=1), X, Y, LAST).startswith("With one seed, AGCE at noise rate 0.8: the best a")
    dead = title(heat(np.tile(np.arange(12.0), (10, 1))), X, Y, MEASURES["dead"], "pair")
    assert dead.endswith("the best a is 0.05, with 0 dead classes against 11 at 6")
    sparse = np.full((10, 12), np.nan)
    sparse[4, 7] = 0.5
    assert "every a measured" in title(heat(sparse), X, Y, LAST)


def test_the_line_has_gaps_where_theory_does_not_decide():
    line = np.array(X.values), np.where(np.arange(12) == 5, np.nan, 0.5)
    traces = lines(drawn(heat(ridge(), line=line)))
    assert [trace.line.color for trace in traces] == [CASING, LINE]
    assert all(np.isnan(trace.y[5]) and not trace.connectgaps for trace in traces)
    empty = heat(ridge(), line=(np.array(X.values), np.full(12, np.nan)))
    assert not lines(drawn(empty))


def test_cells_that_could_not_be_trained_are_marked():
    failed = np.zeros((10, 12), bool)
    failed[3, 2] = True
    (cross,) = [t for t in drawn(heat(ridge(), failed=failed)).data if t.type == "scatter" and t.marker.symbol == "x"]
    assert (cross.x, cross.y) == ((X.values[2],), (Y.values[3],))


@pytest.mark.parametrize("vision", VISION)
def test_the_colours_grow_darker_in_steps_that_everyone_sees(vision):
    seen = [lab(np.clip(np.array(VISION[vision]) @ linear(color), 0, 1)) for _, color in SCALE]
    assert all(one[0] - other[0] > 8 for one, other in itertools.pairwise(seen))  # in print and in grey too
    assert all(np.linalg.norm(one - other) > 12 for one, other in itertools.pairwise(seen))
    assert [luminance(color) for _, color in SCALE] == sorted((luminance(color) for _, color in SCALE), reverse=True)


def test_the_line_is_seen_on_every_colour():
    for _, color in SCALE:
        assert max(contrast(rgb(color), rgb(part)) for part in (LINE, CASING)) >= 3
