"""One small application behind pages and API, people of every kind, and a hash of all that it holds."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from runtime import records
from runtime.files.attachments import upload
from runtime.security.sessions import set_password
from runtime.security.tokens import create_token
from runtime.site import Site
from tests.databases import WHOLE, database_of, sqlite_url
from tests.records.world import APPLICATION, add_user, content, open_site
from web.api import PREFIX
from web.app import create_app

HERE = Path(__file__).parent
PASSWORD = "right horse battery"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 32
CANARY = "canary-7f3d"
MORE = """
---
extend: account
timeline: [{field: remarks, log: true}, deals]
files: true
fields:
  logo: image
  paper: file
  remarks: {type: related, entity: remark, by: account}
---
entity: remark
title: subject
owner: writer
activity: {at: at, text: body, person: writer, open: "not closed", done: {closed: true}}
files: true
fields:
  subject: {type: text, required: true, max: 80}
  body: long_text
  at: {type: datetime, default: "=now()"}
  closed: {type: boolean, default: false}
  account: {type: link, to: account, on_delete: cascade}
  writer: {type: user, default: "=user"}
---
extend: {role: rep}
grants:
  remark: {read: own, create: own, edit: own, delete: own}
---
report: by_stage
from: account
group: [stage]
measures: {accounts: "count()", staff: "sum(employees)"}
---
list: account
columns: [name, stage, employees]
---
role: watcher
grants:
  account: {read: all, report: all}
---
role: team_only
grants:
  account: {read: team, export: team, report: team}
---
role: passer_by
grants:
  account: {create: all, edit: all}
---
web_form: ask
entity: account
as: passer_by
fields: [{field: name, required: true}, phone, note]
set: {stage: new}
query: [{field: site, parameter: ref}]
consent: {text: I agree}
origins: [https://www.example.com]
redirect: https://www.example.com/thanks
limit: {address: 12, all: 60}
"""
GRANTS = "delete: own, export: own, import: own, report: own}"
WORLD = APPLICATION.replace("delete: own, export: own}", GRANTS).replace(
    "account: {all: all, show: [cost, profit]}", "account: {all: all, import: all, report: all, show: [cost, profit]}"
)
PEOPLE = {
    "alice": ("rep",),
    "bob": ("rep",),
    "boss": ("boss",),
    "watcher": ("watcher",),
    "loner": ("team_only",),
    "nobody": ("nobody",),
    "admin": ("manager",),
}


@dataclass
class Person:
    """Somebody on all three channels: pages, fragments, API."""

    client: FlaskClient
    token: str = ""
    csrf: str = ""

    def page(self, method: str, path: str, data: Any = None, *, fragment: bool = False, **more: Any) -> Any:
        headers = {"X-CSRFToken": self.csrf, "Accept-Language": "en", **({"HX-Request": "true"} if fragment else {})}
        headers |= more.pop("headers", {})
        answer = self.client.open(path, method=method, data=data, headers=headers, **more)
        found = (
            re.search(r'name="csrf-token" content="([^"]+)"', answer.text) if answer.mimetype == "text/html" else None
        )
        if found:
            self.csrf = found.group(1)
        return answer

    def api(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        headers = {"Accept-Language": "en", **more.pop("headers", {})}
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if body is not None:
            more["json"] = body
        fresh = self.client.application.test_client()
        return fresh.open(PREFIX + path, method=method, headers=headers, **more)

    def sign_in(self, login: str, password: str = PASSWORD) -> Any:
        self.page("GET", "/sign-in")
        answer = self.page("POST", "/sign-in", {"login": login, "password": password})
        self.page("GET", "/profile")
        return answer


@dataclass
class Arena:
    site: Site
    app: Flask
    ids: dict[str, int] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)

    def person(self, name: str | None) -> Person:
        """The person signed in once; None is somebody unknown."""
        return Person(self.app.test_client()) if name is None else self.people[name]

    def create(self, user: str, entity: str = "account", **values: Any) -> int:
        with self.site.session(self.ids[user], write=True) as session:
            return records.create(session, entity, values).id

    def upload(self, user: str, name: str = "logo.png", data: bytes = PNG) -> int:
        with self.site.session(self.ids[user], write=True) as session:
            return upload(session, io.BytesIO(data), name)

    def content(self) -> str:
        """A hash over every row; what a person's own reading and sign-in leave behind does not count."""
        with self.site.session() as session:
            return content(session)

    def refused(self, send: Any, *allowed: int) -> Any:
        """Sends a request that must be refused with one of these statuses and leave no trace whatever."""
        before = self.content()
        answer = send()
        assert answer.status_code in (allowed or range(400, 500)), (answer.status_code, answer.text[:300])
        assert self.content() == before
        return answer


def build(folder: Path, url: str = "") -> Arena:
    site = open_site(url or sqlite_url(folder), folder, WORLD + MORE)
    arena = Arena(site, create_app(site, testing=True))
    for name, roles in PEOPLE.items():
        arena.ids[name] = add_user(site, name, *roles)
        with site.session(write=True) as session:
            set_password(session, arena.ids[name], PASSWORD)
            token = create_token(session, arena.ids[name], "test")
        person = arena.people[name] = Person(arena.app.test_client(), token)
        assert person.sign_in(name).status_code == 303
        assert (
            person.api("GET", "/me").status_code == 200
        )  # a token's first use is noted; later ones within the hour not
    return arena


@pytest.fixture(scope="session", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def arena(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    folder = tmp_path_factory.mktemp("attacks")
    with database_of(request.param, folder) as url:
        made = build(folder, url)
        yield made
        made.site.close()


BOTH = ("test_records.py", "test_data_out.py")  # on both databases at every run; the others with OCTAVO_WHOLE=1


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keeps a run short: most attacks never reach what differs between the databases."""
    left_out = [i for i in items if not WHOLE and _on_postgres(i) and i.path.name not in BOTH]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def _on_postgres(item: pytest.Item) -> bool:
    callspec = getattr(item, "callspec", None)
    return item.path.parent == HERE and callspec is not None and callspec.params.get("arena") == "postgresql"
