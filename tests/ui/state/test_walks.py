"""From page to page, back and forth: nobody's losses, noise or classes are changed by being looked at.

The pages' own fields, a browser's history and Streamlit's session are put together without a browser; walks through
them are random.
"""

import os
import random
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlencode

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from alf.noise import parse_noise
from tests.ui.address_bar import Query
from ui.state import link, selection, view
from ui.state.view import View

ROOT = Path(__file__).parents[3]
PAGES = ("home", "explore", "prove", "noise", "atlas", "simplex", "mirror", "train", "phase", "tables", "runs")
WALKS = 40 if os.environ.get("ALF_SOAK") != "1" else 2000
LOSSES = (
    "ce",
    "mae",
    "agce:a=0.6,q=0.6",
    "agce:a=4,q=0.2",
    "ael:a=3.5",
    "nce+agce:alpha=1,beta=4,a=6,q=1.5",
    "formula:exp(-u/a);a=2[1,9]",
    "formula:1-u**2",
)
NOISES = {
    3: ("matrix:0.6,0.4,0;0.3,0.7,0;0,0,1", "symmetric:0.3"),
    10: ("pair:0.4", "symmetric:0.55", "none"),
    100: ("pair:0.2", "symmetric:0.7"),
    2: ("matrix:2/3,1/3;0.25,0.75", "pair:0.1"),
}


@pytest.fixture(scope="module")
def fields():
    """Each page's fields, as the page itself declares them."""
    found = {}
    patch = pytest.MonkeyPatch()

    def record(_, page, fields):
        found[page] = fields
        st.stop()

    patch.setattr(View, "__init__", record)
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    for page in PAGES[1:]:
        app.switch_page(f"pages/{page}.py").run()
        assert not app.exception, app.exception
    patch.undo()
    assert set(found) == set(PAGES)
    return found


class Tab:
    """A browser's tab: a session and a history of (page, query)."""

    def __init__(self, fields, monkeypatch):
        self.fields, self.history, self.at = fields, [], -1
        self.st = SimpleNamespace(session_state={}, query_params=Query())
        monkeypatch.setattr(view, "st", self.st)

    def go(self, page, **asked):
        """Press a page's name in the navigation, or follow a link."""
        self.history[self.at + 1 :] = [None]
        self.at += 1
        return self._run(page, asked)

    def move(self, steps):
        """Press Back or Forward: the page must show what its entry says."""
        self.at += steps
        page, query = self.history[self.at]
        view = self._run(page, query)
        assert self.history[self.at] == (page, query), "Back shows something else than what was there"
        return view

    def change(self, callback):
        """Change something on the page, as a widget does: an entry of its own."""
        page = self.history[self.at][0]
        before = dict(self.st.query_params)
        callback()
        view = View(page, self.fields[page])
        view.save()
        if dict(self.st.query_params) != before:
            self.history[self.at + 1 :] = [None]
            self.at += 1
        self._note(page)
        return view

    def _run(self, page, query):
        self.st.query_params = Query({name: list(texts) for name, texts in query.items()})
        view = View(page, self.fields[page])
        view.save()
        self._note(page)
        return view

    def _note(self, page):
        self.st.session_state[view._URLS] = view.Urls(page, dict(self.st.query_params), None, 0.0)
        self.history[self.at] = (page, through_a_url(dict(self.st.query_params)))

    @property
    def own(self):
        return {name: View.own(name) for name in ("loss", "noise", "classes")}


def through_a_url(query):
    return parse_qs(urlencode(query, doseq=True))


def start(pick, fields, monkeypatch):
    """A tab whose reader has some losses, classes and a noise that fits them."""
    tab = Tab(fields, monkeypatch)
    count = pick.randint(1, selection.MOST)
    classes = pick.choice(list(NOISES))
    tab.go("explore", loss=pick.sample(LOSSES, count), classes=[str(classes)])
    tab.go("prove")
    noise = parse_noise(pick.choice(NOISES[classes]), classes).spec
    tab.change(lambda: View.set("noise", noise))
    tab.go("home")
    return tab


@pytest.mark.parametrize("seed", range(WALKS))
def test_a_walk_changes_nothing(seed, fields, monkeypatch):
    pick = random.Random(seed)
    tab = start(pick, fields, monkeypatch)
    before, shown = tab.own, {}
    for _ in range(25):
        if pick.random() < 0.35 and tab.at > 3:
            tab.move(-pick.randint(1, tab.at - 3))
        elif pick.random() < 0.2 and tab.at < len(tab.history) - 1:
            tab.move(1)
        else:
            tab.go(pick.choice(PAGES))
        page, query = tab.history[tab.at]
        assert shown.setdefault(page, query) == query  # the same page shows the same, however one came
        assert tab.own == before


