"""A small application with approvals of every sort, its people, and what tests do with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from runtime import actions, records
from runtime.clock import FakeClock
from runtime.decisions import approval_store as store
from runtime.decisions import approvals
from runtime.site import Site
from tests.records.world import add_user, open_site

APPLICATION = """
entity: bill
label: {zh: 单据, en: Bill}
title: name
owner: owner
files: true
fields:
  name: {type: text, required: true}
  owner: {type: user, default: "=user"}
  status: {type: select, options: bill_status, default: draft, readonly: true}
  amount: {type: money, default: 0}
  note: text
  lines: {type: lines, entity: bill_line}
  total: {type: money, formula: "lines.sum(price)"}
---
entity: bill_line
title: item
fields:
  bill: {type: link, to: bill, required: true, on_delete: cascade}
  item: {type: text, required: true}
  price: {type: money, default: 0}
---
options: bill_status
choices:
  draft: {zh: 草稿, en: Draft}
  review: {zh: 审批中, en: In approval}
  approved: {zh: 已批, en: Approved}
  rejected: {zh: 已拒, en: Rejected}
---
entity: pact
label: {zh: 协议, en: Pact}
title: name
owner: owner
files: true
revisions: {when: "status == 'approved'", approval: pact_change, number: edition, free: [note]}
fields:
  name: {type: text, required: true}
  shown: {type: text, formula: "name if edition is None or edition < 2 else name + '-V' + text(edition)"}
  edition: {type: integer, readonly: true}
  owner: {type: user, default: "=user"}
  status: {type: select, options: bill_status, default: draft, readonly: true}
  amount: {type: money, default: 0}
  note: text
  lines: {type: lines, entity: pact_line}
  total: {type: money, formula: "lines.sum(price)"}
---
entity: pact_line
title: item
fields:
  pact: {type: link, to: pact, required: true, on_delete: cascade}
  item: {type: text, required: true}
  price: {type: money, default: 0}
---
entity: plan
title: name
owner: owner
revisions: {when: "done", number: edition}
fields:
  name: {type: text, required: true}
  done: {type: boolean, default: false}
  edition: {type: integer, readonly: true}
  owner: {type: user, default: "=user"}
---
role: clerk
grants:
  "*": {read: own, create: all, edit: own, delete: own, assign: own}
---
role: boss
includes: [clerk]
grants:
  "*": {all: all}
---
role: director
includes: [boss]
grants: {}
---
role: auditor
includes: [boss]
grants: {}
---
role: chief
admin: true
grants:
  "*": {all: all}
---
approval: bill
label: {zh: 单据审批, en: Bill approval}
start: {on: submit, when: "amount > 100"}
steps:
  - {name: manager, by: {manager_of: owner}, timeout: 24h, on_timeout: escalate}
  - name: review
    when: "amount > 10000"
    parallel:
      - {name: directors, by: {role: director}, need: all}
      - {name: audit, by: {role: auditor}, need: any}
on_submitted: [{set: {status: review}}]
on_approved: [{set: {status: approved}}, {notify: owner}]
on_rejected: [{set: {status: rejected}}]
on_withdrawn: [{set: {status: draft}}]
on_returned: [{set: {status: draft}}]
---
approval: pact
start: {on: submit}
steps: [{name: manager, by: {manager_of: owner}}]
locks: [amount, lines]
on_approved: [{set: {status: approved}}]
---
approval: pact_change
entity: pact
start: {on: revision, when: "amount != old.amount or total != old.total"}
steps: [{name: manager, by: {manager_of: owner}}]
"""


@dataclass
class World:
    site: Site
    clock: FakeClock
    people: dict[str, int]

    def create(self, login: str, entity: str = "bill", **values: Any) -> int:
        with self.site.session(self.people[login], write=True) as session:
            return records.create(session, entity, {"name": "One", **values}).id

    def update(self, login: str | None, entity: str, record_id: int, channel: str = "api", **values: Any) -> Any:
        user = self.people[login] if login else None
        with self.site.session(user, write=True, channel=channel) as session:
            return records.update(session, entity, record_id, values)

    def act(self, login: str, name: str, record_id: int, entity: str = "bill", **given: Any) -> Any:
        with self.site.session(self.people[login], write=True) as session:
            return actions.run(session, entity, record_id, name, given)

    def offers(self, login: str, record_id: int, entity: str = "bill") -> set[str]:
        with self.site.session(self.people[login]) as session:
            return {o.name for o in actions.offers(session, entity, record_id) if o.open}

    def submit(self, login: str, record_id: int, entity: str = "bill", comment: str | None = None) -> int:
        with self.site.session(self.people[login], write=True) as session:
            return approvals.submit(session, entity, record_id, comment).id

    def row(self, entity: str, record_id: int) -> Mapping[str, Any]:
        with self.site.session() as session:
            table = session.table(entity)
            return session.connection.execute(sa.select(table).where(table.c.id == record_id)).mappings().one()

    def case(self, case_id: int) -> Any:
        with self.site.session() as session:
            return store.load(session, case_id).case

    def asked(self, case_id: int) -> list[str]:
        names = {i: login for login, i in self.people.items()}
        return sorted(names[t.person] for t in self.case(case_id).tasks if t.state == "open")

    def told(self, login: str) -> list[str]:
        with self.site.session() as session:
            table = session.table("notification")
            wanted = sa.select(table.c.subject).where(table.c.recipient == self.people[login]).order_by(table.c.id)
            return list(session.connection.scalars(wanted))

    def rows(self, entity: str) -> list[Mapping[str, Any]]:
        with self.site.session() as session:
            table = session.table(entity)
            return list(session.connection.execute(sa.select(table).order_by(table.c.id)).mappings())


def open_world(url: str, folder: Path, application: str = APPLICATION) -> World:
    """gm > vp > mia (manager) > ann, bob; dan and eva are directors, fay audits, adm administers."""
    clock = FakeClock()
    site = open_site(url, folder, application, clock)
    people: dict[str, int] = {}
    for login, roles, manager in (
        ("gm", ["boss"], None),
        ("vp", ["boss"], "gm"),
        ("mia", ["boss"], "vp"),
        ("ann", ["clerk"], "mia"),
        ("bob", ["clerk"], "mia"),
        ("dan", ["director"], "gm"),
        ("eva", ["director"], "gm"),
        ("fay", ["auditor"], "gm"),
        ("adm", ["chief"], None),
    ):
        people[login] = add_user(site, login, *roles, manager=people.get(manager or ""))
    return World(site, clock, people)
