"""The simplex page: what the browser is given, and the rate that comes back."""

import orjson
import pytest

from tests.pages.conftest import query


@pytest.fixture
def given(monkeypatch):
    shown = {}
    monkeypatch.setattr("ui.verdicts.triangle.mount", lambda data, key, on_rate: shown.update(orjson.loads(data)))
    return shown


def test_the_browser_gets_everything_for_every_rate(open_app, given):
    app = open_app("simplex", loss=["agce:a=0.6,q=0.6", "nce"], kind=["pair"], rate=["0.2"])
    agce, nce = given["losses"]
    assert given["top"] == 0.5 and given["rate"] == 0.2
    assert agce["critical"] == pytest.approx(0.403156, abs=1e-6) and nce["critical"] is None
    steps = len(agce["best"]) - 1
    before, after = int(0.40 / 0.5 * steps), int(0.41 / 0.5 * steps) + 1
    assert agce["best"][before] == [1, 0, 0] and agce["best"][after][0] < 0.999
    assert all(edge and edge[0] == 0 for edge in nce["edges"][1:-1])
    assert query(app, "kind") == ["pair"]


def test_the_kind_changes_the_reach(open_app, given):
    app = open_app("simplex")
    app.selectbox(key="pick-kind").set_value("symmetric").run()
    assert given["kind"] == "symmetric" and given["top"] == pytest.approx(2 / 3)
    assert query(app, "kind") == ["symmetric"]


def test_a_rate_beyond_the_kinds_reach_is_said_and_not_kept_in_the_link(open_app, given):
    for kind, rate, reach in (("pair", "0.6", "0.5"), ("pair", "2", "0.5"), ("symmetric", "2", "0.666667")):
        app = open_app("simplex", kind=[kind], rate=[rate])
        [warning] = app.warning
        assert f"rate must be a number in \\[0, {reach}\\], got '{rate}'" in warning.value.replace("Rate", "rate")
        assert query(app, "rate") == [f"{given['rate']:g}"] and given["rate"] <= given["top"]
    app = open_app("simplex", kind=["symmetric"], rate=["0.6"])
    assert given["rate"] == 0.6 and not app.warning
    app.selectbox(key="pick-kind").set_value("pair").run()
    assert given["rate"] == 0.5 and query(app, "rate") == ["0.5"] and not app.warning


def test_a_link_without_a_kind_is_read_with_the_readers_own(open_app, given):
    app = open_app("simplex", kind=["symmetric"], rate=["0.2"])
    app.query_params.clear()
    app.query_params["rate"] = "0.666666666667"  # as the page writes two thirds
    app.run()
    assert given["kind"] == "symmetric" and given["rate"] == pytest.approx(2 / 3) and not app.warning


def test_three_losses_are_the_most_and_garbage_falls_back(open_app, given):
    app = open_app("simplex", loss=["ce", "mae", "ael:a=1", "ael:a=2"], kind=["x"], rate=["9"])
    assert len(given["losses"]) == 3 and len(app.warning) == 1 and not app.exception


def test_clean_risk_stands_beside_noisy_risk(open_app, given):
    app = open_app("simplex", loss=["nce"], kind=["pair"], rate=["0.3"])
    assert ["clean" in loss for loss in given["losses"]] == [False]
    app.toggle(key="switch-beside").set_value(True).run()
    assert [loss.get("clean", False) for loss in given["losses"]] == [True, False]
    assert given["losses"][0]["edges"][0] is not None  # without noise a whole edge is as good already
    assert query(app, "beside") == ["yes"]


def test_more_classes_show_the_edge_to_the_likeliest_wrong_label(open_app, charts):
    app = open_app("simplex", loss=["ce", "agce:a=0.6,q=0.6"], kind=["pair"], rate=["0.4"], shown=["edge"])
    app.number_input(key="classes").set_value(100).run()
    [figure] = charts["simplex-edge"]
    assert figure["layout"]["title"]["text"].startswith(
        "With 40% pair noise over 100 classes the best prediction gives the true class 60% for CE"
    )
    app.slider(key="simplex-rate").set_value(0.41).run()
    assert "of no loss here is the true class" in charts["simplex-edge"][0]["layout"]["title"]["text"]
    assert query(app, "rate") == ["0.41"] and not app.exception


def test_an_edge_of_symmetric_noise_counts_the_rival_alone(open_app, charts):
    open_app("simplex", loss=["ce"], kind=["symmetric"], rate=["0.6"], shown=["edge"], classes=["4"])
    # of the labels that say either class, 0.4 say the true one and 0.2 the rival
    [dot] = [trace for trace in charts["simplex-edge"][0]["data"] if trace["mode"] == "markers"]
    assert dot["x"] == [pytest.approx(2 / 3, abs=0.002)]
