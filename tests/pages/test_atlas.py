"""The atlas: a true map, the reader's own point on it, and the region that a noise asks for."""

import numpy as np
import pytest

from alf.losses import parse
from alf.noise import parse_noise
from tests.pages.conftest import query
from ui.verdicts import ratio_map


@pytest.fixture
def maps(monkeypatch):
    import orjson

    shown = {}
    monkeypatch.setattr(
        "ui.charts.chart.mount", lambda data, key, on_click=None: shown.update({key: orjson.loads(data)})
    )
    return shown


def test_the_presets_sit_just_inside_forty_percent_pair_noise(open_app, maps):
    open_app("atlas", loss=["agce:a=0.6,q=0.6"], noise=["pair:0.4"], classes=["10"])
    assert maps["atlas-map"]["figures"][0]["layout"]["title"]["text"] == "AGCE (a=0.6, q=0.6): asymmetry ratio 0.6755"
    assert maps["atlas-map"]["clicks"] is True
    names = [trace.get("name") for trace in maps["atlas-map"]["figures"][0]["data"]]
    assert "CIFAR-10, CIFAR-100" in names and "MNIST" in names and "tolerates the noise from here" in names
    assert len(maps["atlas-slices"]["figures"]) == 2
    assert (
        maps["atlas-slices"]["figures"][0]["layout"]["title"]["text"]
        == "The loss tolerates the noise for a from about 0.57"
    )


def test_nothing_is_claimed_about_a_noise_without_a_matrix(open_app, maps):
    open_app("atlas", loss=["agce:a=0.6,q=0.6"], noise=["instance:0.4"], classes=["10"])
    titles = [figure["layout"]["title"]["text"] for figure in maps["atlas-slices"]["figures"]]
    assert titles == ["How the asymmetry ratio changes with a", "How the asymmetry ratio changes with q"]
    assert "tolerates the noise from here" not in [
        trace.get("name") for trace in maps["atlas-map"]["figures"][0]["data"]
    ]


def test_one_parameter_gives_a_curve(open_app, maps):
    app = open_app("atlas", family=["ael"], loss=["ael:a=1.5"])
    assert maps["atlas-map"]["figures"] == [] and len(maps["atlas-slices"]["figures"]) == 1
    assert maps["atlas-slices"]["clicks"] is True
    figure = maps["atlas-slices"]["figures"][0]
    # exp(-1/1.5), 1 / log 1.5
    said = "AEL (a=1.5): asymmetry ratio 0.5134; the loss tolerates the noise for a from about 2.4"
    assert said in figure["layout"]["title"]["text"]
    leads = [block.body for block in app.get("html") if "alf-head" in block.body and "hyperparameters" in block.body]
    assert leads and all("curve" in lead and "map" not in lead for lead in leads)
    assert {"CIFAR-10, CIFAR-100", "MNIST"} <= {trace["name"] for trace in figure["data"]}
    (band,) = [shape for shape in figure["layout"]["shapes"] if shape["type"] == "rect"]
    assert 2.4 < band["x0"] < 2.6  # the presets at 2.5 and 3.5 lie in it, 1.5 does not
    assert not app.exception


def test_a_curve_that_rises_at_once_is_smooth(open_app, maps):
    open_app("atlas", family=["ael"], show=["symmetric"], classes=["1000"], noise=["symmetric:0.9"])
    curve = maps["atlas-slices"]["figures"][0]["data"][0]
    x, y = np.array(curve["x"]), np.array(curve["y"])
    assert (np.diff(x) > 0).all() and np.diff(y).max() < 0.07


def test_controls_change_the_map_and_the_link(open_app, maps):
    app = open_app("atlas")
    app.selectbox(key="pick-family").set_value("aul").run()
    app.selectbox(key="pick-show").set_value("symmetric").run()
    assert (query(app, "family"), query(app, "show")) == (["aul"], ["symmetric"])
    assert "critical symmetric noise 8" in maps["atlas-map"]["figures"][0]["layout"]["title"]["text"]
    app.slider(key="noise-rate").set_value(0.5).run()
    assert "does not dominate" in " ".join(c.value for c in app.caption)
    assert not app.exception


def test_a_click_moves_to_values_a_person_would_type():
    assert ratio_map.at_point(parse("aul:a=2,p=1.5"), 3.14159, 0.98765).spec == "aul:a=3.14,p=0.99"


@pytest.mark.parametrize(("noise", "least"), [("pair:0.4", 2 / 3), ("symmetric:0.4", 0.4 / 9 / 0.6), ("none", 0.0)])
def test_the_least_ratio_of_a_noise(noise, least):
    assert ratio_map.least_ratio(parse_noise(noise, 10)) == pytest.approx(least)
    assert ratio_map.least_ratio(parse_noise("pair:0.6", 10)) is None


def test_the_critical_rates_belong_to_the_ratio():
    ratio = np.array([0.6754800192603067])
    assert ratio_map.quantity(ratio, "pair", 10)[0] == pytest.approx(0.403156, abs=1e-6)
    assert ratio_map.quantity(ratio, "symmetric", 10)[0] == pytest.approx(0.8587, abs=1e-4)


def test_garbage_in_the_link(open_app, maps):
    app = open_app("atlas", family=["ce"], show=["x"], loss=["agce:a=-1,q=1"], noise=["?"], classes=["1"])
    assert len(app.warning) == 1 and not app.exception and query(app, "family") == ["agce"]
