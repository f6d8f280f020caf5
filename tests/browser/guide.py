"""Makes the pictures of the end user's guide and carries out its fixed set of tasks, counting clicks, keys and seconds.

`python -m tests.browser.guide docs` writes `images/user/{zh,en}/*.webp`, `tasks.md` and their pictures.
"""

from __future__ import annotations

import base64
import csv
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from runtime.bootstrap import init_site
from runtime.jobs.worker import Worker
from tests.browser.conftest import ARGUMENTS, CHROMIUM, PASSWORD, PHONE, serving, sync_api
from web.app import create_app

WIDE = {"width": 1200, "height": 760}
LIST = "/e/customer"
QUERY = (
    f"{LIST}/query?where=owner+%3D%3D+user+and+not+communications.any(now()+-+days(30)+%3C%3D+at+%3C%3D+now())"
    "+and+stage+in+('new','repeat')"
)
PICTURES = (  # name, address, viewport, theme
    ("home", "/", WIDE, "light"),
    ("list", LIST, WIDE, "light"),
    ("list-dark", "/e/opportunity", WIDE, "dark"),
    ("list-phone", LIST, PHONE, "light"),
    ("query", QUERY, WIDE, "light"),
    ("record", f"{LIST}/1", WIDE, "light"),
    ("record-phone", f"{LIST}/1", PHONE, "light"),
    ("form", f"{LIST}/1/edit", WIDE, "light"),
    ("import", f"{LIST}/import", WIDE, "light"),
    ("report", "/reports/sales_funnel", WIDE, "light"),
    ("notices", "/notifications", WIDE, "light"),
)
CLICK, KEY = 1.3, 0.28  # seconds a person needs for one: pointing and clicking, pressing a key


def picture(page: sync_api.Page, file: Path, quality: int = 45) -> None:
    """The page as WebP, as small as it stays readable."""
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(250)
    asked = {"format": "webp", "quality": quality}
    found = page.context.new_cdp_session(page).send("Page.captureScreenshot", asked)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(base64.b64decode(found["data"]))


@contextmanager
def served() -> Iterator[str]:
    """A demo site whose jobs are done while it serves; its address."""
    with tempfile.TemporaryDirectory() as temporary:
        site = init_site(Path(temporary) / "site", demo=True, admin_password=PASSWORD).site
        over = threading.Event()

        def work() -> None:
            while not over.wait(0.2):
                Worker(site).run_all()

        worker = threading.Thread(target=work, daemon=True)
        with serving(create_app(site, testing=True)) as address:
            worker.start()
            try:
                yield address
            finally:
                over.set()
                worker.join(60)
        site.close()


@dataclass
class Desk:
    """A signed-in page that counts what a person would do on it."""

    address: str
    page: sync_api.Page
    clicks: int = 0
    keys: int = 0

    def go(self, path: str) -> None:
        self.page.goto(self.address + path)

    def click(self, selector: str) -> None:
        self.clicks += 1
        self.page.click(selector)

    def type(self, text: str) -> None:
        self.keys += len(text)
        self.page.keyboard.type(text)

    def press(self, key: str) -> None:
        self.keys += key.count("+") + 1
        self.page.keyboard.press(key)

    def choose(self, selector: str, value: str) -> None:
        self.clicks += 2
        self.page.select_option(selector, value)


def opened(browser: sync_api.Browser, address: str, viewport: dict[str, int], theme: str, language: str) -> Desk:
    context = browser.new_context(viewport=viewport, color_scheme=theme, has_touch=viewport is PHONE)
    for name, value in (("octavo-language", language), ("octavo-theme", theme)):
        context.add_cookies([{"name": name, "value": value, "url": address}])
    page = context.new_page()
    page.goto(f"{address}/sign-in")
    page.fill("#login", "admin")
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_url(f"{address}/")
    return Desk(address, page)


# --- tasks ---------------------------------------------------------------------------------------------------------


@dataclass
class Task:
    """`machine` are the seconds the pages took; a person's time is reckoned from clicks and keys."""

    name: str
    title: dict[str, str]
    work: Callable[[Desk], None]
    viewport: dict[str, int] = field(default_factory=lambda: WIDE)
    start: str = "/"
    before: Callable[[Desk], None] | None = None  # what must be there, not counted


def prospect(desk: Desk) -> None:
    desk.click(".top-new")
    desk.click(".top .dropdown-menu.show a[href*='customer'] >> nth=0")
    desk.page.wait_for_selector("#f-name, [name=name]")
    desk.page.locator("[name=name]").first.focus()
    desk.type("云帆软件有限公司")
    desk.press("Enter")
    desk.page.wait_for_selector(".toast-note")


def find(desk: Desk) -> None:
    desk.press("/")
    desk.type("零件")
    desk.page.wait_for_selector(".search-hit")
    desk.click(".search-hit >> nth=0")
    desk.page.wait_for_url("**/e/**")


def import_rows(desk: Desk) -> None:
    file = Path(tempfile.mkdtemp()) / "customers.csv"
    with file.open("w", encoding="utf-8-sig", newline="") as stream:
        rows = ([f"批量{n:04d}有限公司", f"批{n}", "通用设备制造业", n + 1] for n in range(5000))
        csv.writer(stream).writerows([["客户名称", "简称", "行业", "员工人数"], *rows])
    desk.click("a[href$='/import']")
    desk.clicks += 2  # the window that asks for the file
    desk.page.set_input_files("#file", file)
    desk.click("form[enctype] .btn-primary")
    desk.click("button[value=dry]")
    desk.page.wait_for_selector(".import-result [data-save]", timeout=300_000)
    desk.click(".import-result [data-save]")
    desk.page.wait_for_selector("form[action$='/undo']", timeout=300_000)


