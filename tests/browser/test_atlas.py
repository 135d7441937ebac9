"""A click on the map sets the loss, here and on the other pages."""

from tests.browser.conftest import settle


def click(page, across, down):
    """Click in the first plot, at these shares of its width and height."""
    page.wait_for_selector(".alf-plot .scatterlayer path", timeout=60_000)
    page.wait_for_timeout(500)
    box = page.locator(".alf-plot .nsewdrag").first.bounding_box()
    page.mouse.click(box["x"] + across * box["width"], box["y"] + down * box["height"])


def test_a_click_moves_the_point_and_explore_follows(open_page):
    page = open_page("/atlas?family=agce&loss=agce:a=0.6,q=0.6&noise=pair:0.4&classes=10")
    click(page, 0.8, 0.7)
    page.wait_for_url("**/atlas**agce*", timeout=10_000)
    page.wait_for_function("!location.search.includes('a%3D0.6%2Cq%3D0.6')", timeout=20_000)
    settle(page)
    spec = page.url.split("loss=")[1].split("&")[0]
    page.get_by_role("link", name="Explore").first.click()
    page.wait_for_url(f"**/explore**{spec}**", timeout=20_000)


def test_a_click_on_the_curve_of_a_single_hyperparameter_moves_it_too(open_page):
    page = open_page("/atlas?family=ael&loss=ael:a=1.5&noise=pair:0.4&classes=10")
    click(page, 0.7, 0.3)
    page.wait_for_function("!location.search.includes('a%3D1.5')", timeout=20_000)
    assert "ael%3Aa%3D" in page.url
