"""The Explore page as a reader uses it."""

from urllib.parse import parse_qs, urlparse

from tests.browser.conftest import frames_sent, settle

CURVES = ".alf-plot.js-plotly-plot"
START = "/explore?loss=ce&loss=agce:a=0.6,q=0.6&classes=10"


def query(page):
    return parse_qs(urlparse(page.url).query)


def curve(page, name, figure=0):
    """The y values of a trace of the chart."""
    return page.evaluate(
        f"""([i, name]) => {{
            const t = document.querySelectorAll("{CURVES}")[i]._fullData.find(t => t.name.startsWith(name));
            return t && {{ y: Array.from(t.y), visible: t.visible, color: t.line.color }};
        }}""",
        [figure, name],
    )


def drawn(page):
    page.wait_for_selector(f"{CURVES} .scatterlayer path", timeout=20_000)
    return page


def slider(page, label):
    """The slider with this accessible name, as the element that takes keys."""
    return page.locator(f"[data-testid=stSlider]:has-text('{label}') input[type=range]").first


def change(page, times=4, key="ArrowRight", label="a"):
    before = page.url
    handle = slider(page, label)
    handle.focus()
    for _ in range(times):
        handle.press(key)
    page.wait_for_function("url => location.href !== url", arg=before, timeout=10_000)
    seen = ""
    while seen != page.url:  # each key is a change of its own; the last one must have arrived
        seen = page.url
        page.wait_for_timeout(1000)
        settle(page)


def test_a_slider_moves_curve_and_url_and_reload_restores(open_page):
    page = drawn(open_page(START))
    before = curve(page, "AGCE")["y"]
    change(page)
    spec = query(page)["loss"][1]
    assert spec.startswith("agce:a=0.") and spec != "agce:a=0.6,q=0.6"
    page.wait_for_function(
        f"""y => Math.abs(document.querySelector("{CURVES}")._fullData[1].y[0] - y) > 1e-6""", arg=before[0]
    )
    after = curve(page, "AGCE")["y"]
    page.reload()
    settle(drawn(page))
    assert query(page)["loss"][1] == spec
    assert curve(page, "AGCE")["y"] == after


def test_zoom_and_hidden_traces_survive_a_slider(open_page):
    page = drawn(open_page(START))
    box = page.locator(f"{CURVES} .nsewdrag").first.bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 140, steps=6)
    page.mouse.up()
    page.wait_for_timeout(400)
    zoom = f"""(() => {{ const l = document.querySelector("{CURVES}")._fullLayout;
        return [l.xaxis.range, l.yaxis.range]; }})()"""
    zoomed = page.evaluate(zoom)
    assert 0 < zoomed[0][0] < zoomed[0][1] < 1
    page.locator(".alf-legend button", has_text="CE").first.click()
    page.wait_for_function(f"""document.querySelector("{CURVES}")._fullData[0].visible === false""")
    page.evaluate(f"""document.querySelector("{CURVES}").dataset.mine = "same element" """)
    change(page)
    page.wait_for_timeout(300)
    state = page.evaluate(
        f"""(() => {{ const p = document.querySelector("{CURVES}");
            return [p._fullData[0].visible, p.dataset.mine]; }})()"""
    )
    assert page.evaluate(zoom) == zoomed
    assert state == [False, "same element"]
    page.mouse.dblclick(box["x"] + 60, box["y"] + 60)
    page.wait_for_function(f"""document.querySelector("{CURVES}")._fullLayout.xaxis.range[0] === 0""")


def test_back_button_brings_the_former_view(open_page):
    page = drawn(open_page(START))
    change(page)
    moved = query(page)["loss"][1]
    page.wait_for_timeout(1800)
    page.go_back()
    settle(page)
    page.wait_for_timeout(500)
    settle(page)
    assert query(page)["loss"][1] != moved
    label = page.locator(".alf-legend button", has_text="AGCE").inner_text()
    assert label.split("a=")[1].split(",")[0] == query(page)["loss"][1].split("a=")[1].split(",")[0]


