"""One site with the stock application and its demo data for all web tests, and clients signed in to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from runtime.bootstrap import init_site
from runtime.schema.internal_records import login_attempt
from runtime.security.sessions import set_password
from runtime.site import Site
from web.app import create_app

PASSWORD = "octavo-demo-2026"
ENTITY = "customer"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("web") / "site"
    with init_site(folder, demo=True, admin_password=PASSWORD).site as made:
        yield made


@pytest.fixture(scope="session")
def app(site: Site) -> Flask:
    return create_app(site, testing=True)


@dataclass
class Browser:
    """A client with the token of the page it saw last."""

    client: FlaskClient
    token: str = ""

    def get(self, address: str, **more: Any) -> TestResponse:
        answer = self.client.get(address, **more)
        found = (
            re.search(r'name="csrf-token" content="([^"]+)"', answer.text) if answer.mimetype == "text/html" else None
        )
        if found:
            self.token = found.group(1)
        return answer

    def post(self, address: str, data: Any = None, *, fragment: bool = False, **more: Any) -> TestResponse:
        headers = {"X-CSRFToken": self.token, **({"HX-Request": "true"} if fragment else {}), **more.pop("headers", {})}
        return self.client.post(address, data=data, headers=headers, **more)

    def sign_in(self, login: str, password: str = PASSWORD) -> TestResponse:
        self.get("/sign-in")
        answer = self.post("/sign-in", {"login": login, "password": password})
        self.get("/profile")
        return answer


@pytest.fixture
def anonymous(app: Flask) -> Browser:
    return Browser(app.test_client())


@pytest.fixture(scope="session")
def _admin(app: Flask) -> Browser:
    browser = Browser(app.test_client())
    assert browser.sign_in("admin").status_code == 303
    return browser


@pytest.fixture
def admin(_admin: Browser) -> Browser:
    """The administrator, reading Chinese whatever another test has chosen."""
    _admin.get("/profile")
    _admin.post("/preferences", {"language": "zh", "next": "/"})
    return _admin


@pytest.fixture
def seller_login(site: Site) -> str:
    """Somebody with the rights of a seller, whose password is known here, whatever another test made of it."""
    with site.session(write=True) as session:
        person, line = session.table("user"), session.table("user_role")
        row = session.connection.execute(
            sa.select(person.c.id, person.c.login)
            .join(line, line.c.holder == person.c.id)
            .where(line.c.role.like("sales_rep%"), line.c.deleted_at.is_(None))
            .order_by(person.c.id)
        ).first()
        assert row is not None
        set_password(session, row.id, PASSWORD)
        session.connection.execute(sa.delete(login_attempt))
        return str(row.login)


@pytest.fixture
def statements(site: Site) -> Iterator[list[str]]:
    """The SQL statements executed while the test runs."""
    seen: list[str] = []

    def note(_conn: Any, _cursor: Any, text: str, *_rest: Any) -> None:
        if not text.startswith(("PRAGMA", "BEGIN", "SAVEPOINT", "RELEASE", "COMMIT", "ROLLBACK")):
            seen.append(text)

    sa.event.listen(site.engine, "before_cursor_execute", note)
    yield seen
    sa.event.remove(site.engine, "before_cursor_execute", note)


def content_hash(site: Site) -> dict[str, int]:
    """How many rows each table of the application has, and the sum of their versions: what a refused request keeps."""
    counts = {}
    with site.session() as session:
        for name in session.app.entities:
            table = session.table(name)
            wanted = sa.select(sa.func.count() * 1_000_003 + sa.func.coalesce(sa.func.sum(table.c.version), 0))
            counts[name] = session.connection.scalar(wanted.select_from(table))
    return counts
