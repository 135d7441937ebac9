"""The Tables page in a real browser: its link, and a table on a phone."""

import re

from tests.browser.conftest import settle


def test_the_link_carries_the_table_and_a_phone_scrolls_it(open_page):
    page = open_page("/tables?table=cifar100&grid=none&grid=symmetric:0.8", width=390)
    assert "12.69" in page.locator(".alf-reproduction").inner_text()
    assert "sources disagree" in page.locator(".alf-reproduction").inner_text()
    page.wait_for_function("location.search.includes('protocol=paper') && location.search.includes('grid=none')")
    wide = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
    assert wide <= 390  # the table scrolls, the page does not
    page.reload()
    settle(page)
    assert page.locator(".alf-reproduction thead th").all_inner_texts() == ["Loss", "clean", "symmetric 0.8"]
    assert re.search(r"table=cifar100", page.url)
