"""Whatever goes wrong while rules decide, what is parked or waits offers a way on to somebody (hypothesis)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metadata.effect_functions import effect_function
from runtime import actions, records
from runtime.decisions.approval_jobs import run_due
from runtime.errors import Answer
from runtime.jobs.queue import PARKED, enqueue, retry
from runtime.jobs.registry import job
from runtime.jobs.worker import Worker
from tests.approvals.world import World, open_world
from tests.scale import FUZZ

KINDS = ("ghost", "head", "field", "manager", "two", "all", "free")
APPLICATION = """
entity: paper
title: name
owner: owner
fields:
  name: {type: text, required: true}
  owner: {type: user, default: "=user"}
  approver: user
  wanted: {type: multi_select, options: step_kind}
---
options: step_kind
choices: {ghost: Ghost, head: Head, field: Field, manager: Manager, two: Two, all: All, free: Free}
---
role: ghost
grants: {}
---
role: clerk
grants: {"*": {read: all, create: all, edit: own}}
---
role: boss
includes: [clerk]
grants: {}
---
role: director
includes: [clerk]
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
approval: paper
start: {on: submit}
steps:
  - {name: ghost, when: "'ghost' in wanted", by: {role: ghost}}
  - {name: head, when: "'head' in wanted", by: {unit_head: owner}}
  - {name: field, when: "'field' in wanted", by: approver, timeout: 1h, on_timeout: escalate}
  - {name: manager, when: "'manager' in wanted", by: {manager_of: owner}, timeout: 1h, on_timeout: escalate}
  - {name: two, when: "'two' in wanted", by: {role: director}, need: 2}
  - {name: all, when: "'all' in wanted", by: {role: boss}, need: all, timeout: 1h, on_timeout: remind}
  - {name: free, when: "'free' in wanted", by: {expression: "owner.manager.manager"}, timeout: 1h, on_timeout: approve}
---
workflow: shredded
entity: paper
on: {update: [approver]}
steps:
  - {function: fails_on_purpose}
