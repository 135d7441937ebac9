"""The page stays alive whatever is typed into its formula field or put into its link."""

from urllib.parse import quote

from playwright.sync_api import expect

from tests.browser.conftest import settle
from tests.losses.test_formula import hostile

START = "/prove?loss=formula:1-u**2&noise=pair:0.3&classes=3"
ALIVE = "formula:1-u**3"


def alive(page):
    """A formula typed now is read and answered."""
    field = page.locator(".st-key-formula-typed input")
    field.fill(ALIVE)
    field.press("Enter")
    expect(page.locator(".alf-verdict h2")).to_contain_text("1-u^3", timeout=30_000)


def test_hostile_formulas_in_the_field(open_page):
    """A few, one of a megabyte and one with a null byte, typed one after another; a thousand are read elsewhere."""
    page = open_page(START)
    field = page.locator(".st-key-formula-typed input")
    refused = page.locator(".st-key-controls [data-testid=stAlert]")
    for text in ("u.__class__", *hostile(3), "u" * 1_000_000, "1-u\0", "ехр(-u)"):
        field.fill("formula:" + text)
        field.press("Enter")
        settle(page)
    expect(refused).to_have_count(1, timeout=30_000)  # what was typed last is refused in one sentence
    alive(page)
    expect(refused).to_have_count(0)


def test_hostile_formulas_in_the_link(open_page):
    """Two links of eight each; a link's length is the browser's and the server's own limit."""
    texts = [text[:400] for text in hostile(16)]
    for some in (texts[:8], texts[8:]):
        page = open_page("/prove?" + "&".join("loss=formula:" + quote(text) for text in some))
        expect(page.locator("[data-testid=stAlert]").first).to_contain_text("cannot be used", timeout=30_000)
    page = open_page(START)
    alive(page)
