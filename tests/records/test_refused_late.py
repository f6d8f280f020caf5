"""A row that is refused after it was written: it goes whole, and the rows beside it stay, one of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from metadata.model import Application, Entity
from runtime import mass, records
from runtime.errors import Answer, Conflict
from runtime.exchange import import_file
from runtime.ledgers import checking
from runtime.records import rulebook
from runtime.records.plan import EntityPlan
from runtime.records.rulebook import RecordRule
from runtime.records.values import Draft
from runtime.security.tokens import create_token
from runtime.site import Session, Site
from tests.records.world import add_user, open_site
from web.api import create_api

APPLICATION = """
entity: book
title: name
fields:
  name: {type: text, required: true}
  claims: {type: related, entity: claim, by: book}
  total: {type: integer, formula: "claims.sum(amount)"}
---
entity: claim
title: name
number: {pattern: "C{seq:3}", field: code}
fields:
  name: {type: text, required: true}
  code: {type: text, unique: true, readonly: true}
  book: {type: link, to: book}
  amount: {type: integer, default: 0}
  status: {type: text, default: draft}
checks:
  - {name: bounded, must: "status != 'review' or amount < 1000 or name == 'd'", message: {zh: 金额太大, en: Too much}}
---
entity: move
title: item
owner: owner
ledger: {of: [item], balance: quantity, never_below: 0, into: item_stock}
fields:
  item: {type: text, required: true}
  quantity: {type: integer, required: true}
  owner: {type: user, default: "=user"}
---
entity: points
ledger: {of: [holder], balance: points, never_below: 0, into: points_left, lots: {left: left, expires: until, expired: {kind: expired}}}
owner: owner
fields:
  holder: {type: text, required: true}
  points: {type: integer, required: true}
  left: {type: integer, readonly: true, copy: false}
  until: date
  kind: {type: text, default: earned}
  owner: {type: user, default: "=user"}
---
entity: points_left
unique: [[holder]]
fields:
  holder: {type: text, required: true}
  points: {type: integer, default: 0}
---
entity: item_stock
unique: [[item]]
fields:
  item: {type: text, required: true}
  quantity: {type: integer, default: 0}
---
role: chief
admin: true
grants:
  "*": {all: all}
---
role: keeper
grants:
  move: {read: all, create: own}
  points: {read: all, create: own}
---
entity: card
title: tag
number: {pattern: "K{seq:3}", field: code}
fields:
  tag: {type: text, required: true, unique: true}
  code: {type: text, unique: true, readonly: true}
---
entity: slip
title: name
fields:
  name: {type: text, required: true}
---
approval: claim
start: {on: create}
steps: [{name: one, by: {user: admin}}]
on_submitted: [{set: {status: review}}]
---
approval: changed
entity: claim
start: {on: change, fields: [amount]}
steps: [{name: one, by: {user: admin}}]
on_submitted: [{set: {status: review}}]
"""
ROWS = [{"name": "a", "amount": 1}, {"name": "b", "amount": 5000}, {"name": "c", "amount": 2}]


class _Late(RecordRule):
    """What a package may bring: it looks at what stands in the database and then says no."""

    name = "test_late"

    def applies(self, app: Application, entity: Entity) -> bool:
        return entity.name == "slip"

    def saved(self, session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
        if any(draft.get("name") == "b" for draft in drafts):
            raise Conflict("already_done")


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    rulebook.register(_Late())
    site = open_site(database_url, tmp_path, APPLICATION)
    yield site
    site.close()
    rulebook._RULES.pop("test_late")


def rows(site: Site, entity: str, *fields: str) -> list[tuple[Any, ...]]:
    with site.session() as session:
        table = session.table(entity)
        wanted = sa.select(*[table.c[name] for name in fields]).order_by(table.c.id)
        return [tuple(row) for row in session.connection.execute(wanted)]


def codes(answers: Sequence[Any]) -> list[str]:
    return [answer.code if isinstance(answer, Answer) else "" for answer in answers]


def created(site: Site, entity: str, given: Sequence[dict[str, Any]]) -> list[str]:
    with site.session(write=True) as session:
        return codes(records.create_many(session, entity, given, atomic=False))


@pytest.mark.parametrize("many", [1, 3])
def test_a_rule_that_acts_on_a_new_record_is_refused(site: Site, many: int) -> None:
    given = ROWS if many == 3 else ROWS[1:2]
    with site.session(write=True) as session:
        book = records.create(session, "book", {"name": "B"}).id
    given = [{**row, "book": book} for row in given]
    assert created(site, "claim", given) == (["", "refused", ""] if many == 3 else ["refused"])
    assert rows(site, "claim", "name", "status") == ([("a", "review"), ("c", "review")] if many == 3 else [])
    assert len(rows(site, "approval_case", "id")) == (2 if many == 3 else 0)
    assert rows(site, "book", "total") == [(3 if many == 3 else 0,)]
    with site.session(write=True) as session:
        codes = [records.create(session, "claim", {"name": name}).number for name in "de"]
    given_so_far = 2 if many == 3 else 0
    assert codes == [f"C{given_so_far + n:03d}" for n in (1, 2)]
    assert rows(site, "claim", "code") == [(f"C{n + 1:03d}",) for n in range(given_so_far + 2)]


@pytest.mark.parametrize("ledger", ["move", "points"])
def test_an_entry_that_counted_on_one_that_is_refused(site: Site, ledger: str) -> None:
    """The first is not within the person's rights, so that the second takes from nothing; the last has its own."""
    key, amount = ("item", "quantity") if ledger == "move" else ("holder", "points")
    me, other = add_user(site, "kim", "keeper"), add_user(site, "lee", "keeper")
    given = [
        {key: "x", amount: 10, "owner": other},
        {key: "x", amount: -5},
        {key: "y", amount: 7},
        {key: "y", amount: -3},
    ]
    with site.session(me, write=True) as session:
        assert codes(records.create_many(session, ledger, given, atomic=False)) == ["forbidden", "refused", "", ""]
    assert rows(site, ledger, key, amount) == [("y", 7), ("y", -3)]
    into = "item_stock" if ledger == "move" else "points_left"
    assert rows(site, into, key, amount) == [("y", 4)]
    with site.session() as session:
        assert checking.verify(session) == []