@pytest.mark.parametrize("first", PAGES)
def test_every_page_after_every_other(first, fields, monkeypatch):
    for second in PAGES:
        tab = start(random.Random(5), fields, monkeypatch)
        before = tab.own
        assert len(before["loss"]) > 3
        tab.go(first)
        tab.go(second)
        tab.move(-1)
        assert tab.own == before


def change_something(pick, tab):
    """One thing that a reader can do on this page."""
    page, now = tab.history[tab.at][0], View.now()
    names = [name for name in ("loss", "noise", "classes", "rate") if name in now]
    if not names:
        return None
    name = pick.choice(names)
    if name == "noise":
        return tab.change(lambda: View.set("noise", f"symmetric:{pick.randint(1, 60) / 100:g}"))
    if name == "classes":
        return tab.change(lambda: View.set("classes", pick.randint(2, 20)))
    if name == "rate":
        return tab.change(lambda: View.set("rate", pick.randint(1, 45) / 100))
    specs, place = list(now["loss"]), pick.randrange(len(now["loss"]))
    mine = View.own("loss")
    room = next(field.room for field in tab.fields[page] if field.name == "loss")
    if room and len(mine) > room and pick.random() < 0.5:
        return tab.change(lambda: View.look(pick.sample(mine, pick.randint(1, room))))
    if pick.random() < 0.5 or (len(specs) == 1 and room == 1):
        specs[place] = f"ael:a={pick.randint(11, 99) / 10:g}"
    elif len(specs) > 1 and not room:
        del specs[place]
    elif len(specs) < (room or selection.MOST):
        specs.append(f"aul:a={pick.randint(11, 99) / 10:g},p=2")
    return tab.change(lambda: View.set("loss", tuple(dict.fromkeys(specs))))


@pytest.mark.parametrize("seed", range(WALKS))
def test_back_shows_what_was_there(seed, fields, monkeypatch):
    pick = random.Random(seed)
    tab = start(pick, fields, monkeypatch)
    for _ in range(30):
        if pick.random() < 0.4:
            tab.go(pick.choice(PAGES))
        else:
            change_something(pick, tab)
        assert 1 <= len(View.own("loss")) <= selection.MOST
        assert len(set(View.own("loss"))) == len(View.own("loss"))
    while tab.at:
        tab.move(-1)  # asserts that the page shows what its entry says
    while tab.at < len(tab.history) - 1:
        tab.move(1)


@pytest.mark.parametrize("seed", range(WALKS))
def test_a_link_shows_somebody_else_just_what_the_page_shows(seed, fields, monkeypatch):
    pick = random.Random(seed)
    tab = start(pick, fields, monkeypatch)
    page = pick.choice(PAGES)
    tab.go(page)
    shown = {name: View.now()[name] for name in View.now()}
    query = tab.history[tab.at][1]
    other = Tab(fields, monkeypatch)
    other.go(page, **query)
    assert dict(View.now()) == shown


@pytest.mark.parametrize("seed", range(WALKS))
def test_a_change_on_a_page_with_less_room_keeps_the_other_losses(seed, fields, monkeypatch):
    pick = random.Random(seed)
    tab = start(pick, fields, monkeypatch)
    mine = View.own("loss")
    tab.go("prove")
    looked = View.now()["loss"][0]
    tab.change(lambda: View.set("loss", ("ael:a=7.7",)))
    assert View.own("loss") == tuple("ael:a=7.7" if spec == looked else spec for spec in mine)
    tab.go("simplex")
    assert View.now()["loss"] == View.own("loss")[:3]
    tab.go("explore")
    assert View.now()["loss"] == View.own("loss")
    tab.move(-1)
    tab.move(-1)
    tab.move(-1)
    assert View.own("loss") == mine


def test_a_guest_joins_only_when_it_is_changed(fields, monkeypatch):
    tab = Tab(fields, monkeypatch)
    tab.go("explore", loss=["ce", "mae"])
    tab.go("prove", loss=["ael:a=2"])
    assert View.now()["loss"] == ("ael:a=2",) and View.own("loss") == ("ce", "mae")
    tab.go("noise")
    assert View.now()["loss"] == ("ce", "mae")
    tab.move(-1)
    tab.change(lambda: View.set("loss", ("ael:a=3",)))
    assert View.own("loss") == ("ce", "mae", "ael:a=3")
    full = Tab(fields, monkeypatch)
    full.go("explore", loss=LOSSES[:6])
    full.go("prove", loss=["ael:a=2"])
    full.change(lambda: View.set("loss", ("ael:a=3",)))
    assert View.own("loss") == LOSSES[:6] and View.now()["loss"] == ("ael:a=3",)


