"""The Prove page: every claim gets its card, its words and its steps; what is wrong says why."""

import subprocess
import sys
import time

import numpy as np
import pytest

from alf.losses import parse
from alf.noise import parse_noise
from alf.theory import CLAIMS, prove
from tests.pages.conftest import query
from ui import claims, prover
from ui.board import picture
from ui.prover import Question


def settled(app):
    """Run the page until no card is working."""
    for _ in range(400):
        text = " ".join(h.value if hasattr(h, "value") else "" for h in app.get("html"))
        if "working" not in page_html(app) and not any("Looking for" in m.value for m in app.markdown):
            return app
        time.sleep(0.1)
        app.run()
    raise AssertionError(text)


def page_html(app):
    return " ".join(str(block.proto.body) for block in app.get("html"))


def test_every_claim_is_answered(open_app):
    app = settled(open_app("prove", loss=["agce:a=0.6,q=0.6"], noise=["pair:0.4"], classes=["10"]))
    html = page_html(app)
    assert "AGCE (a=0.6, q=0.6) tolerates 40% pair noise" in html
    assert html.count('<div class="alf-claim"') == len(CLAIMS)
    assert "Yes · certified" in html and "No · refuted" in html
    condition = next(m.value for m in app.markdown if m.value.startswith("Asymmetry ratio"))
    assert r"\approx 0.6755$ (proved)" in condition and r"w_m / w_n \ge 1/r \approx 1.48$" in condition
    enough = next(m.value for m in app.markdown if m.value.startswith("Enough for this noise"))
    assert r"\approx 0.5696$" in enough and r"\approx 0.586" in enough
    assert not app.exception


def test_the_link_follows_loss_noise_and_classes(open_app):
    app = open_app("prove", loss=["agce:a=0.6,q=0.6"], noise=["pair:0.4"], classes=["10"])
    app.slider(key="noise-rate").set_value(0.45).run()
    assert query(app, "noise") == ["pair:0.45"]
    assert "does not tolerate 45% pair noise" in page_html(settled(app))
    app.segmented_control(key="noise-kind").set_value("symmetric").run()
    assert query(app, "noise") == ["symmetric:0.45"]
    app.selectbox(key="pick").set_value("mae").run()
    assert query(app, "loss") == ["mae"]
    app.segmented_control(key="noise-kind").set_value("none").run()
    assert query(app, "noise") == ["none"]
    assert "Not defined" in page_html(settled(app))


def test_a_matrix_is_typed_and_checked(open_app):
    app = open_app("prove", loss=["mae"], noise=["symmetric:0.3"], classes=["3"])
    app.segmented_control(key="noise-kind").set_value("typed").run()
    assert query(app, "noise")[0].startswith("matrix:")
    app.text_input(key="noise-typed").set_value("matrix:.6,.4,0;.3,.7,0").run()
    assert len(app.error) == 1 and "noise" in app.error[0].value.lower()
    app.text_input(key="noise-typed").set_value("matrix:.6,.4,0;.3,.7,0;0,0,1").run()
    assert not app.error
    app.number_input(key="classes").set_value(4).run()  # the matrix no longer fits: a noise that does takes its place
    assert query(app, "noise") == ["symmetric:0.4"]
    assert not app.exception


def test_garbage_in_the_link(open_app):
    app = open_app("prove", loss=["xyz"], noise=["matrix:a"], classes=["0"])
    assert len(app.warning) == 1 and not app.exception
    assert query(app, "loss") == ["agce:a=0.6,q=0.6"]


def test_it_takes_the_first_of_the_losses_of_another_page(open_app):
    app = open_app("prove", loss=["ael:a=2", "ce"])
    assert query(app, "loss") == ["ael:a=2"]


@pytest.mark.parametrize("spec", ["ce", "agce:a=0.6,q=0.6", "nce", "mae", "agce:a=1,q=2", "nce+mae:alpha=1,beta=1"])
@pytest.mark.parametrize("classes", [2, 3, 10])
def test_every_verdict_can_be_shown(spec, classes):
    noise = parse_noise("pair:0.45", classes)
    question = Question(spec, noise.spec, classes)
    for claim in CLAIMS:
        verdict = prove(claim, parse(spec), noise, classes)
        assert claims.title(claim, verdict)
        assert claims.steps(verdict)
        figure = picture(question, claim, verdict)
        if figure is not None:
            assert figure["layout"]["title"]["text"]
            for trace in figure["data"]:
                assert len(trace["x"]) and np.isfinite(np.asarray(trace["x"], dtype=float)[0])


def test_the_drawn_risk_is_the_verdicts_risk():
    noise = parse_noise("pair:0.45", 10)
    verdict = prove("asymmetric", parse("agce:a=0.6,q=0.6"), noise, 10)
    figure = picture(Question("agce:a=0.6,q=0.6", noise.spec, 10), "asymmetric", verdict)
    line = figure["data"][0]
    assert line["y"][0] == pytest.approx(verdict.witness.bound, rel=1e-6)
    assert line["y"][-1] == pytest.approx(verdict.witness.value, rel=1e-6)
    assert line["y"][-1] < line["y"][0]


def test_the_proof_is_a_script_that_checks_itself(tmp_path):
    question = Question("agce:a=0.6,q=0.6", "pair:0.4", 3)
    while None in prover.answers(question).values():
        time.sleep(0.05)
    text = prover.document("script", question)
    script = tmp_path / "proof.py"
    script.write_text(text)
    run = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert prover.document("latex", question).startswith(r"\documentclass")


def test_a_sentence_cannot_break_the_page():
    assert claims.plain("<script>") == "&lt;script&gt;"
    assert "<" not in claims.escape("<b>").replace("\\<", "")
