"""Entering without doing it twice: likely twins while typing, a look-up that creates, lines from a spreadsheet, a merge."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest

from tests.browser.conftest import BOTH, DESKTOP, PHONE, Live, Opener, Width, sync_api

pytestmark = pytest.mark.browser
expect = sync_api.expect
SQUARE = "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9AAAAFUlEQVR42mP8z8BQz0AEYBxVSF+FABJADveWkH6oAAAAAElFTkSuQmCC"


@BOTH
@pytest.mark.experience(8, 15)
def test_a_record_is_made_in_a_look_up_and_merged_when_it_was_there(open_page: Opener, viewport: Width) -> None:
    page = open_page(viewport=viewport, language="en")
    name = "绿洲新材料" if viewport is DESKTOP else "蓝鲸新能源"
    page.goto(page.url + "e/contact/new")
    box = page.locator("[data-lookup='/e/contact/lookup/customer']")
    page.fill("#f-name", "Kept While Creating")
    box.locator("input[role=combobox]").fill(name)
    box.locator(".lookup-new").click()
    dialog = page.locator("#quick[open]")
    expect(dialog.locator("input[name=name]")).to_have_value(name)
    page.keyboard.press("Enter")
    expect(box.locator("input[role=combobox]")).to_have_value(name)
    expect(page.locator("#f-name")).to_have_value("Kept While Creating")

    page.click(".top-new")
    page.click("a[data-quick='/e/customer/quick']")
    dialog.locator("input[name=name]").fill(f"{name[:2]}（{name[2:]}）有限公司")
    expect(dialog.locator(".likely")).to_contain_text(name)
    page.on("dialog", lambda asked: asked.accept())
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/e/customer/\d+$"))
    page.goto(page.url.replace("/e/customer/", "/e/customer/merge?id="))
    page.locator(".likely-list a").first.click()
    page.locator("form.merge .btn-primary").click()
    page.wait_for_url(re.compile(r"/e/customer/\d+$"))
    expect(page.locator(".toast-note").first).to_be_visible()


@BOTH
@pytest.mark.experience(14)
def test_lines_are_pasted_picked_and_combined(open_page: Opener, viewport: Width) -> None:
    page = open_page(viewport=viewport)
    page.goto(page.url + "e/quote/new")
    grid = page.locator("[data-lines=lines]")
    grid.scroll_into_view_if_needed()
    grid.locator("[data-add-line]").click()
    title = page.evaluate(
        'fetch(\'/e/quote_line/pick/product?list=1\').then((a) => a.text()).then((t) => t.match(/data-title="([^"]+)"/)[1])'
    )
    page.evaluate(
        """(text) => {
          const cell = document.querySelector("[data-lines=lines] tbody input[role=combobox]");
          const data = new DataTransfer();
          data.setData("text/plain", text);
          cell.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        }""",
        f"{title}\t\t\t1,200\n{title}\t\t\t2.5\nnothing like it\t\t\t1",
    )
    expect(grid.locator(".field-problem")).to_contain_text("nothing like it")
    expect(grid.locator("tbody tr")).to_have_count(3)
    expect(grid.locator("tbody tr").nth(1).locator("input[role=combobox]").first).to_have_value(title)
    grid.locator("tbody tr").nth(2).locator("[data-remove-line]").click()
    expect(grid.locator("[name$='.price']").nth(1)).not_to_have_value("")
    grid.locator("[data-combine]").click()
    expect(grid.locator("tbody tr")).to_have_count(1)
    expect(grid.locator("[name$='.quantity']")).to_have_value("1202.5")
    grid.locator("[data-pick]").click()
    page.locator("#quick .pick-item input").nth(0).check()
    page.locator("#quick .pick-item input").nth(1).check()
    page.locator("#quick [data-save]").click()
    expect(grid.locator("tbody tr")).to_have_count(3)
    page.on("dialog", lambda asked: asked.accept())


def test_cities_follow_the_province_on_a_phone(open_page: Opener) -> None:
    page = open_page(viewport=PHONE, theme="dark", language="en")
    page.click(".top-new")
    page.click("a[data-quick='/e/customer/quick']")
    expect(page.locator("#quick[open] .field")).to_have_count(3)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("#quick [data-close]").first.click()
    found = page.evaluate("fetch('/e/address/lookup/city?this.province=').then((a) => a.text())")
    assert "First choose: Province" in found


@BOTH
@pytest.mark.experience(8)
def test_the_picture_of_the_other_record_is_chosen_when_merging(
    open_page: Opener, live: Live, tmp_path: Path, viewport: dict[str, int]
) -> None:
    page = open_page(viewport=viewport)
    name = "图标桌面" if viewport is DESKTOP else "图标手机"
    ids = []
    for number, picture in enumerate((None, SQUARE)):
        page.goto(f"{live.address}/e/customer/new")
        page.fill("#f-name", f"{name}{'甲乙'[number]}有限公司")
        if picture is not None:
            file = tmp_path / "logo.png"
            file.write_bytes(base64.b64decode(picture))
            page.set_input_files("[data-field=logo] input[type=file]", file)
        page.click("[data-save] >> visible=true")
        page.wait_for_url(re.compile(r"/e/customer/\d+$"))
        ids.append(page.url.rsplit("/", 1)[1])
    page.goto(f"{live.address}/e/customer/merge?id={ids[0]}&id={ids[1]}&keep={ids[0]}")
    row = page.locator(".merge-table tr", has=page.locator("[name='from.logo']"))
    expect(row.locator("img")).to_be_visible()
    row.locator(f"[value='{ids[1]}']").check()
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    page.click("form.merge .btn-primary")
    page.wait_for_url(re.compile(rf"/e/customer/{ids[0]}$"))
    picture = page.locator("[data-field=logo] img, .fact img, main img").first
    picture.scroll_into_view_if_needed()  # pictures come when they are seen
    page.wait_for_function("image => image.naturalWidth > 0", arg=picture.element_handle())