def test_an_import_the_api_and_a_bulk_change(site: Site, tmp_path: Path) -> None:
    sheet = tmp_path / "claims.csv"
    sheet.write_text("name,amount\na,1\nb,5000\nc,2\n", encoding="utf-8")
    done = import_file(site, "claim", sheet)
    assert (done.created, done.rejected) == (2, 1)
    assert rows(site, "claim", "name", "status", "code") == [("a", "review", "C001"), ("c", "review", "C002")]

    adm = add_user(site, "adm", "chief")
    with site.session(write=True) as session:
        token = create_token(session, adm, "test")
    app = Flask("late")
    app.register_blueprint(create_api(site), url_prefix="/api/v1")
    sent = app.test_client().post(
        "/api/v1/claim/batch",
        json={"create": [*ROWS, {"name": "d"}], "atomic": False},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert [r["status"] for r in (sent.json or {})["results"]] == [201, 422, 201, 201]
    assert [row[0] for row in rows(site, "claim", "name")] == ["a", "c", "a", "c", "d"]


def test_a_rule_that_acts_on_a_change_is_refused(site: Site) -> None:
    with site.session(write=True) as session:
        session.cause = "approval:claim"  # nothing starts yet
        ids = [records.create(session, "claim", {"name": name}).id for name in "abc"]
    before = rows(site, "claim", "version", "amount", "status")
    with site.session(write=True) as session:
        changes = [(i, {"amount": row["amount"]}, None) for i, row in zip(ids, ROWS)]
        assert codes(records.update_many(session, "claim", changes, atomic=False)) == ["", "refused", ""]
    after = rows(site, "claim", "version", "amount", "status")
    assert [row[1:] for row in after] == [(1, "review"), (0, "draft"), (2, "review")]
    assert after[1] == before[1]


def test_a_bulk_change_is_refused_for_some(site: Site) -> None:
    with site.session(write=True) as session:
        session.cause = "approval:claim"  # nothing starts yet
        ids = [records.create(session, "claim", {"name": name}).id for name in "abd"]
    with site.session(write=True) as session:
        job = mass.start(session, "claim", "set", {"values": {"amount": 5000}}, ids, title="all")
        assert mass.run_batch(session, job) is False
        assert (mass.status(session, job).done, mass.status(session, job).refused) == (1, 2)
    assert rows(site, "claim", "amount", "status") == [(0, "draft"), (0, "draft"), (5000, "review")]


def test_a_rule_of_a_package_says_no(site: Site) -> None:
    given = [{"name": name} for name in "abc"]
    assert created(site, "slip", given) == ["", "already_done", ""]
    assert rows(site, "slip", "name") == [("a",), ("c",)]
    assert created(site, "slip", [{"name": "b"}]) == ["already_done"]
    assert rows(site, "slip", "name") == [("a",), ("c",)]
    with site.session(write=True) as session:
        changes = [(i, {"name": "b"}, None) for (i,) in rows(site, "slip", "id")]
        assert codes(records.update_many(session, "slip", changes[:1], atomic=False)) == ["already_done"]
    assert rows(site, "slip", "name", "version") == [("a", 1), ("c", 1)]


def test_numbers_go_back_with_rows_that_somebody_was_faster_with(site: Site) -> None:
    """Elsewhere than on SQLite, whose writer is alone, a value may be taken between the check and the row."""
    if site.dialect == "sqlite":
        assert created(site, "card", [{"tag": "t"}, {"tag": "t"}, {"tag": "u"}]) == ["", "refused", ""]
        assert rows(site, "card", "tag", "code") == [("t", "K001"), ("u", "K002")]
        return
    answers: list[str] = []
    with site.session(write=True) as faster:
        records.create(faster, "card", {"tag": "t"})
        slower = Thread(target=lambda: answers.extend(created(site, "card", [{"tag": tag} for tag in "tuv"])))
        slower.start()
        waiting = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        with site.engine.connect() as looking:
            while not looking.execute(waiting).scalar():
                sleep(0.01)
    slower.join()
    assert answers == ["refused", "", ""]
    assert created(site, "card", [{"tag": "w"}, {"tag": "x"}]) == ["", ""]
    assert [code for _, code in rows(site, "card", "tag", "code")] == ["K001", "K002", "K003", "K004", "K005"]
