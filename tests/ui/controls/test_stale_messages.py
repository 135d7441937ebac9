"""Messages that come late: a widget's callback may find that what it was about has gone. It changes nothing then.

A browser may send a slider's value while the server answers a click that takes the slider away; a button may be
pressed twice. The callbacks are called here in any order with what they were drawn with, however long ago.
"""

import importlib
import os
import random
from types import SimpleNamespace

import pytest

from alf.losses import catalogue, parse
from alf.noise import parse_noise
from tests.ui.address_bar import Query
from ui.controls import changes, hyperparameters, losses, matrix
from ui.state import link, selection, view
from ui.state.view import View

noise = importlib.import_module("ui.controls.noise")  # the package has a function of that name

SEEDS = range(2000 if os.environ.get("ALF_SOAK") == "1" else 60)
FIELDS = {
    "explore": (link.losses(), link.classes()),
    "prove": (link.losses(("agce:a=0.6,q=0.6",), most=1), link.classes(), link.noise("pair:0.4")),
    "simplex": (link.losses(most=3), link.classes()),
    "noise": (link.classes(most=20), link.noise("pair:0.4"), link.losses()),
}
SPECS = ("ce", "mae", "agce:a=0.6,q=0.6", "ael:a=3.5", "formula:exp(-u/a);a=2[1,9]", "formula:1-a*u**2;a=2[1,3]")
NOISES = ("pair:0.4", "symmetric:0.3", "none", "matrix:0.6,0.4,0;0.3,0.7,0;0,0,1", "matrix:0.9,0.1;0.2,0.8")


@pytest.fixture
def session(monkeypatch):
    fake = SimpleNamespace(session_state={}, query_params=Query())
    for module in (view, losses, hyperparameters, changes, noise, matrix):
        monkeypatch.setattr(module, "st", fake)
    monkeypatch.setattr(changes, "read_loss", parse)
    return fake.session_state


def draw(page):
    """A run of the page, and the callbacks of the widgets that it draws."""
    view = View(page, FIELDS[page])
    view.save()
    drawn = []
    for index, spec in enumerate(view["loss"]):
        loss = parse(spec)
        for parameter in loss.declaration.parameters:
            key = hyperparameters.slider_key(index, loss, parameter)
            low, high = parameter.slider
            drawn.append(
                (hyperparameters._slide, (key, index, spec, parameter.name), lambda p, a=low, b=high: p.uniform(a, b))
            )
            exact = (f"exact-{index}-{loss.key}-{parameter.name}", index, spec, parameter.name)
            drawn.append((hyperparameters._exactly, exact, lambda p: p.choice(("2.5", "1e-9", "0,5", "", "1e300"))))
        drawn += [
            (losses._replace, (index, spec, preset.spec), None) for preset in loss.declaration.preset_losses().values()
        ]
        drawn.append((losses._remove, (spec,), None))
        drawn.append(
            (hyperparameters._retype, (f"spec-{index}", index, spec), lambda p: p.choice((*SPECS, "nonsense", "")))
        )
    drawn.append((losses._add_known, (), lambda p: p.choice((None, *catalogue()))))
    drawn.append((losses._add_typed, (), lambda p: p.choice((*SPECS, "aul:a=0.5,p=3"))))
    if page in ("prove", "simplex"):
        options = (*View.own("loss"), *view["loss"], "nce")
        some = (lambda p: p.choice(options)) if page == "prove" else (lambda p: p.sample(options, p.randint(0, 3)))
        drawn.append((losses._look, ("look",), some))
        drawn.append((losses._join, (), None))
    if page == "prove":
        drawn.append((losses._pick, ("pick",), lambda p: p.choice((*catalogue(), losses.TYPED))))
    if page in ("prove", "noise"):
        spec, where = view["noise"], (view["classes"], None)
        drawn.append((noise._kind, ("noise-kind", *where), lambda p: p.choice((None, "typed", *list(noise.SHORT)))))
        drawn.append((noise._rated, ("noise-rate", spec.partition(":")[0], *where), lambda p: p.uniform(0, 0.99)))
        drawn.append((matrix._typed, ("noise-typed", *where), lambda p: p.choice((*NOISES, ".5 .5\n1 2", "x"))))
        drawn.append((matrix._normalise, (), None))
        if spec.startswith("matrix:"):
            cells = {"edited_rows": {"0": {"1": "0.5", "2": "0.5"}, "7": {"9": "1"}}}
            drawn.append((matrix._edited, ("cells", spec, view["classes"]), lambda _: cells))
    return drawn


@pytest.mark.parametrize("seed", SEEDS)
def test_late_messages_change_nothing_that_is_not_there(session, seed):
    pick = random.Random(seed)
    pages = pick.choices(list(FIELDS), k=12)
    old = {page: [] for page in FIELDS}  # the server forgets a page's widgets when it shows another one's
    for page in pages:
        drawn = draw(page)
        for _ in range(pick.randint(1, 4)):  # several messages may come at once, from any earlier drawing of the page
            callback, arguments, value = pick.choice(drawn + old[page] if pick.random() < 0.5 else drawn)
            if value is not None:
                keys = {losses._add_known: "add-known", losses._add_typed: "add-typed"}
                session[keys.get(callback) or arguments[0]] = value(pick)
            callback(*arguments)
        old[page] = (old[page] + drawn)[-200:]
        mine = View.own("loss")
        assert 1 <= len(mine) <= selection.MOST and len(set(mine)) == len(mine)
        assert [parse(spec).spec for spec in mine] == list(mine)
        draw(page)
        if "noise" in View.now():
            assert parse_noise(View.now()["noise"], View.now()["classes"]).spec == View.now()["noise"]


def test_a_slider_of_the_loss_before_leaves_the_new_one_alone(session):
    session[view._MODEL] = {"loss": ("nfl+aul:alpha=1,beta=4,gamma=0.5,a=6,p=1.5",)}
    View("prove", FIELDS["prove"])
    [spec] = View.now()["loss"]
    session["pick"] = "nfl+ael"
    losses._pick("pick")
    session["slider"] = 2.0
    hyperparameters._slide("slider", 0, spec, "p")  # NFL+AEL has no p
    assert [parse(s).key for s in View.now()["loss"]] == ["nfl+ael"]
    assert View.own("loss")[0] == spec


def test_a_button_pressed_twice_takes_one_loss_away(session):
    session[view._MODEL] = {"loss": ("ce", "mae", "nce")}
    View("explore", FIELDS["explore"])
    losses._remove("ce")
    losses._remove("ce")
    assert View.own("loss") == ("mae", "nce")
    losses._remove("mae")
    losses._remove("nce")
    assert View.own("loss") == ("nce",)


@pytest.mark.parametrize("key", catalogue())
def test_the_same_loss_can_be_added_until_the_list_is_full(session, key):
    session[view._MODEL] = {"loss": (key if not catalogue()[key].parameters else catalogue()[key].example().spec,)}
    View("explore", FIELDS["explore"])
    for _ in range(8):
        session["add-known"] = key
        losses._add_known()
    mine = View.own("loss")
    assert len(mine) == (selection.MOST if catalogue()[key].parameters else 1)
    assert len(set(mine)) == len(mine) and {parse(spec).key for spec in mine} == {key}
