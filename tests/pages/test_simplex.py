"""The simplex page: what the browser is given, and the rate that comes back."""

import orjson
import pytest

from tests.pages.conftest import query


@pytest.fixture
def given(monkeypatch):
    shown = {}
    monkeypatch.setattr("ui.simplex.mount", lambda data, key, on_rate: shown.update(orjson.loads(data)))
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


def test_three_losses_are_the_most_and_garbage_falls_back(open_app, given):
    app = open_app("simplex", loss=["ce", "mae", "ael:a=1", "ael:a=2"], kind=["x"], rate=["9"])
    assert len(given["losses"]) == 3 and len(app.warning) == 1 and not app.exception
