"""A small application with rules about duplicates, on either database, made once for all tests of the folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from runtime import records
from runtime.duplicates import oracle
from runtime.site import Session, Site
from tests.databases import postgres_answers, postgres_database, sqlite_url
from tests.records.world import add_user, open_site

APPLICATION = """
entity: firm
title: name
owner: owner
tree: parent
search: [name, phone]
files: true
fields:
  name: {type: text, required: true, max: 100}
  town: {type: text, max: 40}
  phone: phone
  email: email
  tax: {type: text, unique: true}
  note: long_text
  groups: {type: multi_select, options: {a: A, b: B, c: C}}
  parent: {type: link, to: firm}
  friends: {type: links, to: firm}
  closed: {type: boolean, default: false}
  owner: {type: user, default: "=user"}
  logo: image
  paper: file
  places: {type: lines, entity: place}
  deals: {type: related, entity: deal, by: firm}
  total: {type: decimal, scale: 2, formula: "deals.sum(amount)"}
---
entity: place
title: street
fields:
  firm: {type: link, to: firm, required: true, on_delete: cascade}
  street: {type: text, required: true}
---
entity: deal
title: name
owner: owner
fields:
  name: {type: text, required: true}
  firm: {type: link, to: firm, on_delete: refuse}
  firm_name: {type: text, formula: "firm.name"}
  amount: {type: decimal, scale: 2, default: 0}
  partners: {type: links, to: firm}
  owner: {type: user, default: "=user"}
unique: [[name, firm]]
---
entity: prospect
title: company
owner: owner
search: [company]
fields:
  company: {type: text, required: true}
  phone: phone
  done: {type: boolean, default: false}
  owner: {type: user, default: "=user"}
---
duplicate: firm
entity: firm
when: "not closed"
keys:
  name: {by: company, part: 3, points: 60}
  town: {by: words, points: 40}
  phone: {points: 60}
  email: {points: 60}
  tax: {by: exact}
match:
  - {all: tax, action: refuse}
  - phone
from: 100
where: "not closed"
reveal: [name, {field: owner, masked: true}]
with:
  prospect:
    keys: {name: {field: company}, phone: phone}
    where: "not done"
    reveal: [company]
---
duplicate: prospect
entity: prospect
action: refuse
imports: warn
keys: {company: {by: company}, phone: {}}
match: [[company, phone]]
with:
  firm: {keys: {company: name, phone: phone}}
---
role: rep
grants:
  firm: {read: own, create: all, edit: own, delete: own, import: all}
  prospect: {read: own, create: all, edit: own, delete: own, import: all}
  deal: {read: own, create: all, edit: own, delete: own}
---
role: clerk
grants:
  firm: {read: all, create: all, edit: all, hide: [phone]}
---
role: boss
grants:
  firm: {all: all}
  prospect: {all: all}
  deal: {all: all}
"""


@dataclass
class Arena:
    site: Site
    people: dict[str, int]

    def as_(self, login: str | None, *, write: bool = False, channel: str = "form") -> Any:
        return self.site.session(self.people[login] if login else None, write=write, channel=channel)

    def make(self, login: str | None, entity: str = "firm", /, **values: Any) -> int:
        """A record made by a rule, so that nobody compares it."""
        with self.site.session(self.people[login] if login else None, write=True, channel="rule") as session:
            return records.create(session, entity, values).id

    def save(self, login: str, entity: str = "firm", /, channel: str = "form", **values: Any) -> records.Saved:
        with self.as_(login, write=True, channel=channel) as session:
            return records.create(session, entity, values)

    def row(self, entity: str, record_id: int) -> dict[str, Any]:
        with self.site.session() as session:
            return records.read(session, entity, record_id).values


@pytest.fixture(scope="session", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def arena_site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    folder = tmp_path_factory.mktemp("duplicates")
    if request.param == "sqlite":
        yield _arena(open_site(sqlite_url(folder), folder, APPLICATION))
        return
    if not postgres_answers():
        pytest.skip("no PostgreSQL server answers on 127.0.0.1:5432")
    with postgres_database() as url:
        arena = _arena(open_site(url, folder, APPLICATION))
        yield arena
        arena.site.close()


def _arena(site: Site) -> Arena:
    people = {login: add_user(site, login, role) for login, role in _PEOPLE.items()}
    return Arena(site, people)


_PEOPLE = {"ann": "rep", "ben": "rep", "clara": "clerk", "boss": "boss"}


@pytest.fixture
def arena(arena_site: Arena) -> Arena:
    oracle.forget_all()
    return arena_site


def statements(session: Session) -> list[str]:
    """What the session sends from now on."""
    import sqlalchemy as sa

    sent: list[str] = []
    sa.event.listen(session.connection, "before_cursor_execute", lambda *a: sent.append(a[2]))
    return sent
