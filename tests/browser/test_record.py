"""The record page in the browser: log, complete, take back, ask why; and nothing typed is lost."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import BOTH, DESKTOP, PASSWORD, PHONE, Live, Opener, Width, sync_api

pytestmark = pytest.mark.browser
expect = sync_api.expect
RECORD = "/e/customer/1"
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9AAAAFUlEQVR42mP8z8BQz0AEYBxVSF+FABJADveWkH6oAAAAAElFTkSuQmCC"
PASTE = """(picture) => {
  const bytes = Uint8Array.from(atob(picture), (c) => c.charCodeAt(0));
  const clipboardData = new DataTransfer();
  clipboardData.items.add(new File([bytes], "pasted.png", { type: "image/png" }));
  const event = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true });
  document.querySelector("#quick-log textarea").dispatchEvent(event);
}"""


@BOTH
@pytest.mark.experience(7)
def test_a_visit_is_logged_with_a_mention_and_a_pasted_picture(open_page: Opener, live: Live, viewport: Width) -> None:
    page = open_page(viewport=viewport)
    page.goto(live.address + RECORD)
    page.click("[data-log-open]")
    page.click(".log-kind:has(input[value=visit])")
    page.focus("#quick-log textarea")
    page.keyboard.type("看了样品 @李")
    expect(page.locator("#quick-log [role=option]").first).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#quick-log textarea")).to_have_value("看了样品 @李四 ")
    page.evaluate(PASTE, PICTURE)
    expect(page.locator("#quick-log .log-chip img")).to_be_visible()
    page.keyboard.press("Control+Enter")
    entry = page.locator(".line-activity", has_text="看了样品")
    expect(entry.locator(".mention")).to_have_text("@李四")
    expect(entry.locator(".line-files img")).to_be_visible()
    expect(page.locator("#quick-log textarea")).to_have_value("")
    expect(page.locator("#quick-log .log-chip")).to_have_count(0)
    expect(page.locator(".toast-note")).to_be_visible()
    page.select_option(".line-filter select", "tasks")
    expect(page.locator("#timeline-list", has_text="看了样品")).to_have_count(0)


@BOTH
@pytest.mark.experience(7)
def test_people_are_mentioned_in_the_form_of_an_activity(
    open_page: Opener, live: Live, viewport: dict[str, int]
) -> None:
    page = open_page(viewport=viewport)
    page.goto(f"{live.address}/e/communication/new?customer=1&next={RECORD}")
    subject = "表单提及桌面" if viewport is DESKTOP else "表单提及手机"
    page.fill("#f-subject", subject)
    area = page.locator("#f-content")
    area.focus()
    page.keyboard.type("请 @李")
    options = page.locator("[data-field=content] [role=option]")
    expect(options.first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    page.keyboard.press("Enter")
    expect(area).to_have_value("请 @李四 ")
    page.keyboard.type("跟进")
    page.click("[data-save] >> visible=true")
    page.wait_for_url(re.compile("/e/customer/1$"))
    if viewport is PHONE:
        page.click("[data-tab*=timeline]")
    entry = page.locator(".line-activity", has_text=subject)
    expect(entry.locator(".mention")).to_have_text("@李四")


def test_a_refused_entry_stays_in_its_box_and_goes_on_in_the_full_form(open_page: Opener, live: Live) -> None:
    page = open_page()
    page.goto(live.address + RECORD)
    page.click("#quick-log .btn-primary")
    expect(page.locator("#log-problems .field-problem")).to_be_visible()
    page.fill("#quick-log textarea", "第一行\n第二行")
    page.click("[data-log-full]")
    page.wait_for_url(re.compile("/e/communication/new"))
    expect(page.locator("#f-subject")).to_have_value("第一行")
    expect(page.locator("#f-content")).to_have_value("第一行\n第二行")


@BOTH
@pytest.mark.experience(6)
def test_completing_a_task_asks_for_the_next_step(open_page: Opener, live: Live, viewport: Width) -> None:
    page = open_page(viewport=viewport)
    first, then = ("寄样品", "问反馈") if viewport is DESKTOP else ("寄手册", "问意见")
    page.goto(f"{live.address}/e/task/new?customer=3&next=/e/customer/3")
    page.fill("#f-subject", first)
    page.click("[data-save]")
    page.wait_for_url(re.compile("/e/customer/3$"))
    if viewport is PHONE:
        page.click("[data-tab*=timeline]")
    page.locator(".line-activity", has_text=first).locator(".line-do").click()
    page.fill("#action-dialog [name=next]", then)
    with page.expect_navigation():
        page.click("#action-dialog [data-save]")
    page.wait_for_load_state("networkidle")
    if viewport is PHONE:
        page.click("[data-tab*=timeline]")
    expect(page.locator(".line-activity.is-open", has_text=then)).to_be_visible()
    expect(page.locator(".line-activity.is-open", has_text=first)).to_have_count(0)


def made(page: sync_api.Page, live: Live, *subjects: str) -> list[str]:
    """Tasks of a customer; their addresses."""
    found = []
    for subject in subjects:
        page.goto(f"{live.address}/e/task/new?customer=3")
        page.fill("#f-subject", subject)
        page.click("[data-save] >> visible=true")
        page.wait_for_url(re.compile(r"/e/task/\d+$"))
        found.append(page.url)
    return found


def answered(page: sync_api.Page, text: str) -> None:
    """Answers the question for the next step, and waits for the page it leads back to."""
    asked = page.locator("#action-dialog [name=next]")
    expect(asked).to_be_visible()
    asked.fill(text)
    with page.expect_navigation():
        page.click("#action-dialog [data-save]")


@BOTH
@pytest.mark.experience(6)
def test_closing_a_task_by_its_form_asks_for_the_next_step(
    open_page: Opener, live: Live, viewport: dict[str, int]
) -> None:
    page = open_page(viewport=viewport)
    name = "表单桌面" if viewport is DESKTOP else "表单手机"
    (task,) = made(page, live, f"{name}完成")
    page.goto(f"{task}/edit")
    page.fill("#f-notes", "改说明，不算完成")
    page.click("[data-save] >> visible=true")
    page.wait_for_url(task)
    expect(page.locator("#toasts .toast-note")).to_be_visible()
    expect(page.locator("#action-dialog")).to_be_hidden()
    page.goto(f"{task}/edit")
    page.select_option("#f-status", "done")
    page.click("[data-save] >> visible=true")
    page.wait_for_url(task)
    answered(page, f"{name}回访")
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    page.goto(f"{live.address}/e/task?q={name}")
    expect(page.locator("#list tbody tr")).to_have_count(2)
    page.locator("#list tbody a", has_text=f"{name}回访").click()
    expect(page.locator("main")).to_contain_text(page.locator("h1").inner_text())


@pytest.mark.experience(4, 6, 21, at="desktop")
def test_closing_tasks_in_a_list_asks_for_the_next_step(open_page: Opener, live: Live) -> None:
    page = open_page()
    made(page, live, "格子一", "格子二", "格子三")
    page.goto(f"{live.address}/e/task?q=格子&cols=subject,status,due_at")
    row = page.locator("#list tbody tr", has_text="格子一")
    row.locator("td").nth(2).dblclick()
    row.locator("select").select_option("done")
    row.locator("[data-cell] button").first.click()
    answered(page, "格子一之后")
    expect(page.locator("#list tbody tr", has_text="格子一之后")).to_be_visible()
    for name in ("格子二", "格子三"):
        page.locator("#list tbody tr", has_text=name).locator("[name=id]").check()
    page.click("#bulk [hx-post*='/bulk/ask']")
    page.select_option("#bulk-field", "status")
    page.select_option("#bulk-value [name=value]", "done")
    page.click("#list-dialog [data-save]")
    expect(page.locator("#action-dialog")).to_contain_text("2 条")
    answered(page, "格子后续")
    expect(page.locator("#list tbody tr", has_text="格子后续")).to_have_count(2)


@BOTH
@pytest.mark.experience(20)
def test_a_session_that_ends_between_opening_and_saving_loses_nothing(
    open_page: Opener, live: Live, viewport: Width
) -> None:
    page = open_page(viewport=viewport)
    page.goto(f"{live.address}/e/customer/4/edit")
    page.fill("#f-short_name", "没有丢失")
    cookies = page.context.cookies()
    page.context.clear_cookies()
    page.context.add_cookies([c for c in cookies if c["name"] in ("octavo-language", "octavo-theme")])
    page.click("[data-save]")
    dialog = page.locator("dialog.sign-in-again")
    expect(dialog).to_be_visible()
    page.fill("dialog.sign-in-again [name=password]", "wrong")
    page.click("dialog.sign-in-again .btn-primary")
    expect(dialog.locator(".field-problem")).not_to_be_empty()
    page.fill("dialog.sign-in-again [name=password]", PASSWORD)
    page.click("dialog.sign-in-again .btn-primary")
    page.wait_for_url(re.compile(r"/e/customer/4$"))
    page.goto(f"{live.address}/e/customer/4/edit")
    expect(page.locator("#f-short_name")).to_have_value("没有丢失")
    expect(page.locator(".draft-note")).to_have_count(0)


@BOTH
@pytest.mark.experience(20)
def test_a_draft_outlives_its_page_and_belongs_to_its_writer(open_page: Opener, live: Live, viewport: Width) -> None:
    page = open_page(viewport=viewport)
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"{live.address}/e/customer/5/edit")
    page.fill("#f-short_name", "写到一半")
    page.wait_for_timeout(600)  # drafts are kept a moment after the last key
    kept = page.evaluate("JSON.stringify(localStorage)")
    assert "csrf" not in kept
    page.goto(f"{live.address}/e/customer/5/edit")
    expect(page.locator("#f-short_name")).not_to_have_value("写到一半")
    page.click(".draft-note button >> nth=0")
    expect(page.locator("#f-short_name")).to_have_value("写到一半")
    expect(page.locator(".dirty-mark")).to_be_visible()
    page.evaluate("document.body.dataset.user = '987'")
    other = page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('octavo-draft:987:')).length")
    assert other == 0
    page.goto(f"{live.address}/e/customer/5/edit")
    page.click(".top-user")
    page.click("form[action='/sign-out'] button")
    page.wait_for_url(re.compile("/sign-in"))
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('octavo-draft:')).length") == 0


@BOTH
@pytest.mark.experience(19)
def test_a_change_is_taken_back_from_the_history(open_page: Opener, live: Live, viewport: Width) -> None:
    page = open_page(viewport=viewport)
    for name in ("先写的", "后写的"):
        page.goto(f"{live.address}/e/customer/6/edit")
        page.fill("#f-short_name", name)
        page.click("[data-save]")
        page.wait_for_url(re.compile(r"/e/customer/6$"))
    page.click("[data-tab=p-history]")
    page.locator("#p-history .line-changes", has_text="后写的").first.locator(".line-undo button").click()
    page.click("dialog .btn-primary")
    expect(page.locator(".toast-note")).to_contain_text("已撤销")
    expect(page.locator("#p-profile")).to_contain_text("先写的")
    page.click("[data-tab=p-history]")
    page.locator("#p-history .line-changes", has_text="后写的").nth(1).locator(".line-undo button").click()
    page.click("dialog .btn-primary")
    expect(page.locator(".toast-note")).to_contain_text("没有撤销")


def test_why_is_answered_where_rules_are_at_work(open_page: Opener, live: Live) -> None:
    page = open_page()
    page.goto(f"{live.address}/e/customer/1")
    page.click("[data-tab=p-value]")
    page.click("#p-value [href$='/why/opp_open']")
    expect(page.locator("#action-dialog .why-rule")).to_contain_text("商机.count")
    page.keyboard.press("Escape")
    page.goto(f"{live.address}/e/customer/new")
    page.select_option("#f-status", "abandoned")
    why = page.locator("[data-field=status_reason] .why")
    expect(why).to_be_visible()
    why.locator("summary").click()
    expect(why).to_contain_text("状态")


@pytest.mark.experience(13, 29, at="phone")
def test_a_phone_reaches_people_and_logs_with_a_thumb(open_page: Opener, live: Live) -> None:
    page = open_page(viewport=PHONE)
    page.goto(live.address + RECORD)
    page.wait_for_load_state("networkidle")
    assert page.get_attribute("[data-touch=call]", "href").startswith("tel:")
    page.click("[data-log-open]")
    expect(page.locator("#quick-log textarea")).to_be_focused()
    places = ".bottom a, .reach-acts .btn, #quick-log .log-kind span, #quick-log .log-foot .btn, .line-do, .path .step"
    small = page.evaluate(
        "(places) => [...document.querySelectorAll(places)].filter((e) => e.offsetParent && e.offsetHeight < 44).map((e) => e.className)",
        places,
    )
    assert small == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    labels = page.locator(".bottom a span").all_inner_texts()
    assert labels == ["首页", "客户", "商机", "待办", "我的"]


@pytest.mark.experience(7, 28, at="desktop")
def test_the_side_panel_of_a_list_answers_why_and_leads_to_the_log(open_page: Opener, live: Live) -> None:
    page = open_page()
    page.goto(f"{live.address}/e/customer?q=%E9%9B%B6%E4%BB%B6")
    page.locator("#list tbody tr td.c-tag").first.click()
    page.locator("#peek .why-mark, #peek .left-out a").first.click()
    expect(page.locator("#action-dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.click("#peek [data-log-there]")
    page.wait_for_url(re.compile(r"/e/customer/\d+#log$"))
    expect(page.locator("#quick-log textarea")).to_be_focused()
