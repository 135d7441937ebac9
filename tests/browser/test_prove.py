"""The Prove page as a reader uses it."""

import os
import re
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import settle

START = "/prove?loss=agce:a=0.6,q=0.6&noise=pair:0.4&classes=10"


def answered(page):
    page.wait_for_function(
        "document.querySelectorAll('.alf-claim').length >= 9 && !document.querySelector('.alf-busy')", timeout=60_000
    )
    settle(page)
    return page


def test_claims_fill_in_and_steps_open_as_formulas(open_page):
    page = answered(open_page(START))
    assert page.locator(".alf-verdict h2").inner_text() == "AGCE (a=0.6, q=0.6) tolerates 40% pair noise"
    page.locator(".st-key-claim-convex summary").click()
    page.wait_for_selector(".st-key-claim-convex .katex")
    assert page.locator(".katex-error").count() == 0


def test_a_slider_asks_again_and_the_link_restores_it(open_page):
    page = answered(open_page(START))
    handle = page.locator("[data-testid=stSlider]:has-text('Rate') input[type=range]")
    handle.focus()
    for _ in range(3):
        handle.press("ArrowRight")
    page.wait_for_url("**pair%3A0.43**", timeout=10_000)
    assert "does not tolerate 43% pair noise" in answered(page).locator(".alf-verdict h2").inner_text()
    page.reload()
    assert "does not tolerate 43% pair noise" in answered(page).locator(".alf-verdict h2").inner_text()


@pytest.mark.parametrize(("spec", "classes"), [("nce", 3), ("ce", 10)])
def test_the_counterexample_is_drawn(open_page, spec, classes):
    page = answered(open_page(f"/prove?loss={spec}&noise=pair:0.4&classes={classes}"))
    page.locator(".st-key-claim-noise_tolerant summary").click()
    page.wait_for_selector(".st-key-claim-noise_tolerant .alf-plot.js-plotly-plot", timeout=20_000)
    assert page.locator(".katex-error").count() == 0


def test_garbage_is_answered_in_words(open_page):
    page = answered(open_page("/prove?loss=<b>x</b>&noise=symmetric:7&classes=ten"))
    assert page.locator("[data-testid=stAlert]").count() == 1


def test_cards_keep_their_place_while_they_fill_in(open_page):
    """No claim's card moves by more than a line when the answers arrive."""
    page = open_page("/prove?loss=aul:a=2.125,p=2.5&noise=pair:0.31&classes=7")
    where = "[...document.querySelectorAll('[class*=st-key-claim-]')].slice(0, 6).map(e => e.getBoundingClientRect().y)"
    before = page.evaluate(where)
    after = answered(page).evaluate(where)
    assert len(after) == 6 and max(abs(a - b) for a, b in zip(before, after, strict=False)) <= 120


@pytest.mark.parametrize("spec", ["mae", "aul:a=3.5,p=2"])
def test_the_controls_show_what_the_link_says(open_page, spec):
    """Claims that are settled at once run the page again before the browser has drawn its controls."""
    page = answered(open_page(f"/prove?loss={spec}&noise=pair:0.35&classes=7"))
    expect(page.locator(".st-key-classes input")).to_have_value("7")
    expect(page.locator(".st-key-noise-rate input[type=range]")).to_have_value("0.35")
    expect(page.locator(".st-key-pick input")).to_have_value(re.compile(f"^{spec.partition(':')[0].upper()}: "))


def test_files_are_downloaded_and_the_script_runs_by_itself(open_page, tmp_path):
    page = open_page("/prove?loss=agce:a%3D0.6,q%3D0.6&noise=pair:0.4&classes=3")
    page.wait_for_function("!document.body.innerText.includes('working')", timeout=60_000)
    page.get_by_role("button", name="Proof as Python").click()
    with page.expect_download(timeout=60_000) as waiting:
        page.get_by_role("button", name="Download the script").click(timeout=60_000)
    script = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(script)
    assert script.name == "agce_proof.py"
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run([sys.executable, script], cwd=tmp_path, env=clean, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "noise_tolerant" in done.stdout
    page.keyboard.press("Escape")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Proof as LaTeX").click()
    assert waiting.value.path().read_text().startswith("\\documentclass")
