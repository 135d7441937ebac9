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
    status(page, ["A recorded run"])
    page.wait_for_selector(".alf-plot .scatterlayer path")
    assert page.locator(".alf-table tbody tr").count() == 4  # of its six losses those of the controls
    page.get_by_text("the run uses CPU", exact=False).wait_for(timeout=60_000)


def runs_in(store) -> int:
    with sqlite3.connect(store) as database:
        return database.execute("select count(*) from runs").fetchone()[0]


def test_a_run_goes_live_finishes_and_survives_a_reload(open_page, store):
    page = open_page(QUICK)
    others = runs_in(store)
    page.get_by_role("button", name="Start", exact=True).dblclick()
    page.wait_for_url("**run=**", timeout=20_000)
    run = run_id(page)
    assert run
    status(page, ["finished"])
    page.get_by_role("button", name="Start", exact=True).wait_for()
    assert runs_in(store) == others + 1  # pressed twice, run once
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
    url, context = page.url, page.context
    page.close()
    visitor = open_page("/" + url.split("/", 3)[3])  # another browser: it may watch, and no more
    assert "Somebody else’s run" in visitor.locator(".alf-run").inner_text()
    assert visitor.get_by_role("button", name="Stop", exact=True).count() == 0
    page = context.new_page()
    page.goto(url)
    settle(page)
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
    status(page, ["A recorded run"])


def test_zoom_survives_live_updates(open_page):
    page = open_page(LONG.replace("500", "498").replace("seeds=10", "seeds=1"))
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


def field(page, label):
    return page.get_by_role("spinbutton", name=label, exact=True)


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def places(page):
    """Where the parts of the page stand, in pixels from its top."""
    return page.evaluate(
        "['.alf-run', '.alf-plot', '.alf-table', '.st-key-run-bar', '.st-key-controls']"
        ".map(s => Math.round(document.querySelector(s).getBoundingClientRect().top))"
    )


def test_pause_three_steps_another_learning_rate_and_on(open_page, store):
    page = open_page(LONG.replace("500", "497").replace("seeds=10", "seeds=2"))
    page.wait_for_selector(".alf-plot .scatterlayer path")
    before = places(page)
    run = begin(page)
    assert places(page) == before
    status(page, ["running, epoch 1", "running, epoch 2", "running, epoch 3", "running, epoch 4"])
    assert places(page) == before
    press(page, "Pause")
    status(page, ["paused"])  # each model where it is; a step brings them together
    page.wait_for_function("![...document.querySelectorAll('.st-key-step-run button')].some(b => b.disabled)")
    press(page, "Step")
    at = int(status(page, ["paused after epoch"]).split("epoch ")[1].split()[0])
    for step in (1, 2, 3):
        page.wait_for_function("![...document.querySelectorAll('.st-key-step-run button')].some(b => b.disabled)")
        press(page, "Step")
        status(page, [f"paused after epoch {at + step} "])
    assert places(page) == before
    field(page, "Learning rate of this run").fill("0.25")
    field(page, "Learning rate of this run").press("Enter")
    said = status(page, ["0.25 from epoch"])
    counts = int(said.split("0.25 from epoch ")[1].split(",")[0])
    assert counts == at + 4  # the next, which nobody has begun
    page.get_by_text(f"The learning rate 0.25 takes effect in epoch {counts}").wait_for()
    page.locator(".alf-plot .annotation-text", has_text="lr 0.25").first.wait_for()
    press(page, "Play")
    page.wait_for_function(
        "e => Number(document.querySelector('.alf-run').innerText.split('epoch ')[1].split(' ')[0]) >= e",
        arg=counts,
        timeout=STARTED,
    )
    page.reload()
    settle(page)
    assert run_id(page) == run and "0.25 from epoch" in status(page, ["running"])
    press(page, "Stop")
    status(page, ["stopped"], 60_000)
    page.get_by_role("button", name="Pause", exact=True).wait_for(state="detached")
    settle(page)
    assert page.locator("[data-testid=stAlert]").count() == 0  # the field that left did not ask for anything
    with sqlite3.connect(store) as database:
        count = "select count(*), count(distinct lane || ' ' || epoch) from records join runs on runs.result = "
        count += "records.result where runs.id = ?"
        rows, distinct = database.execute(count, (run,)).fetchone()
    assert rows == distinct > 0


def test_start_after_a_stop_while_paused_goes_on(open_page):
    page = open_page(LONG.replace("500", "496").replace("seeds=10", "seeds=1"))
    run = begin(page)
    status(page, ["running, epoch 1", "running, epoch 2", "running, epoch 3", "running, epoch 4"])
    press(page, "Pause")
    status(page, ["paused"])
    press(page, "Stop")
    status(page, ["stopped"], 60_000)
    page.get_by_role("button", name="Pause", exact=True).wait_for(state="detached")
    settle(page)
    at = epoch(page)
    press(page, "Start")
    page.wait_for_function(
        "e => Number(document.querySelector('.alf-run').innerText.split('epoch ')[1].split(' ')[0]) > e",
        arg=at,
        timeout=STARTED,
    )
    assert run_id(page) == run
    press(page, "Stop")
    status(page, ["stopped"], 60_000)


def test_what_is_typed_as_a_network_is_read_or_refused(open_page):
    page = open_page("/train?data=moons")
    page.get_by_text("Size of the run").click()
    network = page.get_by_role("combobox", name="Network")
    network.fill("cnn-small")
    network.press("Enter")
    page.get_by_text("takes pictures of at least").wait_for()
    assert "network=mlp%3A256%2C256" in page.url
    network.fill("MLP:32, 16")
    network.press("Enter")
    page.wait_for_url("**network=mlp%3A32%2C16**")
    page.get_by_text("Changed from the classroom recipe: network.").wait_for()
    assert page.get_by_text("takes pictures of at least").count() == 0


def test_what_the_noise_does_before_anything_ran(open_page):
    page = open_page("/train?noise=asymmetric:0.4")
    page.get_by_text("What the noise does").click()
    page.wait_for_selector(".alf-tiles .wrong img")
    page.wait_for_function("document.querySelectorAll('.st-key-noise-matrices .heatmaplayer image').length === 2")
    widths = page.evaluate("[...document.querySelectorAll('.alf-tiles img')].map(i => i.naturalWidth)")
    assert set(widths) == {8}
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
