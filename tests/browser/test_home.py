"""The home page and the way into the others."""

from tests.browser.conftest import settle


def test_the_doors_lead_somewhere(open_page):
    page = open_page("/")
    page.wait_for_selector(".alf-plot .scatterlayer path")
    for door in ("explore", "prove", "train"):
        page.goto(page.url.split("?")[0].rsplit("/", 1)[0] + "/")
        settle(page)
        page.locator(f".st-key-door-{door} a").click()
        page.wait_for_url(f"**/{door}**", timeout=20_000)
        settle(page)


def test_a_view_is_kept_between_pages(open_page):
    page = open_page("/explore?loss=ael:a=7&classes=4")
    page.get_by_role("link", name="Home").first.click()
    page.wait_for_selector(".st-key-home-picture")
    page.get_by_role("link", name="Explore").first.click()
    page.wait_for_url("**ael%3Aa%3D7**", timeout=20_000)


def test_a_phone_sees_every_page_whole(open_page):
    for path in ("/", "/explore", "/prove", "/train"):
        page = open_page(path, width=390, height=844)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        wide = page.evaluate(
            """[...document.querySelectorAll('h1, h2, h4, label, button, .alf-card, .alf-claim, .alf-plot')]
                .filter(e => e.getBoundingClientRect().width > 392).map(e => e.outerHTML.slice(0, 80))"""
        )
        assert wide == [], (path, wide)
