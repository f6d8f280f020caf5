"""axe-core finds nothing serious or critical on any kind of page, in both themes, on desktop and phone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import DESKTOP, PHONE, Live, Opener, sync_api

pytestmark = pytest.mark.browser
AXE = Path(__file__).parents[2] / "web" / "assets" / "node_modules" / "axe-core" / "axe.min.js"
LIST = "/e/customer"
QUERY = (
    f"{LIST}/query?where=owner+%3D%3D+user+and+not+communications.any(at+%3E%3D+now()+-+days(30))"
    "+and+stage+in+('new','potential')+and+len(name)+%3E+3"
)
PAGES = (
    "/", LIST, f"{LIST}?q=zzzzqq", f"{LIST}/1", f"{LIST}/1/edit", QUERY, f"{LIST}/import", "/e/opportunity/1",
    "/e/opportunity/new", "/e/task", "/reports/sales_funnel", "/inbox", "/notifications", "/search?q=ljzz", "/runs",
    "/rules", "/rules/approval/quote", "/rules/score/customer_value", "/rules/web_form/contact_us", "/f/contact_us",
    "/recycle-bin", "/profile", "/view-as", f"{LIST}/merge?id=1", f"{LIST}/merge?id=1&id=2", f"{LIST}/duplicates",
)  # fmt: skip
FEW = (
    "/",
    LIST,
    f"{LIST}/1",
    f"{LIST}/1/edit",
    QUERY,
    f"{LIST}/import",
    "/reports/sales_funnel",
    "/profile",
    "/f/contact_us",
)
RUN = """async () => {
  const still = new CSSStyleSheet();  // a colour on its way from one theme to the other is neither
  still.replaceSync('* { transition: none !important; }');
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, still];
  const theme = document.documentElement.dataset.bsTheme;
  const serious = async (options) => (await axe.run(document, {resultTypes: ['violations'], ...options})).violations
    .filter(v => ['serious', 'critical'].includes(v.impact)).map(v => [v.id, v.nodes.length, v.nodes[0].html.slice(0, 160)]);
  const found = await serious({});
  if (theme === 'dark') return found;
  document.documentElement.dataset.bsTheme = 'dark';
  const other = await serious({runOnly: ['color-contrast']});
  document.documentElement.dataset.bsTheme = theme;
  return [...found, ...other];
}"""
FULL = bool(os.environ.get("OCTAVO_FUZZ"))


def findings(page: sync_api.Page) -> list[Any]:
    """The serious findings; on a light page those of contrast in the dark as well."""
    page.evaluate(AXE.read_text("utf-8"))
    found: list[Any] = page.evaluate(RUN)
    return found


@pytest.mark.parametrize(
    ("viewport", "theme", "language", "pages"),
    [
        pytest.param(DESKTOP, "light", "zh", PAGES, id="desktop"),
        pytest.param(PHONE, "dark", "en", PAGES if FULL else FEW, id="phone"),
    ],
)
@pytest.mark.experience(31, 35)
def test_no_page_has_a_serious_finding(
    open_page: Opener,
    live: Live,
    tmp_path: Path,
    viewport: dict[str, int],
    theme: str,
    language: str,
    pages: tuple[str, ...],
) -> None:
    assert AXE.exists(), "axe-core is not installed: run `make assets`"
    page = open_page(viewport=viewport, theme=theme, language=language)
    found = {}
    for address in pages:
        page.goto(live.address + address)
        found[address] = findings(page)
    file = tmp_path / "可达性.csv"
    file.write_text("客户名称,来源\n可达性有限公司,没有的来源\n", "utf-8")
    page.goto(f"{live.address}{LIST}/import")
    page.set_input_files("#file", file)
    page.click("form[enctype] .btn-primary")
    page.wait_for_url("**/import/*")
    found["columns"] = findings(page)
    page.click("button[value=dry]")
    page.wait_for_url("**/imports/*")
    found["preview"] = findings(page)
    assert {address: problems for address, problems in found.items() if problems} == {}


def test_the_first_page_anybody_sees_is_accessible(open_page: Opener, live: Live) -> None:
    assert AXE.exists(), "axe-core is not installed: run `make assets`"
    page = open_page(signed_in=False)
    page.goto(f"{live.address}/sign-in")
    assert findings(page) == []
