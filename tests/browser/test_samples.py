"""Sample data by one click on an empty list, and away again, on both widths."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.bootstrap import init_site
from runtime.jobs.worker import Worker
from tests.browser.conftest import BOTH, PASSWORD, Live, Opener, serving, sync_api
from tests.web.test_samples import write_sample
from web.app import create_app

pytestmark = pytest.mark.browser
expect = sync_api.expect


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A site without data, with a worker; its packages bring a few sample records."""
    data = write_sample(tmp_path / "data")
    monkeypatch.setattr("runtime.bootstrap.data_folders", lambda *_: [("sample", data)])
    with init_site(tmp_path / "site", seed=False, admin_password=PASSWORD).site as site:
        ended = threading.Event()

        def work() -> None:
            while not ended.wait(0.2):
                with contextlib.suppress(Exception):  # a busy database: the next look will do
                    Worker(site).run_all()

        worker = threading.Thread(target=work)
        worker.start()
        with serving(create_app(site, testing=True)) as found:
            yield found
        ended.set()
        worker.join(30)


@BOTH
@pytest.mark.experience(32)
def test_sample_data_by_one_click_and_away_again(open_page: Opener, live: Live, viewport: dict[str, int]) -> None:
    page = open_page(viewport=viewport)
    page.goto(f"{live.address}/e/customer")
    page.locator(".empty").get_by_role("button", name="加载示例数据").click()
    expect(page.locator("#samples")).to_contain_text("已加载示例数据：7 条记录", timeout=30_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    page.goto(f"{live.address}/e/customer")
    expect(page.locator("#list")).to_contain_text("样品甲机械有限公司")
    page.goto(f"{live.address}/")
    page.click("#home-samples a")
    page.get_by_role("button", name="移除示例数据").click()
    page.click("dialog .btn-danger")
    expect(page.locator("#samples")).to_contain_text("7 条示例记录已移入回收站，0 条保留", timeout=30_000)
    page.goto(f"{live.address}/e/customer")
    expect(page.locator(".empty").get_by_role("button", name="加载示例数据")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
