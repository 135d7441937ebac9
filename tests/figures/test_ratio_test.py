"""Accuracy against the ratio: every setting is a point with its spread, the title is what the numbers say."""

import numpy as np
import pytest

from alf.figures.palette import style
from alf.figures.ratio_test import AtScale, ratio_test_figure
from alf.training.higher_ratio import Setting, higher_ratio

RATIOS = (0.15, 0.29, 0.49, 0.68, 0.85, 0.94)


def at_scale(means, scale="own gradient scale"):
    settings = [Setting(r, (m - 0.01, m + 0.01), f"a = {r}") for r, m in zip(RATIOS, means, strict=True)]
    return AtScale(scale, higher_ratio(settings))


def test_the_points_are_the_settings_and_a_ridge_is_marked():
    one = at_scale((0.37, 0.44, 0.57, 0.56, 0.47, 0.45))
    figure = ratio_test_figure([one], style("agce"), "AGCE", "symmetric 0.8")
    line, marks = figure.data
    np.testing.assert_allclose(marks.x, RATIOS)
    np.testing.assert_allclose(marks.error_y.array, 0.01)
    assert list(marks.customdata) == [f"a = {r}" for r in RATIOS] and line.name == "AGCE"
    assert figure.layout.title.text == "A higher ratio is better up to 0.49, then worse"
    assert figure.layout.shapes[0].x0 == pytest.approx(0.49)


def test_two_scales_are_two_lines_and_the_title_speaks_of_the_first():
    rising = at_scale((0.3, 0.4, 0.5, 0.6, 0.7, 0.8), "equal gradient scale")
    figure = ratio_test_figure.spec([rising, at_scale((0.5,) * 6)], style("agce"), "AGCE", "pair 0.4")
    assert [trace["name"] for trace in figure["data"][::2]] == [
        "AGCE, equal gradient scale",
        "AGCE, own gradient scale",
    ]
    assert figure["data"][0]["line"]["dash"] != figure["data"][2]["line"]["dash"]
    assert figure["layout"]["title"]["text"].startswith("AGCE, equal gradient scale: a higher ratio is better here")
    assert not figure["layout"]["shapes"]
