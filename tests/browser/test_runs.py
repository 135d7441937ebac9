"""The Runs page as readers use it: their own list after a reload, three browsers at once, files in and out."""

import json
import re
import sqlite3
from urllib.parse import parse_qs, urlparse

import pytest

from tests.browser.conftest import settle

QUICK = "/train?loss=ce&loss=mae&noise=symmetric:0.5&seeds=1&network=mlp:32"
STARTED = 120_000  # ms: the first run starts the workers, on a machine that may be busy


def start(page):
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url("**run=**", timeout=30_000)
    return parse_qs(urlparse(page.url).query)["run"][0]


def go(page, path):
    page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/", 3)[2] + path)
    settle(page)


def rows(page):
    """The ids of the runs in the list, in its order."""
    keys = page.locator("[class*=st-key-row-]").evaluate_all(
        "rows => rows.map(r => [...r.classList].find(c => c.startsWith('st-key-row-')).slice(11))"
    )
    return [key for key in keys if not key.startswith("recorded")]


def finished(page, run):
    page.locator(f".st-key-row-{run} .alf-chip", has_text=re.compile("^finished$")).wait_for(timeout=STARTED)


def test_three_browsers_have_each_their_own_runs_and_keep_them(open_page):
    pages = [open_page(f"{QUICK}&epochs={epochs}&lr=0.3") for epochs in (3, 4, 5)]
    mine = [start(page) for page in pages]
    for page, run in zip(pages, mine, strict=True):
        go(page, "/runs")
        assert rows(page) == [run]
        finished(page, run)
    page = pages[0]
    page.reload()
    settle(page)
    assert rows(page) == mine[:1]
    tab = page.context.new_page()
    tab.goto(page.url)
    settle(tab)
    assert rows(tab) == mine[:1]
    cookie = next(c for c in page.context.cookies() if c["name"] == "alf_reader")
    assert cookie["httpOnly"] and cookie["sameSite"] == "Lax" and len(cookie["value"]) == 43


def test_compare_rename_export_and_open_again(open_page, tmp_path):
    page = open_page(f"{QUICK}&epochs=3&lr=0.21")
    one = start(page)
    go(page, f"{QUICK}&epochs=3&lr=0.22")
    two = start(page)
    go(page, "/runs")
    for run in (one, two):
        finished(page, run)
    for run in (one, two):
        page.locator(f".st-key-pick-{run} label").click()
        page.wait_for_url(f"**runs={run}**" if run == one else f"**runs={one}&runs={two}**")
    page.wait_for_function("document.querySelectorAll('.alf-plot .scatterlayer .trace').length === 4")
    dashes = page.locator(".alf-plot .scatterlayer .trace path.js-line").evaluate_all(
        "lines => lines.map(l => [l.style.stroke, l.style.strokeDasharray])"
    )
    assert dashes[0][0] == dashes[2][0] and dashes[0][1] != dashes[2][1]
    bar = page.locator(f".st-key-bar-{one}")
    bar.get_by_role("button", name="Rename").click()
    page.get_by_label("Name", exact=True).fill("My <i>first</i>")
    page.get_by_label("Name", exact=True).press("Enter")
    page.locator(f".st-key-row-{one}", has_text="My <i>first</i>").wait_for()
    page.keyboard.press("Escape")
    bar.get_by_role("button", name="Export").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Recipe (JSON)").click()
    file = tmp_path / "recipe.json"
    waiting.value.save_as(file)
    assert waiting.value.suggested_filename == "my-i-first-i.recipe.json"
    assert json.loads(file.read_text())["lr"] == 0.21
    with page.expect_download() as waiting:
        page.get_by_role("button", name="PyTorch script").click()
    assert "def train(" in waiting.value.path().read_text()
    other = open_page("/runs")
    other.get_by_text("You have no runs in this browser yet").wait_for()
    other.get_by_role("button", name="Open a recipe").click()
    other.locator("input[type=file]").set_input_files(file)
    other.get_by_role("button", name="Start", exact=True).click()
    other.wait_for_url("**runs=**")
    shared = parse_qs(urlparse(other.url).query)["runs"][0]
    finished(other, shared)  # the same recipe: the result is shared, the run is another
    assert shared not in (one, two)


def test_delete_asks_first(open_page, store):
    page = open_page(f"{QUICK}&epochs=2&lr=0.31")
    run = start(page)
    go(page, f"/runs?runs={run}")
    finished(page, run)
    page.locator(f".st-key-bar-{run}").get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete this run").click()
    page.get_by_text("You have no runs in this browser yet").wait_for()
    with sqlite3.connect(store) as database:
        assert database.execute("SELECT count(*) FROM runs WHERE id = ?", (run,)).fetchone() == (0,)


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_sticks_out_sideways(open_page, width):
    page = open_page("/runs?runs=recorded-digits", width=width)
    page.wait_for_selector(".alf-plot .scatterlayer path")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_run_again_opens_train_with_the_runs_settings(open_page):
    page = open_page(f"{QUICK}&epochs=2&lr=0.41")
    run = start(page)
    go(page, f"/runs?runs={run}")
    page.get_by_role("link", name="Run again with other settings").click()
    page.wait_for_url("**/train?**lr=0.41**")
    asked = parse_qs(urlparse(page.url).query)
    assert asked["epochs"] == ["2"] and asked["loss"] == ["ce", "mae"] and asked["network"] == ["mlp:32"]
