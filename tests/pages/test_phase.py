"""The Phase page: a map from controls and link, and a sweep asked once. Real maps are in tests/browser."""

import pytest

from alf.errors import InputError
from alf.losses import catalogue
from alf.phase import MEASURES, Cell, Measured, PhaseMap, parse_axis
from alf.phase.sweep import State, SweepState, refuse_too_many
from alf.settings import Settings
from tests.pages.conftest import query
from ui.phase import live, shown
from ui.phase.fields import DEFAULT, FIELDS, cell_of, first_axis, kinds, map_of, values_of
from ui.training import session

SMALL = {"x": ["a=0.5,2"], "y": ["noise=0.2:0.8:3"], "map-seeds": ["2"]}


def measured(phase, cell):
    value = 0.9 - 0.1 * cell.y - 0.05 * cell.x
    return Measured(phase.recipe.seeds, {key: (value,) * len(phase.recipe.seeds) for key in MEASURES})


class Sweep:
    """A sweep that measures a third of its cells each time it is asked to go on."""

    estimate = 100.0
    store: dict = {}  # map key -> [status, cells measured]

    def __init__(self, phase, engine, reader, measure="last"):
        refuse_too_many(phase, Settings.from_environment({"ALF_MAX_CELLS": "500"}))
        self.phase, self.known = phase, self.store.setdefault(phase.key, [SweepState.NEW, 0])

    def look(self):
        status, count = self.known
        cells = {cell: measured(self.phase, cell) for cell in self.phase.cells[:count]}
        going = frozenset(self.phase.cells[count : count + 2]) if status == SweepState.RUNNING else frozenset()
        return State(cells, going, {}, count, len(self.phase.cells), 12.0, status, None)

    def advance(self):
        total = len(self.phase.cells)
        if self.known[0] == SweepState.RUNNING:
            self.known[1] = min(total, self.known[1] + total // 3)
            self.known[0] = SweepState.FINISHED if self.known[1] == total else SweepState.RUNNING
        return self.look()

    def start(self):
        self.known[0] = SweepState.RUNNING
        return self.advance()

    in_background = start

    def stop(self):
        self.known[0] = SweepState.STOPPED
        return self.look()

    def run_of(self, cell):
        return None


@pytest.fixture(autouse=True)
def sweeps(monkeypatch):
    monkeypatch.setattr(Sweep, "store", {})
    monkeypatch.setattr(shown, "sweep_of", Sweep)
    monkeypatch.setattr(session, "engine", lambda: None)
    monkeypatch.setattr(session, "owner", lambda: "me")
    return Sweep.store


def html(app):
    return " ".join(str(block.proto.body) for block in app.get("html"))


def keys(app):
    return {button.key for button in app.button}


def test_a_recorded_map_is_shown_when_nothing_was_started(open_app, charts):
    app = open_app("phase")
    assert "A recorded map" in html(app) and "with these settings" in html(app)
    (figure,) = charts["phase-map"]
    assert "best a" in figure["layout"]["title"]["text"] or "every a" in figure["layout"]["title"]["text"]
    assert "stop-map" not in keys(app)
    assert any("360 networks" in caption.value for caption in app.caption)
    app = open_app("phase", **SMALL)
    assert "with other settings than the controls" in html(app)


def test_a_map_starts_fills_stops_and_goes_on(open_app, charts, sweeps):
    app = open_app("phase", **SMALL)
    assert any("2 × 3 cells × 2 seeds\\: 12 networks, about" in caption.value for caption in app.caption)
    app.button(key="start-map").click().run()
    assert "Your map:" in html(app) and "of 6 cells measured" in html(app)
    assert "stop-map" in keys(app)
    app.button(key="stop-map").click().run()
    assert "stopped with" in html(app) and app.button(key="start-map").label == "Resume"
    app.button(key="start-map").click().run()
    for _ in range(4):
        app.run()
    assert "all 6 cells are measured" in html(app) and app.button(key="start-map").disabled
    again = open_app("phase", **{name: query(app, name) for name in app.query_params})
    assert "all 6 cells are measured" in html(again)  # whoever comes back finds it
    assert len(sweeps) == 1


def test_the_link_is_the_map(open_app):
    app = open_app("phase", **SMALL, **{"map-loss": ["ael:a=3", "formula:exp(-u/a);a=2[0.1,9]"], "measure": ["dead"]})
    assert not app.warning and not app.error
    assert query(app, "x") == ["a=0.5,2"] and len(query(app, "map-loss")) == 2
    same = open_app("phase", **{name: query(app, name) for name in app.query_params})
    assert {name: query(same, name) for name in same.query_params} == {
        name: query(app, name) for name in app.query_params
    }


def test_another_map_stops_the_one_that_is_going(open_app, sweeps):
    app = open_app("phase", **SMALL | {"y": ["noise=0.1:0.8:8"]})
    app.button(key="start-map").click().run()
    (first,) = sweeps
    sweeps[first][:] = [SweepState.RUNNING, 3]
    app.text_input(key="text-x").set_value("a=1,2,3,4").run()
    assert sweeps[first][0] == SweepState.RUNNING  # to look at something else stops nothing
    app.button(key="start-map").click().run()
    assert sweeps[first][0] == SweepState.STOPPED
    assert [one[0] for key, one in sweeps.items() if key != first] != [SweepState.NEW]


def test_two_losses_are_two_figures_with_one_scale(open_app, charts):
    app = open_app("phase", **SMALL, **{"map-loss": ["ael:a=3", "agce:a=1,q=0.5"]})
    app.button(key="start-map").click().run()
    scales = [[(t["zmin"], t["zmax"]) for t in f["data"] if t["type"] == "heatmap"] for f in charts["phase-map"]]
    assert len(scales) == 2 and scales[0] == scales[1]
    assert [f["layout"]["title"]["text"].partition(":")[0] for f in charts["phase-map"]] == ["AEL", "AGCE"]


BAD = {
    ("x", "a=1"): "needs at least two values",
    ("x", "a=0.1:6:9:wiggly"): "is written",
    ("y", "noise=0.5:1.5:4"): "must lie in [0, 1]",
    ("measure", "beauty"): "must be one of",
    ("map-noise", "none"): "a map needs one of",
    ("map-loss", "no-such-loss"): "no-such-loss",
    ("map-network", "lasagne"): "got lasagne",
}


@pytest.mark.parametrize(("name", "text"), BAD)
def test_what_a_link_has_wrong_is_said_and_the_default_stands(open_app, name, text):
    app = open_app("phase", **{name: [text]})
    assert any(BAD[name, text] in warning.value.replace("\\", "") for warning in app.warning), [
        w.value for w in app.warning
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"x": ["beta=1:2:3"]}, "hyperparameter of every loss"),
        ({"x": ["noise=0.1:0.2:3"]}, "must be of two kinds"),
        ({"x": ["a=0.05:6:100:log"], "y": ["noise=0.1:0.8:100"]}, "at most 500 networks"),
        ({"map-loss": ["ce"]}, "hyperparameter of every loss"),
    ],
)
def test_a_map_that_cannot_be_is_refused_before_it_starts(open_app, given, said):
    app = open_app("phase", **given)
    assert any(said in error.value.replace("\\", "") for error in app.error), [error.value for error in app.error]
    assert app.button(key="start-map").disabled and "A recorded map" in html(app)


