"""A small map from Start to its last cell: colours come, a click opens curves, a box is a map of its own."""

from urllib.parse import parse_qs, urlsplit

from tests.browser.conftest import settle

TINY = (
    "/phase?map-data=blobs&map-loss=agce:a=1,q=0.5&map-noise=symmetric:0.3&x=a=0.5:8:4:log&y=noise=0.1:0.3:3"
    "&map-seeds=2&map-network=mlp:8&map-epochs=4&map-samples=60&map-lr=0.3"
)
MEASURED = """() => {
  const plot = document.querySelector(".st-key-phase-map .alf-plot, .alf-plot");
  return [...(plot?.calcdata ? plot._fullData[1].z : [])].flatMap((row) => [...row]).filter(Number.isFinite).length;
}"""


def query(page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def said(page) -> str:
    return page.locator(".alf-run").first.inner_text()


def finish(page, cells):
    page.get_by_text(f"all {cells} cells are measured").wait_for(timeout=120_000)
    page.wait_for_function(f"({MEASURED})() === {cells}", timeout=20_000)


def where(page, x, y):
    """The place on the screen of a share of the map's width and height, from the left and from below."""
    # The plot's own area, without its axes.
    area = page.locator(".alf-plot .nsewdrag").first.bounding_box()
    return area["x"] + x * area["width"], area["y"] + (1 - y) * area["height"]


def test_a_map_from_start_to_its_box(open_page):
    page = open_page(TINY, height=1300)
    assert "A recorded map" in said(page) and "other settings" in said(page)
    page.locator(".st-key-start-map button").click()
    page.get_by_text("Your map:").wait_for(timeout=30_000)
    finish(page, 12)
    page.mouse.click(*where(page, 0.4, 0.9))
    page.wait_for_function("location.search.includes('cell=0-1-2')")
    page.locator(".st-key-cell-curves .main-svg").first.wait_for(timeout=20_000)
    assert (
        page.locator(".st-key-opened").inner_text().startswith("AGCE (q = 0.5) · a = 1.26, symmetric noise rate = 0.3")
    )
    prove = page.get_by_role("link", name="Its proof").get_attribute("href")
    assert "a%3D1.25992104989" in prove and "symmetric%3A0.3" in prove and "classes=5" in prove
    train = page.get_by_role("link", name="Train it").get_attribute("href")
    assert "samples=60" in train and "epochs=4" in train and "seeds=2" in train

    page.reload()
    settle(page)
    assert "all 12 cells are measured" in said(page)  # nothing is trained again
    assert page.locator(".st-key-opened").is_visible()
    page.wait_for_function(f"({MEASURED})() === 12", timeout=20_000)

    page.mouse.move(*where(page, 0.3, 0.3))
    page.mouse.down()
    page.mouse.move(*where(page, 0.5, 0.5), steps=4)
    page.mouse.move(*where(page, 0.7, 0.7), steps=4)
    page.mouse.up()
    page.wait_for_function("!location.search.includes('0.5%3A8%3A4') && !location.search.includes('cell=')")
    low, high, *_ = query(page)["x"][0].removeprefix("a=").split(":")
    assert 0.5 < float(low) < 1.26 and 2 < float(high) < 8
    finish(page, 12)
    page.go_back()
    page.wait_for_function("location.search.includes('0.5%3A8%3A4')")
    settle(page)
    page.get_by_text("all 12 cells are measured").wait_for(timeout=20_000)


def test_a_map_is_stopped_and_goes_on(open_page):
    page = open_page(TINY.replace("a=0.5:8:4:log", "a=0.5:8:9:log").replace("map-epochs=4", "map-epochs=400"))
    page.locator(".st-key-start-map button").click()
    page.locator(".st-key-stop-map button").click(timeout=30_000)
    page.get_by_text("Resume goes on from there").wait_for(timeout=30_000)
    page.goto(page.url.replace("map-epochs=400", "map-epochs=401"))  # another map is none of it
    settle(page)
    assert "A recorded map" in said(page)
    page.go_back()
    settle(page)
    page.get_by_role("button", name="Resume").click()
    page.locator(".st-key-stop-map button").click(timeout=30_000)
    page.get_by_text("Resume goes on from there").wait_for(timeout=30_000)


def test_a_typed_formula_joins_the_map(open_page):
    page = open_page(TINY)
    field = page.locator(".st-key-map-losses input")
    field.fill("exp(-u/a);a=2[0.1,9]")
    field.press("Enter")
    page.wait_for_function("location.search.includes('formula')", timeout=20_000)
    settle(page)
    assert query(page)["map-loss"][1] == "formula:exp(-u/a);a=2[0.1,9]" and query(page)["x"] == ["a=0.5:8:4:log"]
    field.fill("no such loss")
    field.press("Enter")
    page.get_by_text("unknown loss").wait_for(timeout=20_000)
    assert len(query(page)["map-loss"]) == 2
