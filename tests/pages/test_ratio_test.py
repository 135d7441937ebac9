"""The claim about the ratio on the Runs page: which runs can be tested, at both gradient scales, and what is said."""

from html import unescape

import pytest

from tests.pages.test_runs import RECIPE, engine, html, trained  # noqa: F401
from ui.runs import ratio_test, rows

FAMILY = tuple(f"agce:a={a},q=0.6" for a in (0.01, 0.05, 0.2, 0.6, 2, 6))
SETTINGS = RECIPE.with_(losses=FAMILY, seeds=(0,), noise=("symmetric:0.8",))


def test_without_a_family_the_page_offers_one(open_app, engine, charts):  # noqa: F811
    trained(engine)
    app = open_app("runs")
    assert "at least 4 settings of one loss" in html(app) and not [
        key for key in charts if key.startswith("ratio-test")
    ]


def test_a_run_of_one_family_is_tested(open_app, engine, charts):  # noqa: F811
    trained(engine, SETTINGS, accuracy=0.2)  # each next setting is better by 10 points
    body = unescape(html(open_app("runs")))
    assert "Accuracy rises with the ratio: rank correlation 1 over 6 settings" in body
    assert "With one seed no spread is known." in body
    (figure,) = charts["ratio-test-0"]
    assert figure["data"][1]["y"] == pytest.approx([0.2, 0.3, 0.4, 0.5, 0.6, 0.7])
    assert figure["data"][1]["x"] == pytest.approx([(a / (a + 1)) ** 0.4 for a in (0.01, 0.05, 0.2, 0.6, 2, 6)])


def test_both_scales_are_compared_where_all_else_is_alike(open_app, engine, charts):  # noqa: F811
    own = trained(engine, SETTINGS, accuracy=0.2)
    equal = trained(engine, SETTINGS.with_(equal_scale=True), accuracy=0.3)
    other = trained(engine, SETTINGS.with_(equal_scale=True, lr=0.1), accuracy=0.1)
    open_app("runs", runs=[own, equal])
    assert len(charts["ratio-test-0"][0]["data"]) == 4 and "ratio-test-1" not in charts
    charts.clear()
    app = open_app("runs", runs=[own, other])
    assert all(len(charts[f"ratio-test-{i}"][0]["data"]) == 2 for i in (0, 1))
    assert not app.exception


def test_settings_in_several_runs_make_one_family(engine):  # noqa: F811
    runs = [trained(engine, SETTINGS.with_(losses=losses)) for losses in (FAMILY[:3], FAMILY[2:])]
    (family,) = ratio_test.families([rows.find(run) for run in runs])
    assert list(family.accuracies[False]) == list(FAMILY) and family.name == "AGCE"
    assert not ratio_test.families([rows.find(runs[0])])


def test_a_run_that_goes_on_is_not_tested(engine):  # noqa: F811
    run = trained(engine, SETTINGS, epochs=2)
    assert not ratio_test.families([rows.find(run)])