def test_an_axis_that_is_none_stays_in_its_field_with_the_reason(open_app):
    app = open_app("phase", **SMALL)
    app.text_input(key="text-x").set_value("a=1").run()
    assert any("at least two values" in error.value.replace("\\", "") for error in app.error)
    assert query(app, "x") == ["a=0.5,2"]
    app.text_input(key="text-x").set_value("a=0.1:10:5:log").run()
    assert not app.error and query(app, "x") == ["a=0.1:10:5:log"]
    app.number_input(key="count-x").set_value(7).run()
    assert query(app, "x") == ["a=0.1:10:7:log"]
    app.number_input(key="low-x").set_value(20).run()
    assert any("must increase" in error.value.replace("\\", "") for error in app.error)
    app.toggle(key="log-y").set_value(True).run()
    assert query(app, "y") == ["noise=0.2:0.8:3:log"]


def test_other_losses_bring_an_axis_that_they_have(open_app):
    app = open_app("phase")
    app.selectbox(key="kind-x").set_value("q").run()
    assert query(app, "x")[0].startswith("q=") and not app.error, app.error
    app.multiselect(key="map-losses").set_value([catalogue()["ael"].example().spec]).run()
    assert query(app, "x")[0].startswith("a=") and not app.error, app.error
    app.selectbox(key="pick-map-data").set_value("moons").run()
    assert query(app, "map-data") == ["moons"]


def test_a_kind_of_axis_that_the_data_have_not_is_refused_in_words(open_app):
    app = open_app("phase", **{"map-data": ["moons"], "map-noise": ["symmetric:0.2"], "y": ["noise=0.1:0.4:3"]})
    app.selectbox(key="kind-x").set_value("classes").run()
    assert any("needs at least two values" in error.value.replace("\\", "") for error in app.error)
    assert query(app, "x") == [DEFAULT.x.text]


