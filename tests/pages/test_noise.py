"""The noise lab: a matrix from anywhere, and every loss answered on it."""

import time

import pytest

from tests.pages.conftest import query


def html(app):
    bodies = [str(block.proto.body) for block in app.get("html")]
    return " ".join(body for body in bodies if not body.startswith("<style"))


def settled(app):
    for _ in range(1200):
        if "alf-busy" not in html(app):
            return app
        time.sleep(0.1)
        app.run()
    raise AssertionError("some loss was never answered")


def test_every_loss_is_answered_and_links_to_its_proof(open_app, charts):
    app = settled(open_app("noise", noise=["pair:0.4"], classes=["10"], loss=["ce", "ael:a=1.5"]))
    text = html(app)
    assert "losses tolerate this noise</h2>" in text
    assert text.count("Why?") == text.count("<tr style")
    assert "prove?loss=ael%3Aa%3D1.5&amp;noise=pair%3A0.4&amp;classes=10" in text
    assert "yours" in text and "CIFAR-10" in text
    for _ in range(1200):
        if "with a = 2.47" in html(app):
            break
        time.sleep(0.1)
        app.run()
    assert "prove?loss=ael%3Aa%3D2.47&amp;noise=pair%3A0.4&amp;classes=10" in html(app)
    assert html(app).count(">with ") == 1  # there is nothing to suggest for CE, and nobody asked for the others
    assert "1.5 times as likely" in charts["noise-matrix"][0]["layout"]["title"]["text"]


def test_no_loss_tolerates_a_noise_that_clean_labels_lose(open_app, charts):
    app = settled(open_app("noise", noise=["matrix:.4,.6;0,1"], classes=["2"]))
    assert "0 of" in html(app) and "losses tolerate this noise</h2>" in html(app)
    assert "The clean label loses in class 1" in charts["noise-matrix"][0]["layout"]["title"]["text"]


@pytest.mark.parametrize(("noise", "words"), [("instance:0.4", "it has no matrix"), ("none", "nothing to tolerate")])
def test_a_noise_about_which_nothing_can_be_proved_is_said_so(open_app, noise, words):
    app = open_app("noise", noise=[noise], classes=["10"])
    assert words in app.info[0].value and "losses tolerate this noise</h2>" not in html(app)


def test_a_pasted_matrix_is_used_exactly(open_app):
    app = open_app("noise", noise=["pair:0.4"], classes=["10"])
    app.text_area(key="matrix-paste").set_value("2/3\t1/3\t0\n0\t1\t0\n0.25\t0\t0.75").run()
    assert query(app, "classes") == ["3"]
    assert query(app, "noise") == ["matrix:2/3,1/3,0;0,1,0;0.25,0,0.75"]
    assert not app.error and not app.exception


def test_rows_are_normalised_only_when_asked(open_app):
    app = open_app("noise", noise=["pair:0.4"], classes=["10"])
    app.text_area(key="matrix-paste").set_value("3 1\n0 2").run()
    assert app.error[0].value == "noise matrix: row 1 must sum to 1, got 4"
    assert query(app, "noise") == ["pair:0.4"]
    app.button(key="matrix-normalise-pasted").click().run()
    assert query(app, "noise") == ["matrix:0.75,0.25;0,1"] and query(app, "classes") == ["2"]
    assert not app.error


def test_garbage_is_refused_in_a_sentence(open_app):
    app = open_app("noise", noise=["matrix:1,2"], classes=["10000"])
    assert len(app.warning) == 1 and query(app, "classes") == ["10"]
    app.text_area(key="matrix-paste").set_value("<script>alert(1)</script>").run()
    assert len(app.error) == 1 and query(app, "noise") == ["pair:0.4"]
    app.number_input(key="classes").set_value(2).run()
    assert not app.exception