def test_what_a_page_looks_at_follows_changes_elsewhere(fields, monkeypatch):
    tab = Tab(fields, monkeypatch)
    tab.go("explore", loss=["ce", "ael:a=2", "mae", "nce"])
    tab.go("prove")
    tab.change(lambda: View.look(("ael:a=2",)))
    tab.go("explore")
    tab.change(lambda: View.set("loss", ("ce", "ael:a=3", "mae", "nce")))
    tab.go("prove")
    assert View.now()["loss"] == ("ael:a=3",)
    tab.go("explore")
    tab.change(lambda: View.set("loss", ("ce", "mae", "nce")))
    tab.go("prove")
    assert View.now()["loss"] == ("ce",)


def test_a_value_that_does_not_fit_is_kept_and_said(fields, monkeypatch):
    tab = Tab(fields, monkeypatch)
    matrix = "matrix:0.6,0.4,0;0.3,0.7,0;0,0,1"
    tab.go("prove", classes=["3"], noise=[matrix])
    view = tab.go("train")
    assert view["noise"] == "symmetric:0.5" and "Your 3 × 3 matrix does not fit" in view.notes["noise"]
    view = tab.go("noise")
    assert view["noise"] == matrix and not view.notes
    tab.go("explore")
    tab.change(lambda: View.set("classes", 100))
    view = tab.go("noise")
    assert (view["classes"], view["noise"]) == (20, "symmetric:0.4") and set(view.notes) == {"classes", "noise"}
    assert View.own("classes") == 100 and View.own("noise") == matrix
    tab.change(lambda: View.set("classes", 3))
    assert View.now()["noise"] == matrix


@pytest.mark.parametrize("noise", ["pair:0.2", "symmetric:0.25", "pair:1/3", "none"])
def test_the_readers_noise_goes_along(noise, fields, monkeypatch):
    tab = Tab(fields, monkeypatch)
    tab.go("noise", noise=[noise], classes=["3"])
    kind, _, rate = noise.partition(":")
    for _ in range(2):
        view = tab.go("home")
        assert view["rate"] == pytest.approx(float(Fraction(rate or "0"))) and not view.notes
        view = tab.go("simplex")
        assert view["kind"] == ("pair" if kind == "none" else kind) and not view.notes
        assert view["rate"] == pytest.approx(float(Fraction(rate or "0")))
        assert View.own("noise") == noise
    tab.change(lambda: View.set("rate", 0.45))
    assert View.own("noise") == f"{view['kind']}:0.45"
    assert tab.go("prove")["noise"] == View.own("noise")


@pytest.mark.parametrize("page", ["home", "simplex"])
def test_a_noise_that_simplex_cannot_show_is_said_and_kept(page, fields, monkeypatch):
    matrix = "matrix:0.6,0.4,0;0.3,0.7,0;0,0,1"
    tab = Tab(fields, monkeypatch)
    tab.go("noise", classes=["3"], noise=[matrix])
    view = tab.go(page)
    assert view["rate"] == 0.4 and "Your 3 × 3 matrix does not fit this page. 40% pair noise" in view.notes["rate"]
    tab.go("noise")
    tab.move(-1)
    assert View.own("noise") == matrix
    tab.change(lambda: View.set("noise", "pair:0.6"))  # of another tab's page, more than these show
    view = tab.go(page)
    assert view["rate"] < 0.6 and "your 0.6 is kept" in view.notes["rate"] and View.own("noise") == "pair:0.6"


def test_who_has_chosen_no_noise_keeps_each_pages_own(fields, monkeypatch):
    own = Tab(fields, monkeypatch).go("train")["noise"]
    tab = Tab(fields, monkeypatch)
    for page in ("home", "simplex", "train", "noise", "home", "train"):
        tab.go(page)
    tab.move(-1)
    assert View.own("noise") is None and tab.go("train")["noise"] == own


def test_fitting_is_idempotent(fields):
    for page in PAGES:
        own = {"classes": 100, "noise": "asymmetric:0.4", "loss": LOSSES[:6]}
        values, _ = link.fitted(fields[page], own)
        again, notes = link.fitted(fields[page], values)
        assert again == values and not notes