"""
ON = {"approve", "reject", "appoint", "submit", "withdraw", "return", "delegate"}  # what brings a case on


@effect_function("fails_on_purpose")
def fails_on_purpose(session: Any, record: Any) -> None:
    raise RuntimeError("on purpose")


@job("test_always_fails", tries=1)
def always_fails(session: Any, payload: Any) -> None:
    raise RuntimeError("on purpose")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("parked")
    made = open_world(f"sqlite:///{folder / 'o.db'}", folder, APPLICATION)
    yield made
    made.site.close()


def arrange(desk: World, ring: bool, away: set[str], gone: set[str]) -> None:
    """Who is whose manager, away, or no longer active; a ring of managers is what a slip in the data would be."""
    chain = {
        "ann": "mia",
        "bob": "mia",
        "mia": "vp",
        "vp": "gm",
        "gm": "ann" if ring else None,
        "dan": "gm",
        "eva": "gm",
    }
    with desk.site.session(write=True) as session:
        table = session.table("user")
        for login, identity in desk.people.items():
            values = {
                "manager": desk.people.get(chain.get(login) or ""),
                "away_from": session.today if login in away else None,
                "status": "left" if login in gone else "active",
            }
            session.connection.execute(sa.update(table).where(table.c.id == identity).values(values))
        session.touch("user")
    desk.site.forget_people()


def ways_on(desk: World, entity: str, record: int, gone: set[str]) -> list[tuple[str, str]]:
    """(who, act) of every open action that brings the record on."""
    return [
        (login, name)
        for login in desk.people
        if login not in gone
        for name in sorted(desk.offers(login, record, entity) & ON)
    ]


LOGINS = ("gm", "vp", "mia", "bob", "dan", "eva")


@settings(
    max_examples=8 * FUZZ, deadline=None, derandomize=FUZZ == 1,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, unique=True),
    submitter=st.sampled_from(["ann", "gm", "mia"]),
    approver=st.sampled_from([None, "ann", "vp", "dan"]),
    ring=st.booleans(),
    away=st.sets(st.sampled_from(LOGINS), max_size=3),
    gone=st.sets(st.sampled_from(("dan", "eva", "bob", "mia")), max_size=2),
    course=st.lists(st.integers(0, 99), max_size=5),
)
def test_an_approval_always_offers_a_way_on(
    desk: World, kinds: list[str], submitter: str, approver: str | None, ring: bool, away: set[str], gone: set[str],
    course: list[int],
) -> None:  # fmt: skip
    gone = gone - {submitter}
    arrange(desk, ring, away, gone)
    person = desk.people[approver] if approver else None
    paper = desk.create(submitter, "paper", wanted=kinds, approver=person)
    case = desk.submit(submitter, paper, "paper")
    for choice in [*course, None]:
        state = desk.case(case).state
        if state not in ("waiting", "parked", "returned"):
            assert state in ("approved", "rejected", "withdrawn")
            return
        ways = ways_on(desk, "paper", paper, gone)
        assert ways, (state, kinds, submitter, approver, ring, away, gone)
        wanted = {"parked": "appoint", "waiting": "approve", "returned": "submit"}[state]
        assert any(act == wanted for _, act in ways), (state, ways)
        if choice is None:
            return
        login, act = ways[choice % len(ways)]
        with contextlib.suppress(Answer):
            desk.act(login, act, paper, "paper", comment="x", person=desk.people[LOGINS[choice % len(LOGINS)]])
        desk.clock.advance(hours=2)
        with desk.site.session(write=True) as session:
            run_due(session)


def test_managers_in_a_ring_end_the_climb(desk: World) -> None:
    """An escalation that would go round comes to an end: somebody is asked, and the time limit does not loop."""
    arrange(desk, True, set(), set())
    paper = desk.create("ann", "paper", wanted=["manager"])
    case = desk.submit("ann", paper, "paper")
    asked = []
    for _ in range(8):
        asked.append(desk.asked(case))
        desk.clock.advance(hours=2)
        with desk.site.session(write=True) as session:
            run_due(session)
    assert asked[:3] == [["mia"], ["vp"], ["gm"]]
    assert all(people and "ann" not in people for people in asked)
    assert ways_on(desk, "paper", paper, set())


def test_a_step_that_raises_is_parked_and_an_administrator_goes_on(desk: World) -> None:
    arrange(desk, False, set(), set())
    paper = desk.create("ann", "paper")
    desk.update("ann", "paper", paper, approver=desk.people["vp"])
    for _ in range(12):
        Worker(desk.site).run_all()
        desk.clock.advance(hours=2)
    run = desk.rows("workflow_run")[-1]
    assert (run["state"], run["step"]) == ("parked", "function")
    assert "RuntimeError: on purpose" in run["error"]
    assert desk.offers("adm", run["id"], "workflow_run") >= {"rerun", "skip", "cancel"}
    desk.act("adm", "skip", run["id"], "workflow_run")
    Worker(desk.site).run_all()
    assert desk.row("workflow_run", run["id"])["state"] == "done"


def test_a_parked_job_and_a_message_that_failed_have_a_way_on(desk: World) -> None:
    with desk.site.session(write=True) as session:
        number = enqueue(session, "test_always_fails", {})
        stamp = {"created_at": session.now, "created_on": session.today, "updated_at": session.now, "version": 1}
        message = session.table("message")
        row = {
            "channel": "email",
            "recipient": "a@example.com",
            "subject": "x",
            "body": "",
            "message_id": "m1",
            **stamp,
        }
        made = [
            session.connection.scalar(
                sa.insert(message).values(**{**row, "message_id": s}, state=s).returning(message.c.id)
            )
            for s in ("failed", "unknown")
        ]
    Worker(desk.site).run_all()
    assert number is not None
    assert desk.row("job", number)["state"] == PARKED
    with desk.site.session(write=True) as session:
        assert retry(session, number)
    for identity in made:
        with desk.site.session(desk.people["adm"]) as session:
            assert [o.name for o in actions.offers(session, "message", identity) if o.open]
    with desk.site.session() as session:
        assert records.read(session, "message", made[0]).values["state"] == "failed"
