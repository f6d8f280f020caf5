"""What a list and a record tell at a glance, and where a click on it leads: pages, bars, tags, next steps, neighbours."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import BOTH, DESKTOP, PHONE, Live, Opener, Width, fits, sync_api

pytestmark = pytest.mark.browser
expect = sync_api.expect
LIST = "/e/customer"
SIGNALS = {"overdue", "today", "planned", "none", "done"}
# The least contrast of a text to what is painted behind it, over all elements that fit.
CONTRAST = """(places) => {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3]));
  const light = (c) => c.slice(0, 3).map((v) => v / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  return Math.min(...[...document.querySelectorAll(places)].filter((e) => e.offsetParent).map((element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) layers.push(rgba(getComputedStyle(e).backgroundColor));
    const ground = layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255]);
    const [a, b] = [light(over(rgba(getComputedStyle(element).color), ground)), light(ground)].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  }));
}"""


@BOTH
@pytest.mark.experience(2)
def test_pages_are_numbered_entered_and_asked_for_once(open_page: Opener, live: Live, viewport: Width) -> None:
    page = open_page(viewport=viewport)
    page.goto(live.address + LIST)
    expect(page.locator("#count")).to_have_text(re.compile(r"^\d[\d,]* 条$"))
    expect(page.locator(".page-link.active")).to_have_text("1")
    page.fill(".page-go input", "3")
    page.press(".page-go input", "Enter")
    page.wait_for_url(re.compile("page=3"))
    expect(page.locator(".page-link.active")).to_have_text("3")
    assert fits(page)
    page.goto(live.address + LIST)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "page=" in request.url else None)
    page.evaluate("for (let n = 0; n < 3; n++) document.querySelector('a[rel=next]').click()")
    expect(page.locator(".page-link.active")).to_have_text("2")
    page.wait_for_load_state("networkidle")
    shown = [re.search(r"page=(\d+)", url)[1] for url in asked]  # type: ignore[index]
    assert set(shown) == {"2"}  # impatience does not lead further than one looked
    expect(page.locator(".page-link.active")).to_have_text("2")


@pytest.mark.experience(2, 3, at="phone")
def test_a_phone_sorts_chooses_columns_and_exports(open_page: Opener, live: Live) -> None:
    """Cards have no headings to click: the same deeds stand in menus."""
    page = open_page(viewport=PHONE)
    page.goto(f"{live.address}{LIST}?cols=name,employees,owner")
    page.click(".filters .cards-only [data-menu]")
    page.click("[data-sort=employees]")
    page.wait_for_url(re.compile("sort=employees"))
    page.click(".filters .cards-only [data-menu]")
    page.click("[data-sort=employees]")
    page.wait_for_url(re.compile("sort=-employees"))
    label = "[data-label='员工人数']"
    figures = [int(re.sub(r"\D", "", text)) for text in page.locator(f"#list td{label}").all_inner_texts() if text]
    assert figures == sorted(figures, reverse=True)
    assert len(set(figures)) > 1
    menu = page.locator(".page-tools .narrow-only")
    menu.locator("[data-menu]").click()
    with page.expect_download() as started:
        menu.locator("[data-export=csv]").click()
    assert "员工人数" in started.value.path().read_text("utf-8-sig").splitlines()[0]
    page.goto(f"{live.address}{LIST}?cols=name,employees,owner")
    menu.locator("[data-menu]").click()
    menu.locator("[data-columns]").click()
    page.locator("[data-columns-form] li", has=page.locator("[value^=employees]")).locator("input").uncheck()
    page.click("[data-columns-form] .btn-primary")
    expect(page.locator(f"#list td{label}")).to_have_count(0)
    assert fits(page)


@BOTH
@pytest.mark.experience(3)
def test_a_view_is_kept_shared_in_its_address_and_reset(open_page: Opener, live: Live, viewport: Width) -> None:
    page = open_page(viewport=viewport)
    page.goto(f"{live.address}{LIST}?cols=name,owner&sort=-name")
    page.click("[hx-get*='/views/keep'] >> visible=true")
    name = "我的桌面" if viewport is DESKTOP else "我的手机"
    page.fill("dialog [name=name]", name)
    page.click("dialog .btn-primary")
    page.wait_for_url(re.compile(r"view=my-\d+"))
    kept = page.url
    page.goto(live.address + LIST)
    tab = page.locator("#view-tabs a", has_text=name)
    assert re.sub(r".*\?", "", kept) in (tab.get_attribute("href") or "")
    page.goto(kept)
    expect(page.locator("#view-tabs a.active")).to_have_text(name)
    assert page.locator("#list tbody tr").first.locator("td:not(.c-check)").count() == 2
    page.fill("#q", "软件")
    page.wait_for_url(re.compile("q="))
    page.click(".btn-reset")
    expect(page.locator("#q")).to_have_value("")
    expect(page.locator("#view-tabs a.active")).to_have_text(name)
    assert fits(page)


@BOTH
@pytest.mark.experience(16)
def test_bars_and_counts_lead_to_what_they_count(open_page: Opener, live: Live, viewport: Width) -> None:
    page = open_page(viewport=viewport)
    page.goto(f"{live.address}/e/opportunity?view=all")
    bars = page.locator("#list tbody .bar")
    shares = [int(v) for v in bars.locator("progress").evaluate_all("all => all.map(e => e.value)")]
    said = [round(float(re.sub(r"[^\d.]", "", text))) for text in bars.all_inner_texts()]
    assert shares == said  # the bar says what its figure says
    assert len(set(shares)) > 1
    page.goto(f"{live.address}{LIST}?view=all&q=ljzz&cols=name,opp_open,opp_count")
    row = page.locator("#list tbody tr[data-href='/e/customer/1']")
    counts = [int(text) for text in row.locator("a.behind").all_inner_texts()]
    assert counts[1] >= counts[0] > 0
    for place, count in enumerate(counts):
        page.goto(f"{live.address}{LIST}?view=all&q=ljzz&cols=name,opp_open,opp_count")
        row.locator("a.behind").nth(place).click()
        page.wait_for_url(re.compile("/e/opportunity"))
        expect(page.locator("#list tbody tr")).to_have_count(count)  # those it counted, no others
        assert fits(page)


@BOTH
@pytest.mark.experience(26)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_stages_and_tags_are_read_without_their_colour(
    open_page: Opener, live: Live, viewport: Width, theme: str
) -> None:
    page = open_page(viewport=viewport, theme=theme)
    page.goto(f"{live.address}/e/opportunity/1")
    now = page.locator(".path .step.now")
    expect(now).to_have_attribute("aria-current", "step")
    place = now.bounding_box()
    assert place is not None
    assert 0 <= place["x"] <= viewport["width"] - place["width"] / 2  # in sight, however many stages stand before it
    assert page.evaluate(CONTRAST, ".path .step:not([disabled]), .path .now, main .badge") >= 4.5
    page.goto(f"{live.address}{LIST}?view=all")
    tags = page.locator("#list tbody .badge")
    assert all(text.strip() for text in tags.all_inner_texts())  # a word, not colour alone
    assert page.evaluate(CONTRAST, "#list tbody .badge") >= 4.5


@BOTH
@pytest.mark.experience(26)
def test_a_step_of_the_path_moves_the_record_on(open_page: Opener, live: Live, viewport: Width) -> None:
    page = open_page(viewport=viewport)
    page.goto(f"{live.address}/e/task/new")
    page.fill("#f-subject", "路径桌面" if viewport is DESKTOP else "路径手机")
    page.click("[data-save] >> visible=true")
    page.wait_for_url(re.compile(r"/e/task/\d+$"))
    page.locator(".path .step", has_text="进行中").click()
    expect(page.locator(".path .step.now")).to_have_text("进行中")


@BOTH
@pytest.mark.experience(6)
def test_what_comes_next_is_seen_in_the_list_and_the_header(open_page: Opener, live: Live, viewport: Width) -> None:
    page = open_page(viewport=viewport)
    for signal in ("overdue", "today", "planned", "none"):
        page.goto(f"{live.address}/e/opportunity?where=signal+==+'{signal}'&cols=name,signal,idle_days")
        row = page.locator("#list tbody tr").first
        if not row.count():
            continue
        said = row.locator(".badge").first.inner_text()
        page.goto(live.address + (row.get_attribute("data-href") or ""))
        expect(page.locator(".reach-signal")).to_contain_text(said)
        expect(page.locator(".reach-idle")).to_be_visible()
    page.goto(f"{live.address}/e/opportunity?where=signal+is+None")
    expect(page.locator(".empty-title")).to_be_visible()  # every one shows a state


@pytest.mark.experience(28, at="desktop")
def test_the_side_panel_goes_from_neighbour_to_neighbour(open_page: Opener, live: Live) -> None:
    page = open_page()
    page.goto(f"{live.address}{LIST}?view=all&page=2")
    rows = page.locator("#list tbody tr")
    names = rows.locator("td.c-title").all_inner_texts()
    rows.nth(1).locator("td.c-tag").first.click()
    head = page.locator("#peek .peek-head h2")
    expect(head).to_have_text(names[1])
    page.keyboard.press("ArrowDown")
    expect(head).to_have_text(names[2])
    page.click("[data-peek='-1']")
    expect(head).to_have_text(names[1])
    page.click("[data-peek='-1']")
    expect(head).to_have_text(names[0])
    page.keyboard.press("Escape")
    expect(page.locator("#peek")).to_be_hidden()
    assert "page=2" in page.url
    page.goto(f"{live.address}/e/opportunity/new")
    width = page.evaluate("document.querySelector('main form').getBoundingClientRect().width")
    assert width <= 1150  # about 1,100 and its edges: lines of a form stay readable on a wide screen


@pytest.mark.experience(28, at="phone")
def test_back_returns_to_the_card_one_came_from(open_page: Opener, live: Live) -> None:
    page = open_page(viewport=PHONE)
    page.goto(f"{live.address}{LIST}?view=all&page=2")
    card = page.locator("#list tbody tr").nth(20)
    card.scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    assert before > 1000
    card.click(position={"x": 20, "y": 60})
    page.wait_for_url(re.compile(r"/e/customer/\d+$"))
    page.go_back()
    page.wait_for_url(re.compile("page=2"))
    page.wait_for_function("before => Math.abs(scrollY - before) < 50", arg=before)


@BOTH
@pytest.mark.experience(29)
def test_people_are_reached_from_the_top_of_the_record(open_page: Opener, live: Live, viewport: Width) -> None:
    page = open_page(viewport=viewport)
    page.goto(f"{live.address}/e/contact?view=all&cols=name,mobile,email")
    row = page.locator("#list tbody tr", has=page.locator("a[href^='mailto:']")).first
    page.goto(live.address + (row.get_attribute("data-href") or ""))
    acts = page.locator(".reach-acts")
    expect(acts.locator("[data-touch=call]").first).to_have_attribute("href", re.compile(r"^tel:"))
    expect(acts.locator("[data-touch=mail]").first).to_have_attribute("href", re.compile(r"^mailto:"))
    expect(acts.locator("[data-log-open]")).to_be_visible()
    expect(acts.locator("a[href*='/new']")).to_be_visible()  # plan the next step
    top = acts.bounding_box()
    assert top is not None
    assert top["y"] < viewport["height"] / 2
    assert fits(page)


@BOTH
@pytest.mark.experience(34)
def test_an_action_of_the_metadata_is_offered_in_list_record_and_palette(
    open_page: Opener, live: Live, viewport: Width
) -> None:
    page = open_page(viewport=viewport)
    label = "转客户"
    name, mobile = ("列表按钮机械", "13800136601") if viewport is DESKTOP else ("掌上按钮食品", "13911236702")
    page.goto(f"{live.address}/e/lead/new")
    page.fill("#f-company", name)
    page.fill("#f-phone", mobile)
    page.click("[data-save] >> visible=true")
    page.wait_for_url(re.compile(r"/e/lead/\d+$"))
    record = page.url
    action = page.locator("[data-action=convert_lead_to_customer]").first
    if not action.is_visible():
        page.click(".page-tools [data-menu]")
    expect(action).to_contain_text(label)
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type(label)
    expect(page.locator("#palette .palette-item").first).to_contain_text(label)
    page.goto(f"{live.address}/e/lead?view=all&q={name}")
    page.locator("#list [name=id]").first.check()
    page.click("#bulk [hx-post*='bulk/actions']")
    offer = page.locator(".bulk-offers .btn", has_text=label)
    assert fits(page)
    offer.click()
    expect(page.locator("#toasts .toast-note").first).to_be_visible()
    page.goto(f"{live.address}{LIST}?view=all&q={name}")
    expect(page.locator("#list tbody tr")).to_have_count(1)
    page.goto(record)
    expect(page.locator("[data-action=convert_lead_to_customer]:not(.disabled)")).to_have_count(0)


@BOTH
@pytest.mark.experience(17)
def test_the_search_finds_two_characters_and_the_last_four_digits(
    open_page: Opener, live: Live, viewport: Width
) -> None:
    page = open_page(viewport=viewport)
    page.goto(f"{live.address}/")
    for text, hit in (("零件", "零件制造"), ("5678", "零件制造"), ("ljzz", "零件制造")):
        page.click("#search-all")
        page.fill("#search-all", text)
        found = page.locator(".search-hit", has_text=hit).first
        expect(found).to_be_visible()
        expect(page.locator(".search-results .search-group, .search-results .search-kind").first).to_be_visible()
        assert fits(page)
    found.click()
    page.wait_for_url(re.compile(r"/e/[a-z_]+/\d+$"))
