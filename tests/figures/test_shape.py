"""Curves of losses at the ends of what a double holds: drawn whole, named sensibly, and without a warning."""

import numpy as np
import pytest

from alf.figures.base import Series
from alf.figures.palette import style
from alf.figures.shape import U, loss_figure, slope_figure, weight_figure
from alf.losses import parse

FIGURES = {
    "loss": (loss_figure, lambda loss, k: loss.value(U, k)),
    "slope": (slope_figure, lambda loss, k: loss.derivative(U, k)),
    "weight": (weight_figure, lambda loss, k: loss.sample_weight(U, k)),
}
EXTREME = [
    "ael:a=1e-300",
    "agce:a=1e-300,q=0.5",
    "aul:a=1e6,p=50",
    "rce:A=-1e300",
    "mae:scale=1e300",
    "formula:-1e308*u",
    "formula:1e307/(u+0.1)",
    "formula:1e-300*(1-u)",
    "formula:1/u**50",
    "fl:gamma=1000",
    "nfl:gamma=500",
]


@pytest.mark.parametrize("others", [(), ("mae",), ("ce",)], ids=["alone", "bounded", "unbounded"])
@pytest.mark.parametrize("spec", EXTREME)
@pytest.mark.parametrize("name", FIGURES)
def test_extreme_values_are_drawn(name, spec, others):
    build, values = FIGURES[name]
    given = [Series(x.label, style(x.key), U, values(x, 10), short=x.name) for x in (parse(s) for s in (spec, *others))]
    figure = build.spec(given, 10)
    assert np.isfinite(figure["layout"]["yaxis"]["range"]).all()
    assert not {"nan", "inf", "nan%", "inf%"} & set(figure["layout"]["title"]["text"].split())
    for one, trace in zip(given, figure["data"], strict=True):
        finite = np.isfinite(one.y)
        assert np.isnan(trace["y"][~finite]).all()
        np.testing.assert_allclose(trace["y"][finite], one.y[finite], rtol=1e-6, atol=1e-37)


def test_ordinary_curves_are_sent_in_single_precision():
    trace = loss_figure.spec([Series("MAE", style("mae"), U, 1 - U)], 10)["data"][0]
    assert trace["x"].dtype == trace["y"].dtype == np.float32
