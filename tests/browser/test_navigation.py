"""From page to page in a real browser: Back takes one press, nobody's work is lost, late messages do no harm."""

import time
from urllib.parse import parse_qs, quote, urlsplit

from tests.browser.conftest import settle

MINE = ("ce", "mae", "agce:a=0.6,q=0.6", "ael:a=2", "gce:q=0.7")
MATRIX = "matrix:0.6,0.4,0;0.3,0.7,0;0,0,1"
START = "/noise?classes=3&noise=" + quote(MATRIX) + "".join(f"&loss={quote(spec)}" for spec in MINE)
PAGES = ("Explore", "Prove", "Atlas", "Simplex", "Mirror", "Train", "Phase", "Home", "Runs", "Noise")


def go(page, name):
    """Press a page's name and wait until it stands with its link."""
    page.get_by_role("link", name=name, exact=True).first.click()
    address = "" if name == "Home" else name.lower()
    page.wait_for_function(f"location.pathname === '/{address}' && location.search.length > 1")
    settle(page)


def back(page, address):
    page.go_back()
    page.wait_for_function(f"location.pathname === '/{address}'")
    settle(page)


def query(page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_back_takes_one_press_and_brings_everything_back(open_page):
    page = open_page(START)
    entries, seen = page.evaluate("history.length"), [("noise", query(page))]
    for name in PAGES:
        go(page, name)
        seen.append(("" if name == "Home" else name.lower(), query(page)))
        assert page.evaluate("history.length") == entries + len(seen) - 1, f"{name} made more than one entry"
    assert seen[-1] == seen[0]  # the whole walk has changed nothing
    assert query(page)["loss"] == list(MINE) and query(page)["noise"] == [MATRIX]
    for address, asked in reversed(seen[:-1]):
        back(page, address)
        assert query(page) == asked


def test_a_change_is_an_entry_of_its_own(open_page):
    page = open_page("/")
    go(page, "Explore")
    before = query(page)
    page.get_by_role("button", name="MNIST", exact=True).first.click()
    page.wait_for_function("location.search.includes('a%3D4')")
    settle(page)
    go(page, "Prove")
    back(page, "explore")
    assert query(page)["loss"][1] == "agce:a=4,q=0.2"
    back(page, "explore")
    page.wait_for_function("!location.search.includes('a%3D4')")
    assert query(page) == before


def test_why_goes_to_the_proof_and_the_losses_come_along(open_page):
    page = open_page(START)
    page.wait_for_selector("a.alf-inside")
    page.evaluate("window.same = true")
    with page.expect_event("framenavigated"):
        page.locator("a.alf-inside", has_text="Why?").first.click()
    page.wait_for_function("location.pathname === '/prove'")
    settle(page)
    assert page.evaluate("window.same") is True  # nothing was loaded anew
    go(page, "Explore")
    assert query(page)["loss"] == list(MINE)
    back(page, "prove")
    back(page, "noise")
    assert query(page)["loss"] == list(MINE) and query(page)["noise"] == [MATRIX]


def test_another_loss_picked_while_a_slider_is_on_the_way(open_page):
    page = open_page("/prove?loss=" + quote("nfl+aul:alpha=1,beta=4,gamma=0.5,a=6,p=1.5") + "&classes=3&noise=pair:0.3")
    slider = page.locator(".st-key-loss-0 [data-testid=stSlider] input[type=range]").last
    slider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    picked = page.locator(".st-key-pick input")
    picked.click()
    picked.fill("NFL+AEL")
    page.get_by_role("option", name="NFL+AEL").first.click()
    page.wait_for_function("location.search.includes('nfl%2Bael')", timeout=20_000)
    settle(page)
    assert page.get_by_text("no hyperparameter").count() == 0
    assert page.locator(".alf-verdict").is_visible()


def test_a_hostile_link_stops_nobody(open_page):
    """Values that explode as exact powers, and formulas that never end, are worked at where they can be killed."""
    losses = ("agce:a=1.2345678,q=0.3333333", "agce:a=1.132,q=0.3494", "formula:tanh(1/u)+sin(9*u)/50-u")
    hostile = [
        open_page(f"/{where}?noise=pair:0.3&classes=3" + "".join(f"&loss={quote(spec)}" for spec in losses))
        for where in ("explore", "prove", "noise")
    ]
    other = open_page("/explore?loss=mae&loss=ce&classes=10")
    for _ in range(3):
        start = time.monotonic()
        other.locator(".st-key-classes input").fill("7")
        other.keyboard.press("Enter")
        other.wait_for_function("location.search.includes('classes=7')", timeout=5_000)
        other.locator(".st-key-classes input").fill("8")
        other.keyboard.press("Enter")
        other.wait_for_function("location.search.includes('classes=8')", timeout=5_000)
        assert time.monotonic() - start < 10
    for page in hostile:
        settle(page)
        assert page.locator("h1").is_visible()
