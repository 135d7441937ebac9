"""A matrix from a file, in the browser: a good one is used, a huge one is refused in a sentence."""

from playwright.sync_api import expect

from tests.browser.conftest import settle

START = "/noise?noise=pair:0.4&classes=3"


def upload(page, name: str, content: bytes) -> None:
    page.get_by_role("button", name="Paste or upload").click()
    page.locator("[data-testid=stFileUploaderDropzoneInput]").set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": content}
    )


def test_an_uploaded_matrix_is_used(open_page):
    page = open_page(START)
    upload(page, "noise.csv", b"0.7,0.3\n0.25,0.75\n")
    page.wait_for_url("**noise=matrix**", timeout=30_000)
    settle(page)
    assert "matrix" in page.url and "classes=2" in page.url


def test_a_file_of_fifty_megabytes_is_refused_and_the_page_lives(open_page, tmp_path):
    page = open_page(START)
    file = tmp_path / "huge.csv"
    file.write_bytes(b"0.5,0.5\n" * (50 * 2**20 // 8))
    page.get_by_role("button", name="Paste or upload").click()
    page.locator("[data-testid=stFileUploaderDropzoneInput]").set_input_files(str(file))
    expect(page.get_by_text("File must be 5.0MB or smaller")).to_be_visible(timeout=30_000)
    page.keyboard.press("Escape")
    classes = page.get_by_role("spinbutton", name="Classes K")
    classes.fill("4")
    classes.press("Enter")
    page.wait_for_url("**classes=4**", timeout=30_000)