def test_the_presets_bring_everything_back(open_app):
    app = open_app("phase", **SMALL, **{"map-loss": ["ael:a=3"], "map-epochs": ["3"], "map-data": ["moons"]})
    app.button(key="preset-quick").click().run()
    assert query(app, "x") == ["a=0.05:6:8:log"] and query(app, "map-seeds") == ["1"]
    app.button(key="preset-default").click().run()
    assert query(app, "x") == [DEFAULT.x.text] and query(app, "map-data") == ["digits"]
    assert query(app, "map-epochs") == [str(DEFAULT.recipe.epochs)] and "with these settings" in html(app)


def test_a_click_opens_a_cell_and_a_second_one_closes_it(open_app, monkeypatch):
    app = open_app("phase", **SMALL, cell=["0-1-2"])
    assert any("a = 0.07" in text.value for text in app.markdown) and "close-cell" in keys(app)  # of the recorded map
    assert any("only the numbers are kept" in caption.value for caption in app.caption)
    app.button(key="start-map").click().run()
    app.run()
    asked = [link.proto for link in app.get("page_link")]
    assert len(asked) == 2
    assert "close-cell" in keys(app)
    app.button(key="close-cell").click().run()
    assert "cell" not in app.query_params


def asked_for(monkeypatch, **now):
    """What the view was set to by a callback, on a page that shows the small map."""
    values = {field.name: field.default for field in FIELDS} | {
        "map-seeds": 2,
        "x": "a=0.5:8:3:log",
        "y": "noise=0.2:0.8:3",
    }
    values |= now
    monkeypatch.setattr(live.View, "now", staticmethod(lambda: values))
    monkeypatch.setattr(live.View, "set", staticmethod(values.__setitem__))
    monkeypatch.setattr(live, "st", type("st", (), {"session_state": {}}))
    return values


def test_a_click_that_is_none_does_nothing(monkeypatch):
    values = asked_for(monkeypatch)
    monkeypatch.setattr(live, "clicked", lambda key: {"figure": 0, "cell": [2, 1]})
    phase = map_of(values)
    Sweep(phase, None, "me").start()
    live._click()
    assert values["cell"] == "0-1-2" and cell_of("0-1-2", phase) == Cell(0, 1, 2)
    live._click()
    assert values["cell"] is None
    for message in (
        None,
        {},
        {"figure": 5, "cell": [0, 0]},
        {"figure": 0, "cell": [99, 0]},
        {"figure": 0, "cell": "x"},
    ):
        monkeypatch.setattr(live, "clicked", lambda key, message=message: message)
        live._click()
        assert values["cell"] is None


@pytest.mark.parametrize("half", [None, "x", "y"])
def test_a_box_is_a_map_of_its_own_that_starts(monkeypatch, sweeps, half):
    values = asked_for(monkeypatch)
    Sweep(map_of(values), None, "me").start()
    box = {"figure": 0, "x": [1.0, 4.0], "y": [0.3, 0.6]} | ({half: None} if half else {})
    monkeypatch.setattr(live, "boxed", lambda key: box)
    live._box()
    assert values["x"] == ("a=0.5:8:3:log" if half == "x" else "a=1:4:3:log")
    assert values["y"] == ("noise=0.2:0.8:3" if half == "y" else "noise=0.3:0.6:3")
    assert sweeps[map_of(values).key][0] != SweepState.NEW
    before = dict(values)
    for wrong in (None, {"x": ["a", 1], "y": None}, {"x": [9.0, 99.0], "y": [0.1]}):
        monkeypatch.setattr(live, "boxed", lambda key, wrong=wrong: wrong)
        live._box()
        assert values == before


@pytest.mark.parametrize("kind", ["a", "q", "noise", "lr", "classes", "samples"])
def test_a_first_axis_fits_its_map(kind):
    values = {field.name: field.default for field in FIELDS}
    for data in ("digits", "clusters"):
        values["map-data"] = data
        other = "lr=0.1,0.2" if kind == "noise" else "noise=0.1,0.2"
        found = first_axis(kind, values, 5).text
        phase = map_of(values | {"x": found, "y": other})
        assert isinstance(phase, PhaseMap) and len(phase.x) >= 2
    assert kind in kinds(values["map-loss"])


def test_values_and_map_are_the_same_thing():
    values = {field.name: field.default for field in FIELDS}
    phase = map_of(values | {"x": "lr=0.1:1:4:log", "map-scale": "equal", "map-seeds": 4, "map-samples": 500})
    assert map_of(values | values_of(phase)) == phase
    with pytest.raises(InputError):
        map_of(values | {"x": "classes=2:40:3"})
    assert parse_axis(phase.x.text) == phase.x