def owner(desk: Desk) -> None:
    desk.page.check("[data-select-all]")
    desk.click("[data-choose-all]")
    desk.clicks += 1
    desk.click("#bulk [hx-post*='bulk/ask']")
    desk.choose("#bulk-field", "owner")
    box = desk.page.locator("#bulk-value [role=combobox]")
    box.wait_for()
    box.click()
    desk.clicks += 1
    desk.type("张三")
    desk.page.wait_for_selector("#bulk-value [role=option]")
    desk.press("Enter")
    desk.click("#list-dialog [data-save]")
    desk.page.wait_for_url("**/bulk/*")
    desk.page.wait_for_selector("form[action$='/undo']", timeout=120_000, state="attached")


def twin(desk: Desk) -> None:
    """The customer of the first task once more, as a colleague would write it; the form tells that it is there."""
    desk.go(f"{LIST}/new")
    desk.page.fill("#f-name", "云帆软件")
    desk.page.fill("#f-phone", "021-5566 7788")
    desk.page.click("[data-save] >> visible=true")
    desk.page.wait_for_load_state("networkidle")
    if desk.page.url.endswith("/new"):
        desk.page.click("[data-save] >> visible=true")
    desk.page.wait_for_url(re.compile(r"/e/customer/\d+$"))


def merge(desk: Desk) -> None:
    for row in range(2):
        desk.page.locator("#list [name=id]").nth(row).check()
        desk.clicks += 1
    desk.click("#bulk [data-merge]")
    desk.page.wait_for_selector("form.merge")
    desk.click("form.merge .merge-keep >> nth=1")
    desk.click("form.merge .btn-primary")
    desk.page.wait_for_url(re.compile(r"/e/customer/\d+$"))
    desk.page.wait_for_selector(".toast-note")


def call(desk: Desk) -> None:
    desk.click("[data-tab*=timeline]")
    desk.click("textarea[name=text] >> visible=true")
    desk.type("电话：下周三上门演示")
    form = desk.page.locator("form:has(textarea[name=text])").first
    form.locator("button:not([type=button])").last.click()
    desk.clicks += 1
    desk.page.wait_for_selector("text=下周三上门演示")


TASKS = (
    Task("prospect", {"zh": "录入一位潜在客户", "en": "Enter a prospect"}, prospect),
    Task("find", {"zh": "用两个字找到客户", "en": "Find a customer by two characters"}, find),
    Task("import", {"zh": "导入 5,000 行", "en": "Import 5,000 rows"}, import_rows, start=LIST),
    Task(
        "owner",
        {"zh": "把 500 位客户转给他人", "en": "Change the owner of 500"},
        owner,
        start=f"{LIST}?where=starts_with(name,'批量0')+and+employees+%3C%3D+500",
    ),
    Task("merge", {"zh": "合并重复的客户", "en": "Merge a duplicate"}, merge, start=f"{LIST}?q=云帆软件", before=twin),
    Task(
        "call", {"zh": "在手机上记录一次通话", "en": "Log a call on the phone"}, call, viewport=PHONE, start=f"{LIST}/1"
    ),
)

HEAD = """# Tasks · 任务

What everyday tasks take, carried out by a script in a real browser on a demonstration site: clicks, keys, the seconds
the pages took on the machine that made this page, and what a person would need ({click} s a click, {key} s a key).
Made by `make screenshots`. 由脚本在真实浏览器中完成的日常任务：点击、按键、页面用时和估算的人工用时。

| | clicks 点击 | keys 按键 | machine 页面用时 (s) | person 人工估算 (s) |
| --- | ---: | ---: | ---: | ---: |
"""


def carry_out(browser: sync_api.Browser, address: str, folder: Path) -> str:
    """Carries every task out and answers the page that tells of them."""
    lines, pictures = [], []
    for task in TASKS:
        desk = opened(browser, address, task.viewport, "light", "zh")
        if task.before is not None:
            task.before(desk)
            desk.clicks = desk.keys = 0
        desk.go(task.start)
        desk.page.wait_for_load_state("networkidle")
        begun = time.perf_counter()
        task.work(desk)
        taken = time.perf_counter() - begun
        person = desk.clicks * CLICK + desk.keys * KEY
        title = f"{task.title['en']} · {task.title['zh']}"
        lines.append(f"| {title} | {desk.clicks} | {desk.keys} | {taken:.1f} | {person:.0f} |\n")
        picture(desk.page, folder / "images" / "user" / "tasks" / f"{task.name}.webp")
        pictures.append(f"\n## {title}\n\n![{task.title['en']}](images/user/tasks/{task.name}.webp)\n")
        desk.page.context.close()
        print(lines[-1].strip())
    return HEAD.format(click=CLICK, key=KEY) + "".join(lines) + "".join(pictures)


def main(folder: Path, *, pictures: bool = True) -> None:
    with sync_api.sync_playwright() as playwright, served() as address:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for language in ("zh", "en") if pictures else ():
            for name, path, viewport, theme in PICTURES:
                desk = opened(browser, address, viewport, theme, language)
                desk.go(path)
                picture(desk.page, folder / "images" / "user" / language / f"{name}.webp")
                desk.page.context.close()
        (folder / "tasks.md").write_text(carry_out(browser, address, folder), "utf-8")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), pictures="--tasks" not in sys.argv)
