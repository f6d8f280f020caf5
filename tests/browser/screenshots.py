"""The pictures of the README, made of the demonstration: python -m tests.browser.screenshots docs/images"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM, DESKTOP, PHONE, serve_demo

LOGIN, PASSWORD = "zhangsan", "octavo-demo"
PHONE_AGENT = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36"
ON_DESK = {
    "home": "/",
    "customers": "/e/customer?view=deals",
    "customer": "/e/customer/1",
    "opportunity": "/e/opportunity/1",
    "funnel": "/reports/sales_funnel",
}
ON_PHONE = {"customer-phone": "/e/customer/1"}


def take(browser: Browser, address: str, pictures: dict[str, str], folder: Path, **context: Any) -> None:
    """Pictures of pages as one person sees them, in Chinese."""
    page = browser.new_context(locale="zh-CN", **context).new_page()
    page.goto(f"{address}/sign-in")
    page.fill("[name=login]", LOGIN)
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_load_state("networkidle")
    for name, path in pictures.items():
        page.goto(address + path)
        page.wait_for_load_state("networkidle")
        page.screenshot(path=folder / f"{name}.png")


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        served = serve_demo(Path(place) / "site")
        address = next(served)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        take(browser, address, ON_DESK, folder, viewport=DESKTOP)
        take(browser, address, ON_PHONE, folder, viewport=PHONE, user_agent=PHONE_AGENT)
        browser.close()
        next(served, None)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images"))
