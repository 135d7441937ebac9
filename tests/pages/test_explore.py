"""The Explore page: widgets, model, link and charts agree."""

import time

import pytest

from tests.pages.conftest import query
from ui.state.selection import MOST

START = {"loss": ["ce", "agce:a=0.6,q=0.6"], "classes": ["10"]}


def lines(charts, figure=0):
    return [trace["name"] for trace in charts["explore-curves"][figure]["data"]]


def test_the_page_opens_with_its_curves_and_its_link(open_app, charts):
    app = open_app("explore")
    assert lines(charts) == ["CE", "AGCE (a=0.6, q=0.6)", "MAE"]
    assert query(app, "loss") == ["ce", "agce:a=0.6,q=0.6", "mae"]
    assert query(app, "classes") == ["10"]


def test_a_slider_is_exact(open_app, charts):
    app = open_app("explore", **START)
    app.slider(key="1.agce.a").set_value(0.7).run()
    assert query(app, "loss") == ["ce", "agce:a=0.7,q=0.6"]
    app.slider(key="1.agce.q").set_value(0.15000000000000002).run()
    assert query(app, "loss") == ["ce", "agce:a=0.7,q=0.15"]
    assert lines(charts)[1] == "AGCE (a=0.7, q=0.15)"


def test_classes_move_the_mark(open_app, charts):
    app = open_app("explore", **START)
    app.number_input(key="classes").set_value(100).run()
    assert query(app, "classes") == ["100"]
    assert charts["explore-curves"][0]["layout"]["shapes"][0]["x0"] == 0.01


def test_presets_spec_adding_and_removing(open_app, charts):
    app = open_app("explore", **START)
    app.button(key="preset-1-mnist").click().run()
    assert query(app, "loss") == ["ce", "agce:a=4,q=0.2"]
    app.text_input(key="spec-0").set_value("nce agce: q=1.50, a=6, beta=4, alpha=1").run()
    assert query(app, "loss") == ["nce+agce:alpha=1,beta=4,a=6,q=1.5", "agce:a=4,q=0.2"]
    app.button(key="remove-0").click().run()
    assert query(app, "loss") == ["agce:a=4,q=0.2"]
    app.selectbox(key="add-known").set_value("ael").run()
    assert query(app, "loss") == ["agce:a=4,q=0.2", "ael:a=2.5"]
    app.selectbox(key="add-known").set_value("ael").run()
    assert len(set(query(app, "loss"))) == 3
    assert not app.exception


def test_a_wrong_spec_says_why_and_changes_nothing(open_app):
    app = open_app("explore", **START)
    app.text_input(key="add-typed").set_value("aul:a=0.5,p=3").run()
    assert [e.value for e in app.error] == ["AUL: a must lie in (1, ∞), got 0.5"]
    assert query(app, "loss") == START["loss"]
    app.text_input(key="add-typed").set_value("aul:a=2,p=3").run()
    assert not app.error and query(app, "loss")[-1] == "aul:a=2,p=3"


def test_a_typed_formula_has_what_a_catalogue_loss_has(open_app, charts):
    app = open_app("explore", loss=["formula:exp(-u/a);a=2.5[1,10]", "formula:(1-u)**3+0.2*sin(3*u)*(1-u)"])
    assert lines(charts)[0] == "exp(-u/a) (a=2.5)"
    for _ in range(100):
        text = " ".join(m.value for m in app.markdown)
        if "worked out" not in text:
            break
        time.sleep(0.1)
        app.run()
    assert "0.6703" in text and r"\frac{u_y}{a}" in text
    app.slider(key="0.formula.a").set_value(4.0).run()
    assert query(app, "loss")[0] == "formula:exp(-u/a);a=4[1,10]"
    assert not app.exception


