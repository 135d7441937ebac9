"""A number field says in a sentence of ours what it allows, keeps what was typed, and takes nothing that is not."""

import pytest
from streamlit.testing.v1 import AppTest


def page():
    import streamlit as st

    from ui.controls.fields import number

    st.session_state.setdefault("taken", 10)
    number(
        "k",
        "Classes K",
        st.session_state["taken"],
        (2, 1000),
        1,
        "",
        lambda n, v: st.session_state.update({n: v}),
        "taken",
    )


@pytest.mark.parametrize("typed", [1, 0, -5, 1001, 10**9])
def test_a_number_beyond_the_limits_is_refused_in_a_sentence(typed):
    app = AppTest.from_function(page).run()
    app.number_input(key="k").set_value(typed).run()
    assert [error.value for error in app.error] == [
        f"Classes K: must be between 2 and 1000, got {typed:.12g}. 10 stays in use."
    ]
    assert app.session_state["taken"] == 10 and app.number_input(key="k").value == typed
    app.number_input(key="k").set_value(7).run()
    assert not app.error and app.session_state["taken"] == 7


@pytest.mark.parametrize("typed", [2, 1000])
def test_the_limits_themselves_are_allowed(typed):
    app = AppTest.from_function(page).run()
    app.number_input(key="k").set_value(typed).run()
    assert not app.error and app.session_state["taken"] == typed


def test_a_change_from_elsewhere_takes_the_sentence_away():
    app = AppTest.from_function(page).run()
    app.number_input(key="k").set_value(1).run()
    app.session_state["taken"] = 20
    app.run()
    assert not app.error and app.number_input(key="k").value == 20
