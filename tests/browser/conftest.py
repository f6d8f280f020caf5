"""A demo site served in a thread of the test process, and a Chromium that watches for errors and foreign requests."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from flask import Flask
from waitress import wasyncore
from waitress.server import create_server

from runtime.bootstrap import init_site
from web.app import create_app

sync_api = pytest.importorskip("playwright.sync_api")

CHROMIUM = os.environ.get("OCTAVO_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-software-rasterizer"),
]
PASSWORD = "octavo-demo-2026"
Width = dict[str, int]
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
sync_api.expect.set_options(timeout=20_000)  # what is right is judged here, not how fast a busy machine is
BOTH = pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])


def fits(page: sync_api.Page) -> bool:
    """Whether nothing makes the page scroll sideways."""
    width: int = page.evaluate("document.documentElement.scrollWidth")
    return page.viewport_size is not None and width <= page.viewport_size["width"]


@dataclass
class Live:
    """The address of the served site, and what the browser complained about since the last look."""

    address: str
    complaints: list[str] = field(default_factory=list)
    answered: list[int] = field(default_factory=list)


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """Serves on a free port of this machine meanwhile; its address.

    A worker of waitress wakes the loop by writing to a descriptor when it has answered. Closing that descriptor while
    one is at work makes it write an "x" into whatever has got the number since: once, that was the database of another
    test. So the workers end first, and the loop closes what it holds itself.
    """
    server = create_server(app, host="127.0.0.1", port=0, threads=8)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        server.task_dispatcher.shutdown(timeout=30)
        server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map))
        thread.join(30)
        assert not thread.is_alive()


def serve_demo(folder: Path) -> Iterator[str]:
    """Makes a demo site and serves it; yields its address."""
    made = init_site(folder, demo=True, admin_password=PASSWORD).site
    with serving(create_app(made, testing=True)) as address:
        made.settings = replace(made.settings, base_url=address)
        yield address
    made.close()


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    yield from serve_demo(tmp_path_factory.mktemp("browser") / "site")


@pytest.fixture(scope="session")
def chromium() -> Iterator[sync_api.Browser]:
    with sync_api.sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        except sync_api.Error as error:
            pytest.skip(f"no Chromium: {error}")
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def opened_here(request: pytest.FixtureRequest) -> Iterator[None]:
    """Closes what the test opened: pages left behind keep the processors busy beside all tests that follow."""
    if "chromium" not in request.fixturenames:
        yield
        return
    browser: sync_api.Browser = request.getfixturevalue("chromium")
    before = list(browser.contexts)
    yield
    for context in browser.contexts:
        if context not in before:
            context.close()


Opener = Callable[..., sync_api.Page]


@pytest.fixture
def live(address: str) -> Iterator[Live]:
    """Fails the test when a page wrote an error to the console, threw, or asked another server for something."""
    watched = Live(address)
    yield watched
    assert watched.complaints == []


@pytest.fixture
def open_page(chromium: sync_api.Browser, live: Live) -> Iterator[Opener]:
    """Opens a page, signed in unless `signed_in=False`, on a desktop unless told otherwise."""
    contexts = []

    def watch(page: sync_api.Page) -> None:
        expected = ("status of 422", "status of 412", "status of 401")

        def heard(message: sync_api.ConsoleMessage) -> None:
            if message.type in ("error", "warning") and not any(e in message.text for e in expected):
                live.complaints.append(message.text)

        def asked(request: sync_api.Request) -> None:
            if not request.url.startswith((live.address, "data:", "blob:")):
                live.complaints.append(f"foreign request: {request.url}")

        page.on("console", heard)
        page.on("pageerror", lambda error: live.complaints.append(str(error)))
        page.on("request", asked)

    def make(
        *, viewport: dict[str, int] = DESKTOP, theme: str = "light", language: str = "zh", signed_in: bool = True
    ) -> sync_api.Page:
        context = chromium.new_context(viewport=viewport, color_scheme=theme, has_touch=viewport is PHONE)
        contexts.append(context)
        for name, value in (("octavo-language", language), ("octavo-theme", theme)):
            context.add_cookies([{"name": name, "value": value, "url": live.address}])
        page = context.new_page()
        watch(page)
        if signed_in:
            page.goto(f"{live.address}/sign-in")
            page.fill("#login", "admin")
            page.fill("#password", PASSWORD)
            page.click("form[action='/sign-in'] button")
            page.wait_for_url(f"{live.address}/")
            chosen = page.locator(f"button[name=language][value={language}]")
            if chosen.count():
                chosen.click()
                page.wait_for_load_state("load")
        return page

    yield make
    for context in contexts:
        context.close()