@pytest.mark.parametrize(
    "text",
    [
        "formula:__import__('os').system('id')",
        "formula:().__class__.__bases__",
        "formula:9**9**9**9",
        "formula:lambda: 0",
        "formula:u.real",
        "formula:exp(" * 500,
        "formula:" + "(" * 5000,
        "formula:\x00",
        "formula:ｅxp(-u)",
        "formula:u",
        "formula:1/(u-0.5)",
        "formula:" + "1" * 10**6,
    ],
)
def test_a_hostile_formula_is_refused_in_a_sentence(open_app, text):
    app = open_app("explore", **START)
    app.text_input(key="add-typed").set_value(text).run()
    assert len(app.error) == 1 and "\n" not in app.error[0].value and len(app.error[0].value) < 400
    assert query(app, "loss") == START["loss"] and not app.exception


def test_six_losses_are_the_most(open_app):
    app = open_app("explore", loss=[f"ael:a={k}" for k in range(1, 7)])
    assert len(query(app, "loss")) == MOST
    assert not [s for s in app.selectbox if s.key == "add-known"]


def test_a_value_outside_the_slider_is_kept(open_app):
    app = open_app("explore", loss=["ael:a=123.456"])
    assert query(app, "loss") == ["ael:a=123.456"]
    assert app.slider(key="0.ael.a").value == 123.456


def test_garbage_in_the_link_is_one_warning_and_the_page_stands(open_app, charts):
    app = open_app("explore", loss=["nonsense", "ce"], classes=["-1"])
    assert len(app.warning) == 1
    assert "unknown loss" in app.warning[0].value.lower() and "Classes must be" in app.warning[0].value
    assert query(app, "loss") == ["ce"] and query(app, "classes") == ["10"]
    app.number_input(key="classes").set_value(5).run()
    assert not app.warning


def test_it_says_where_the_remaining_probability_goes(open_app):
    def notes(app):
        return [str(block.proto.body) for block in app.get("html") if "remaining probability" in str(block.proto.body)]

    assert notes(open_app("explore", loss=["ce", "agce:a=0.6,q=0.6"])) == []
    [note] = notes(open_app("explore", loss=["ce", "nce", "mse"], classes=["5"]))
    assert "NCE and MSE: the remaining probability" in note and "shared equally by the other classes" in note
    assert "(1 − u)/(K − 1)" in note  # the hint


def test_a_card_says_for_which_hyperparameters_its_ratio_is_proved(open_app):
    app = open_app("explore", loss=["agce:a=0.6,q=0.6"])
    deadline = time.monotonic() + 60
    while "proved" not in (shown := "".join(block.value for block in app.markdown)) and time.monotonic() < deadline:
        time.sleep(0.3)
        app.run()
    assert "proved for all a &gt; 0, 0 &lt; q &lt; 1." in shown


def test_exact_values_have_a_field_each(open_app):
    app = open_app("explore", loss=["agce:a=0.6,q=0.6"])

    def type_(name, text):
        app.text_input(key=f"exact-0-agce-{name}").set_value(text).run()
        return query(app, "loss")

    assert type_("a", "1.23456789012") == ["agce:a=1.23456789012,q=0.6"]
    assert app.text_input(key="exact-0-agce-a").value == "1.23456789012"
    assert type_("q", "1e-9") == ["agce:a=1.23456789012,q=1e-9"]
    for bad, said in (("0,5", "A decimal point is needed."), ("-1", "got '-1'"), ("", "got nothing"), ("nan", "'nan'")):
        assert type_("q", bad) == ["agce:a=1.23456789012,q=1e-9"]
        [error] = app.error
        assert error.value.startswith("q: must be a number greater than 0, got ") and said in error.value
        assert error.value.endswith("1e-9 stays in use.") and app.text_input(key="exact-0-agce-q").value == bad
    assert type_("q", "0.5") == ["agce:a=1.23456789012,q=0.5"] and not app.error


def test_a_loss_that_is_there_already_is_said_so(open_app):
    app = open_app("explore", loss=["ce", "formula:1-u**2"])
    app.text_input(key="add-typed").set_value("1-u^2").run()
    assert [e.value for e in app.error] == ["1-u^2 is in the list already."]
    assert app.text_input(key="add-typed").value == "1-u^2" and len(query(app, "loss")) == 2
