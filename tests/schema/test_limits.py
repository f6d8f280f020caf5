"""Pages and calls may keep the database for so long and no longer; jobs may."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from runtime import records
from runtime.database import LIMIT
from runtime.errors import TooSlow
from runtime.schema.tables import Tables
from runtime.security.sessions import set_password
from runtime.site import Session, Site
from tests.databases import database_of
from tests.records.world import APPLICATION, add_user, open_site
from web.app import create_app
from web.pages import lists

ENDLESS = sa.text("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c")
PASSWORD = "right horse battery"
LIST = "\n---\nlist: account\ncolumns: [name, stage, owner, parent, deal_count, open_sum, child_count]\n"


@pytest.fixture(params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    with database_of(request.param, tmp_path) as url:
        made = open_site(url, tmp_path, APPLICATION + LIST)
        made.close()
        with Site.open(settings=replace(made.settings, query_seconds=1), limited=True) as site:
            yield site


def waits_for_ever(session: Session) -> bool:
    if session.site.dialect == "sqlite":
        return session.connection.info[LIMIT].until is None
    return session.connection.scalar(sa.text("SHOW statement_timeout")) == "0"


@pytest.mark.promise("P19")
def test_a_call_that_takes_too_long_is_cancelled_whole(site: Site) -> None:
    boss = add_user(site, "boss", "boss")

    def endless() -> None:
        with site.session(boss, write=True, channel="api") as session:
            records.create(session, "account", {"name": "Half"})
            session.connection.execute(ENDLESS)

    with pytest.raises(TooSlow):
        endless()
    with site.session(boss, channel="api") as session:
        assert session.connection.scalar(sa.select(sa.func.count()).select_from(session.table("account"))) == 0
        assert not waits_for_ever(session)
        session.take_time()
        assert waits_for_ever(session)
    for channel in ("job", "import", "command", "internal"):
        with site.session(write=True, channel=channel) as session:
            assert waits_for_ever(session)


@pytest.mark.promise("P19")
def test_a_page_that_takes_too_long_says_so(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    boss = add_user(site, "boss", "boss")
    with site.session(write=True) as session:
        set_password(session, boss, PASSWORD)
    client = create_app(site, testing=True).test_client()
    token = client.get("/sign-in").text.split('name="csrf-token" content="')[1].split('"')[0]
    form = {"login": "boss", "password": PASSWORD, "csrf_token": token}
    assert client.post("/sign-in", data=form).status_code == 303
    assert client.get("/e/account").status_code == 200

    def endless(binder: lists.Binder, entity: str) -> None:
        binder.session.connection.execute(ENDLESS)

    monkeypatch.setattr(lists, "open_list", endless)
    answer = client.get("/e/account", headers={"Accept-Language": "en"})
    assert answer.status_code == 503
    assert "Retry-After" not in answer.headers
    assert "took too long" in answer.text or "时间过长" in answer.text
    monkeypatch.undo()
    assert client.get("/e/account").status_code == 200


@pytest.mark.parametrize("channel", ["api", "form", "internal"])
def test_who_reads_changes_nothing(site: Site, channel: str) -> None:
    """On PostgreSQL a page reads in no transaction that could be taken back."""
    boss = add_user(site, "boss", "boss")
    table = Tables(site.published().app, site.dialect).table("account")
    with site.session(write=True) as session:
        records.create(session, "account", {"name": "Kept"})
    with contextlib.suppress(sa.exc.DBAPIError), site.session(boss, channel=channel) as session:
        session.connection.execute(sa.update(table).values(name="Changed"))
    with site.session(boss, channel=channel) as session:
        assert session.connection.scalars(sa.select(table.c.name)).all() == ["Kept"]
