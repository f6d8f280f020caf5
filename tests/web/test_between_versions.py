"""Somebody reads while another process publishes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from metadata.packages import load_texts
from runtime import records
from runtime.bootstrap import init_site
from runtime.publishing.publish import current_layers, publish
from runtime.settings import throwaway_settings
from runtime.site import Site
from tests.web.conftest import PASSWORD, Browser
from web.app import create_app

THING = "entity: thing\ntitle: name\nfields:\n  name: text\n  colour: text\n"
RENAMED = THING.replace("colour: text", "tint: {type: text, was: colour}")


@pytest.fixture
def served(tmp_path: Path, postgres_url: str) -> Iterator[Site]:
    """On SQLite a reader sees one version from its first statement on; PostgreSQL reads the newest tables."""
    settings = throwaway_settings(tmp_path / "s", database_url=postgres_url)
    with init_site(tmp_path / "s", settings=settings, seed=False, admin_password=PASSWORD).site as site:
        publish(site, [*current_layers(site), load_texts({"thing.yaml": THING}, "site")])
        with site.session(write=True) as session:
            records.create(session, "thing", {"name": "one", "colour": "red"})
        yield site


def publish_elsewhere(site: Site, text: str) -> None:
    with Site(replace(site.settings)) as other:
        publish(other, [*current_layers(other)[:-1], load_texts({"thing.yaml": text}, "site")])
    site._checked = time.monotonic()  # this process has just looked, and saw the version before


@pytest.mark.postgres
@pytest.mark.parametrize("address", ["/e/thing", "/e/thing/1", "/api/v1/thing/1"])
def test_a_publish_never_shows_an_error_to_a_reader(served: Site, address: str) -> None:
    browser = Browser(create_app(served, testing=True).test_client())
    assert browser.sign_in("admin").status_code == 303
    assert browser.get(address).status_code == 200
    publish_elsewhere(served, RENAMED)
    answer = browser.get(address)
    assert answer.status_code == 200
    assert "red" in answer.text


@pytest.mark.postgres
def test_errors_of_the_program_are_not_tried_again(served: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(served, testing=True)
    tries: list[int] = []

    def broken() -> str:
        tries.append(1)
        raise ZeroDivisionError

    app.add_url_rule("/broken", view_func=broken)
    assert app.test_client().get("/broken").status_code == 500
    assert len(tries) == 1
