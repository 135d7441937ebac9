"""Dragging the noise rate moves the minimiser in the browser, smoothly, and the server only hears of it at the end."""

from urllib.parse import parse_qs, urlparse

from tests.browser.conftest import frames_sent, settle

START = "/simplex?loss=agce:a=0.6,q=0.6&loss=ce&kind=pair&rate=0.2"
DRAG = """async () => {
    const root = document.querySelector('.alf-simplex'), slider = root.querySelector('input');
    let n = 0, bare = 0;
    const began = performance.now();
    while (performance.now() - began < 1500) { await new Promise(requestAnimationFrame); bare++; }
    const before = Number(root.dataset.frames), start = performance.now();
    while (performance.now() - start < 3000) {
        slider.value = 0.25 + 0.25 * Math.abs(Math.sin(n++ / 40));
        slider.dispatchEvent(new Event('input'));
        await new Promise(requestAnimationFrame);
    }
    return [(Number(root.dataset.frames) - before) / 3, bare / 1.5];
}"""


READY = ".alf-simplex:not(:has(figure:not([data-best])))"  # every critical rate is known


def best(page, n=0):
    return page.evaluate(f"document.querySelectorAll('.alf-simplex figure')[{n}].dataset.best").split(",")


def drag(page, rate):
    page.evaluate(
        """rate => new Promise(done => {
            const slider = document.querySelector('.alf-simplex input');
            slider.value = rate;
            slider.dispatchEvent(new Event('input'));
            requestAnimationFrame(() => requestAnimationFrame(done));
        })""",
        rate,
    )


def test_the_minimiser_leaves_its_corner_at_the_critical_rate(open_page):
    page = open_page(START)
    page.wait_for_selector(READY, timeout=30_000)
    sent = frames_sent(page)
    drag(page, 0.4025)
    assert [float(x) for x in best(page)] == [1, 0, 0]
    drag(page, 0.41)
    assert float(best(page)[0]) < 0.995
    assert abs(float(best(page, 1)[0]) - 0.59) < 0.005  # cross entropy sits at the share of right labels
    assert not sent


def test_what_is_said_beyond_the_critical_rate_differs_from_the_corner(open_page):
    page = open_page(START)
    page.wait_for_selector(READY, timeout=30_000)
    said = page.locator(".alf-simplex figcaption strong").first
    for rate in (0.4031, 0.4032, 0.4035):  # the critical rate is 0.403156
        drag(page, rate)
        text = said.inner_text()
        assert text.endswith("stays the clean label") if rate < 0.403156 else "prediction is 0.99" in text, text
    page = open_page(START.replace("rate=0.2", "rate=0.4032"))  # and so does a link
    page.wait_for_selector(READY, timeout=30_000)
    assert "prediction is 0.99" in page.locator(".alf-simplex figcaption strong").first.inner_text()


def test_a_phone_shows_every_name_of_the_legend_whole(open_page):
    page = open_page("/simplex?loss=ce&loss=agce:a=0.6,q=0.6&loss=ngce:q=0.7&shown=edge&rate=0.45", width=390)
    page.wait_for_selector(".alf-legend button", timeout=30_000)
    ends = page.evaluate(
        """[...document.querySelectorAll('.alf-legend button')].map(button => {
            const words = document.createRange();
            words.selectNodeContents(button);
            return [words.getBoundingClientRect().right, button.parentNode.getBoundingClientRect().right];
        })"""
    )
    assert len(ends) == 3 and all(words <= legend <= 390 for words, legend in ends), ends


def test_it_follows_smoothly_and_the_link_hears_of_it_on_release(open_page):
    page = open_page(START)
    page.wait_for_selector(READY, timeout=30_000)
    frames, bare = page.evaluate(DRAG)
    assert frames >= min(30, 0.15 * bare), (frames, bare)  # the figure for a quiet machine is in docs/interface.md
    page.evaluate(
        """() => { const s = document.querySelector('.alf-simplex input'); s.value = 0.35;
            s.dispatchEvent(new Event('input')); s.dispatchEvent(new Event('change')); }"""
    )
    page.wait_for_url("**rate=0.35**", timeout=10_000)
    settle(page)
    assert parse_qs(urlparse(page.url).query)["rate"] == ["0.35"]
