"""Takes the pictures of the manuals: `python -m tests.browser.screenshots FOLDER`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.browser.conftest import ARGUMENTS, CHROMIUM, DESKTOP, PASSWORD, PHONE, serve_demo, sync_api

PICTURES = (
    ("home", "/", DESKTOP, "light", "zh"),
    ("list", "/e/customer", DESKTOP, "light", "zh"),
    ("record", "/e/customer/1", DESKTOP, "light", "zh"),
    ("form", "/e/opportunity/1/edit", DESKTOP, "light", "en"),
    ("report", "/reports/sales_funnel", DESKTOP, "light", "en"),
    ("list-dark", "/e/opportunity", DESKTOP, "dark", "en"),
    ("list-phone", "/e/customer", PHONE, "light", "zh"),
    ("record-phone", "/e/customer/1", PHONE, "light", "zh"),
)


def main(folder: Path) -> None:
    """Serves a demo site of its own and writes one PNG per picture."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary, sync_api.sync_playwright() as playwright:
        served = serve_demo(Path(temporary) / "site")
        address = next(served)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for name, path, viewport, theme, language in PICTURES:
            context = browser.new_context(viewport=viewport, color_scheme=theme)
            page = context.new_page()
            page.goto(f"{address}/sign-in")
            page.fill("#login", "admin")
            page.fill("#password", PASSWORD)
            page.press("#password", "Enter")
            page.wait_for_url(f"{address}/")
            for cookie, value in (("octavo-language", language), ("octavo-theme", theme)):
                context.add_cookies([{"name": cookie, "value": value, "url": address}])
            page.goto(address + path)
            page.wait_for_load_state("networkidle")
            page.screenshot(path=folder / f"{name}.png")
            context.close()
        browser.close()
        served.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
