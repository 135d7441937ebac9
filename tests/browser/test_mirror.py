"""The mirror with real workers: Start trains the networks, their dots come and move, the link finds them again."""

from urllib.parse import parse_qs, urlparse

from tests.browser.conftest import settle

START = "/mirror?loss=ael:a=1&noise=matrix:0.6,0.3,0.1;0,1,0;0.1,0.1,0.8"
DOTS = """() => {
    const plot = document.querySelector('.st-key-results .js-plotly-plot');
    const dots = plot && plot.data.find((trace) => trace.meta === 'networks');
    return dots ? Array.from(dots.y) : [];
}"""
RING = """() => {
    const plot = document.querySelector('.st-key-results .js-plotly-plot');
    const ring = plot && plot.data.find((trace) => trace.meta === 'leaves');
    return ring ? ring.x[0] : null;
}"""


def test_ones_own_networks_come_beside_the_curve(open_page):
    page = open_page(START)
    page.wait_for_function(f"({RING})() !== null", timeout=60_000)
    # the first row leaves where (1 - 0.4 t) / e = 0.3 t
    assert abs(page.evaluate(RING) - 1 / (0.4 + 0.3 * 2.718281828)) < 1e-3
    assert page.evaluate(DOTS) == []
    page.get_by_role("button", name="Start").click()
    page.wait_for_function("document.querySelector('.alf-run').innerText.includes('finished')", timeout=120_000)
    page.wait_for_function(f"({DOTS})().length === 9", timeout=30_000)
    said = page.evaluate(DOTS)
    assert said[0] > 0.95 and min(said) > 0.6, said
    assert "…" not in page.locator(".alf-table").inner_text()
    token = parse_qs(urlparse(page.url).query)["mirror"]
    again = open_page(page.url.removeprefix(page.url.split("/mirror")[0]))
    again.wait_for_function(f"({DOTS})().length === 9", timeout=60_000)
    assert again.evaluate(DOTS) == said and parse_qs(urlparse(again.url).query)["mirror"] == token


def test_a_phone_shows_start_then_the_picture_then_the_controls(open_page):
    page = open_page("/mirror?loss=ce&loss=mae", width=390)
    page.wait_for_selector(".st-key-results .js-plotly-plot .main-svg", timeout=60_000)
    settle(page)
    tops = [page.locator(f".st-key-{name}").first.bounding_box()["y"] for name in ("start", "results", "controls")]
    assert tops == sorted(tops)
    assert page.evaluate("document.documentElement.scrollWidth <= 390")
