"""Fixture F of the mission: its people and customers on a clock that stands at T0, and sessions on their behalf."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from runtime import records
from runtime.bootstrap import init_site
from runtime.clock import FakeClock
from runtime.query import search, select
from runtime.security.tokens import create_token
from runtime.seed import load_data
from runtime.settings import load_settings
from runtime.site import Session, Site

HERE = Path(__file__).parent
PEOPLE = HERE.parents[1] / "data" / "demo" / "10_people.yaml"
T0 = datetime(2026, 3, 16, 10, tzinfo=ZoneInfo("Asia/Shanghai"))


@dataclass
class World:
    """The site of one test, and short ways to do what a person would do."""

    site: Site
    clock: FakeClock
    tokens: dict[str, str] = field(default_factory=dict)

    @cached_property
    def http(self) -> FlaskClient:
        from web.api import create_api

        app = Flask("acceptance")
        app.register_blueprint(create_api(self.site), url_prefix="/api/v1")
        return app.test_client()

    def as_(self, login: str | None, *, write: bool = False, channel: str = "form") -> AbstractContextManager[Session]:
        """A session on behalf of a person; None is the system."""
        return self.site.session(self.user(login) if login else None, write=write, channel=channel)

    def user(self, login: str) -> int:
        return self.id("user", login=login)

    def id(self, entity: str, /, **values: Any) -> int:
        """The living record with these values; there is exactly one."""
        with self.site.session() as session:
            table = session.table(entity)
            same = [table.c[name] == value for name, value in values.items()]
            found = session.connection.scalars(sa.select(table.c.id).where(*same, table.c.deleted_at.is_(None))).all()
        assert len(found) == 1, (entity, values, found)
        return found[0]

    def k(self, short_name: str) -> int:
        """A customer of fixture F by its letter."""
        return self.id("customer", short_name=short_name)

    def create(self, login: str | None, entity: str, /, **values: Any) -> int:
        with self.as_(login, write=True) as session:
            return records.create(session, entity, values).id

    def update(self, login: str | None, entity: str, record: int, /, **values: Any) -> None:
        with self.as_(login, write=True) as session:
            records.update(session, entity, record, values)

    def read(self, login: str | None, entity: str, record: int, /) -> dict[str, Any]:
        with self.as_(login) as session:
            return records.read(session, entity, record).values

    def list(
        self, login: str | None, entity: str, where: str | None = None, *, of: str = "name", sort: str | None = None
    ) -> list[Any]:
        """The values of one column of the records a person finds."""
        with self.as_(login) as session:
            wanted = (select.parse_where(session, entity, where),) if where else ()
            order = select.parse_sort(session, entity, sort) if sort else ()
            query = select.Query(entity=entity, select=(of,), where=wanted, sort=order, limit=1000)
            return [row.values[of] for row in select.run(session, query).rows]

    def search(self, login: str, text: str) -> list[tuple[str, int]]:
        with self.as_(login) as session:
            return [(hit.entity, hit.id) for hit in search.search(session, text)]

    def api(self, login: str, method: str, path: str, **more: Any) -> Any:
        """A call of the HTTP API with the person's token; the response."""
        if login not in self.tokens:
            with self.site.session(write=True) as session:
                self.tokens[login] = create_token(session, self.user(login), "acceptance")
        headers = {"Authorization": f"Bearer {self.tokens[login]}", **more.pop("headers", {})}
        return self.http.open("/api/v1" + path, method=method, headers=headers, **more)


@pytest.fixture(scope="session")
def fixture_f(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site folder with fixture F, made once and copied for every test."""
    folder = tmp_path_factory.mktemp("f") / "site"
    site = init_site(folder, admin_password="octavo-admin", clock=FakeClock(T0)).site
    for file in (PEOPLE, HERE / "fixture_f.yaml"):
        with site.session(write=True) as session:
            load_data(session, file)
    site.close()
    return folder


@pytest.fixture
def f(fixture_f: Path, tmp_path: Path) -> Iterator[World]:
    folder = tmp_path / "site"
    shutil.copytree(fixture_f, folder)
    clock = FakeClock(T0)
    with Site.open(settings=load_settings(folder), clock=clock) as site:
        yield World(site=site, clock=clock)
