"""What waits for an answer offers a way on to somebody: claims of pools, proposals of assignments (hypothesis)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.decisions import pooling
from runtime.decisions.assigning import assign_records, assignment_named
from runtime.errors import Answer
from tests.approvals.test_parked import LOGINS, arrange
from tests.approvals.world import World, open_world
from tests.databases import database_of
from tests.scale import FUZZ

BY = {
    "ghost": "{role: ghost}",
    "role": "{role: director}",
    "head": "{unit_head: clerk}",
    "field": "judge",
    "manager": "{manager_of: clerk}",
    "climb": '{expression: "clerk.manager.manager"}',
}
ANSWERS = {"agree_claim", "refuse_claim", "accept_assignment", "change_assignment", "reject_assignment"}
ON = ANSWERS | {"withdraw_claim"}
APPLICATION = """
entity: prey
title: name
owner: owner
fields:
  name: {type: text, required: true}
  owner: user
  clerk: {type: user, default: "=user"}
  judge: user
  home: {type: select, options: homes}
  pooled_at: datetime
---
role: ghost
grants: {}
---
role: clerk
grants: {"*": {read: all, create: all, edit: all, assign: own}}
---
role: boss
includes: [clerk]
grants: {}
---
role: director
grants: {}
---
role: auditor
includes: [clerk]
grants: {}
---
role: chief
admin: true
grants: {"*": {all: all}}
---
options: homes
choices: {ghost: Ghost, role: Role, head: Head, field: Field, manager: Manager, climb: Climb}
"""
POOL = """
---
pool: {name}
entity: prey
field: home
since: pooled_at
members: {{role: clerk}}
managers: {{role: ghost}}
claim: {{approval: {{by: {by}}}}}
---
assignment: to_{name}
entity: prey
rules: [{{name: turn, pick: {{from: {{role: clerk}}, by: round_robin}}}}]
confirm: {{by: {by}}}
"""
APPLICATION += "".join(POOL.format(name=name, by=by) for name, by in BY.items())


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def desk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("waiting")
    with database_of(request.param, folder) as url:
        made = open_world(url, folder, APPLICATION)
        yield made
        made.site.close()


def claimed(desk: World, kind: str, record: int, claimant: str) -> None:
    with desk.site.session(write=True) as session:
        pooling.give_back(session, "prey", record, session.app.of("pool")[kind], "x")
    with desk.site.session(desk.people[claimant], write=True) as session:
        pooling.claim(session, "prey", record)


def proposed(desk: World, kind: str, record: int, claimant: str) -> None:
    with desk.site.session(write=True) as session:
        assign_records(session, assignment_named(session, f"to_{kind}"), [record])


def row(desk: World, entity: str, record: int) -> Mapping[str, Any] | None:
    with desk.site.session() as session:
        table = session.table(entity)
        wanted = sa.select(table).where(table.c.record == record).order_by(table.c.id.desc())
        found = session.connection.execute(wanted).mappings().first()
        return None if found is None else dict(found)


WAYS: dict[str, tuple[Callable[[World, str, int, str], None], str, str]] = {
    "claim": (claimed, "pool_claim", "waiting"),
    "proposal": (proposed, "assignment_decision", "proposed"),
}


@settings(
    max_examples=16 * FUZZ, deadline=None, derandomize=FUZZ == 1,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(
    kind=st.sampled_from(sorted(BY)),
    claimant=st.sampled_from(["ann", "bob", "mia", "gm"]),
    judge=st.sampled_from([None, "ann", "vp", "dan"]),
    ring=st.booleans(),
    away=st.sets(st.sampled_from(LOGINS), max_size=3),
    gone=st.sets(st.sampled_from((*LOGINS, "ann")), max_size=3),
    choice=st.integers(0, 99),
)
@pytest.mark.parametrize("what", sorted(WAYS))
def test_what_waits_always_offers_a_way_on(
    desk: World, what: str, kind: str, claimant: str, judge: str | None, ring: bool, away: set[str], gone: set[str],
    choice: int,
) -> None:  # fmt: skip
    """People leave and go away after it was asked for; then one of the ways offered is taken and it waits no more."""
    begin, entity, waiting = WAYS[what]
    arrange(desk, ring, set(), set())
    record = desk.create(claimant, "prey", owner=desk.people["adm"], judge=desk.people[judge] if judge else None)
    begin(desk, kind, record, claimant)
    asked = row(desk, entity, record)
    if asked is None:  # who would agree themselves took it at once
        assert what == "claim"
        assert desk.row("prey", record)["owner"] == desk.people[claimant]
        return
    assert asked["state"] == waiting
    arrange(desk, ring, away, gone)
    here = [login for login in desk.people if login not in gone]
    ways = [(login, act) for login in here for act in sorted(offered(desk, login, record) & ON)]
    assert any(act in ANSWERS for _, act in ways), (kind, claimant, judge, ring, away, gone)
    login, act = ways[choice % len(ways)]
    left = asked["person"] not in [desk.people[one] for one in here]
    if left and act in ("agree_claim", "accept_assignment"):  # nobody is given a record after they have left
        act = "refuse_claim" if what == "claim" else "change_assignment"
        assert (login, act) in ways
    desk.act(login, act, record, "prey", **({"person": desk.people["adm"]} if act == "change_assignment" else {}))
    after = row(desk, entity, record)
    assert after is not None
    assert after["state"] != waiting


def offered(desk: World, login: str, record: int) -> set[str]:
    try:
        return desk.offers(login, record, "prey")
    except Answer:
        return set()  # out of their sight, and nothing is asked of them
