"""The Train page as a reader uses it: start, stop, reload, walk away and come back."""

import sqlite3
from urllib.parse import parse_qs, urlparse

from tests.browser.conftest import settle

QUICK = "/train?loss=ce&loss=mae&noise=symmetric:0.5&seeds=1&epochs=4"
LONG = "/train?loss=ce&loss=mae&loss=gce:q=0.7&loss=ael:a=2&noise=symmetric:0.5&seeds=10&epochs=500"
STARTED = 120_000  # ms: the first run starts the workers, on a machine that may be busy


def run_id(page):
    return parse_qs(urlparse(page.url).query).get("run", [None])[0]


def status(page, words, timeout=STARTED):
    page.wait_for_function(
        "words => words.some(w => document.querySelector('.alf-run')?.innerText.includes(w))",
        arg=words,
        timeout=timeout,
    )
    return page.locator(".alf-run").inner_text()


def begin(page):
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url("**run=**", timeout=20_000)
    return run_id(page)


def epoch(page):
    return int(page.locator(".alf-run").inner_text().split("epoch ")[1].split()[0])


def test_the_recorded_run_is_there_before_anything_ran(open_page):
    page = open_page("/train")
    assert "A recorded run" in page.locator(".alf-run").inner_text()
    page.wait_for_selector(".alf-plot .scatterlayer path")
    assert page.locator(".alf-table tbody tr").count() == 6
    page.get_by_text("the run uses CPU", exact=False).wait_for(timeout=60_000)


def test_a_run_goes_live_finishes_and_survives_a_reload(open_page, store):
    page = open_page(QUICK)
    page.get_by_role("button", name="Start", exact=True).dblclick()
    page.wait_for_url("**run=**", timeout=20_000)
    run = run_id(page)
    assert run
    status(page, ["finished"])
    page.get_by_role("button", name="Start", exact=True).wait_for()
    with sqlite3.connect(store) as database:
        assert database.execute("select count(*) from runs").fetchone()[0] == 1  # pressed twice, run once
    before = page.locator(".alf-table").inner_text()
    page.reload()
    settle(page)
    assert run_id(page) == run
    assert "finished" in status(page, ["finished"])
    assert page.locator(".alf-table").inner_text() == before
    assert page.locator(".alf-table tbody tr").count() == 2


def test_stop_is_acknowledged_and_obeyed(open_page):
    page = open_page(LONG)
    begin(page)
    status(page, ["running, epoch 1", "running, epoch 2", "running, epoch 3"])
    page.get_by_role("button", name="Stop", exact=True).click()
    status(page, ["stopping", "stopped"], 30_000)  # how soon is measured by benchmarks/stop.py
    status(page, ["stopped"], 60_000)
    page.get_by_role("button", name="Start", exact=True).wait_for()
    reached = epoch(page)
    page.wait_for_timeout(1500)
    assert epoch(page) == reached


def test_closing_the_tab_does_not_stop_the_run(open_page):
    page = open_page(LONG.replace("500", "499"))
    run = begin(page)
    status(page, ["running"])
    link = page.url.split("/", 3)[3]
    page.context.close()
    page = open_page("/" + link)
    assert run_id(page) == run
    first = epoch(page)
    page.wait_for_function(
        "e => Number(document.querySelector('.alf-run').innerText.split('epoch ')[1].split(' ')[0]) > e",
        arg=first,
        timeout=STARTED,
    )
    page.get_by_role("button", name="Stop", exact=True).click()
    status(page, ["stopped"], 20_000)


def test_an_unknown_run_says_so_and_shows_the_recorded_one(open_page):
    page = open_page("/train?run=nothing-like-it")
    page.get_by_text("no such run").wait_for()
    assert "A recorded run" in page.locator(".alf-run").inner_text()


def test_zoom_survives_live_updates(open_page):
    page = open_page(LONG.replace("500", "498"))
    begin(page)
    status(page, ["running, epoch 1", "running, epoch 2", "running, epoch 3", "running, epoch 4"])
    page.wait_for_selector(".alf-plot .scatterlayer path")
    box = page.locator(".alf-plot .nsewdrag").first.bounding_box()
    page.mouse.move(box["x"] + 30, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 150, box["y"] + 160, steps=5)
    page.mouse.up()
    page.wait_for_timeout(300)
    zoom = "document.querySelector('.alf-plot')._fullLayout.xaxis.range"
    zoomed, drawn = page.evaluate(zoom), page.evaluate("Number(document.querySelector('.alf-chart').dataset.drawn)")
    page.wait_for_function(f"Number(document.querySelector('.alf-chart').dataset.drawn) > {drawn} + 2", timeout=60_000)
    assert page.evaluate(zoom) == zoomed != [0, 498]
    page.get_by_role("button", name="Stop", exact=True).click()
    status(page, ["stopped"], 20_000)