def test_presets_adding_removing_and_typing(open_page):
    page = drawn(open_page(START))
    page.get_by_role("button", name="MNIST", exact=True).click()
    settle(page)
    assert query(page)["loss"] == ["ce", "agce:a=4,q=0.2"]
    page.locator(".st-key-remove-0 button").first.click()
    settle(page)
    assert query(page)["loss"] == ["agce:a=4,q=0.2"]
    typed = page.locator(".st-key-add-typed input")
    typed.fill("nce agce:alpha=1,beta=4,a=6,q=1.5")
    typed.press("Enter")
    page.wait_for_url("**nce%2Bagce**", timeout=10_000)
    settle(page)
    assert query(page)["loss"][1] == "nce+agce:alpha=1,beta=4,a=6,q=1.5"
    typed.fill("aul:a=0.5,p=3")
    typed.press("Enter")
    page.get_by_text("AUL: a must lie in (1, ∞), got 0.5").wait_for()
    assert len(query(page)["loss"]) == 2


def test_garbage_urls_give_a_sentence_and_a_page(open_page):
    page = drawn(open_page("/explore?loss=__import__('os')&loss=agce:a=nan,q=1&classes=1e9&classes=<script>"))
    text = page.locator("[data-testid=stAlert]").inner_text()
    assert "unknown loss" in text.lower() and "classes must be a whole number" in text.lower()
    assert query(page)["classes"] == ["10"]
    assert curve(page, "CE")


def test_a_link_with_six_losses_and_a_decoded_plus(open_page):
    specs = "&".join(f"loss=ael:a={k}" for k in range(1, 8))
    page = drawn(open_page(f"/explore?{specs}"))
    assert len(query(page)["loss"]) == 6
    assert "at most 6 losses" in page.locator("[data-testid=stAlert]").inner_text().lower()
    page = drawn(open_page("/explore?loss=nce+agce:alpha=1,beta=4,a=6,q=1.5"))
    assert query(page)["loss"] == ["nce+agce:alpha=1,beta=4,a=6,q=1.5"]


def test_the_theme_reaches_the_chart(open_page):
    light = curve(drawn(open_page(START)), "CE")["color"]
    dark = curve(drawn(open_page(START, dark=True)), "CE")["color"]
    assert light != dark


def test_nothing_is_wider_than_a_phone(open_page):
    page = drawn(open_page(START, width=390, height=844))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    wide = page.evaluate(
        f"""[...document.querySelectorAll("{CURVES}")].map(p => p.getBoundingClientRect())
            .filter(r => r.width > 390 || r.width < 200).length"""
    )
    assert wide == 0


def test_curve_and_numbers_follow_a_held_slider_without_the_server(open_page):
    page = drawn(open_page(START))
    sent = frames_sent(page)
    stat = page.locator(".alf-card").nth(1).locator("[data-stat=ratio] b")
    before, url = curve(page, "AGCE")["y"], page.url
    assert stat.inner_text() == "0.6755"
    handle = slider(page, "a")
    box = page.locator("[data-testid=stSlider]:has-text('a')").first.locator("[role=slider], input[type=range]").first
    where = box.bounding_box()
    track = page.locator(".st-key-1-agce-a").bounding_box()
    page.mouse.move(where["x"] + where["width"] / 2, where["y"] + where["height"] / 2)
    page.mouse.down()
    for step in range(1, 12):
        page.mouse.move(track["x"] + track["width"] * (0.45 + 0.03 * step), where["y"] + where["height"] / 2)
        page.wait_for_timeout(40)
    page.wait_for_function("Number(document.querySelector('.alf-chart').dataset.followed) >= 3", timeout=10_000)
    held = float(handle.input_value())
    assert held > 2
    page.wait_for_timeout(300)
    assert curve(page, "AGCE")["y"] != before
    assert abs(float(stat.inner_text()) - (held / (held + 1)) ** 0.4) < 1e-4
    assert page.url == url and not sent
    live = curve(page, "AGCE")["y"]
    page.mouse.up()
    page.wait_for_function("url => location.href !== url", arg=url, timeout=10_000)
    settle(page)
    page.wait_for_timeout(400)
    after = curve(page, "AGCE")["y"]
    assert sent  # the release was heard, so the ear works
    assert max(abs(a - b) for a, b in zip(after, live, strict=True)) < 1e-4  # the server says the same
    assert abs(float(stat.inner_text()) - (held / (held + 1)) ** 0.4) < 1e-4
