"""What rules keep in their logs is found by an index: no look-up of one record walks through a whole log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from runtime import actions, revisions
from runtime.decisions import pool_views, whys
from runtime.explain import decision, explainers
from runtime.jobs.queue import enqueue
from runtime.jobs.worker import Worker
from tests.acceptance.conftest import World

LOGS = {
    "approval_case", "approval_entry", "approval_task", "assignment_decision", "audit", "ownership_log", "pool_view",
    "qualification_check", "record_share", "reminder_match", "reminder_notice", "revision", "score_result", "stage_log",
    "workflow_run", "workflow_step",
}  # fmt: skip
_SCAN = re.compile(r"SCAN (\w+)")
_ALIAS = re.compile(r"(?:FROM|JOIN|,|UPDATE)\s+\"?(\w+)\"?(?:\s+AS\s+\"?(\w+)\"?)?")


@contextmanager
def noted(world: World) -> Iterator[list[tuple[str, Any]]]:
    said: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        said.append((statement, parameters[0] if many and parameters else parameters))

    sa.event.listen(world.site.engine, "before_cursor_execute", note)
    yield said
    sa.event.remove(world.site.engine, "before_cursor_execute", note)


def walked(world: World, said: list[tuple[str, Any]]) -> set[tuple[str, str]]:
    """(log, statement) of every statement that reads a whole log."""
    found: set[tuple[str, str]] = set()
    with world.site.engine.connect() as connection:
        for statement, parameters in said:
            aliases = {alias or table: table for table, alias in _ALIAS.findall(statement)}
            if not LOGS & set(aliases.values()) or not statement.startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
                continue
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            for row in rows:
                scan = _SCAN.match(row[3])
                if scan and "USING" not in row[3] and aliases.get(scan[1], scan[1]) in LOGS:
                    found.add((aliases.get(scan[1], scan[1]), statement))
    return found


@pytest.fixture
def worked(f: World) -> World:
    """A prospect given away, in a pool and reminded of."""
    with f.site.session(write=True) as session:
        enqueue(session, "remind", {"names": ["prospect_unqualified"]})
    Worker(f.site).run_all()
    return f


def test_whys_and_offers_walk_through_no_log(worked: World) -> None:
    f = worked
    pooled = f.create(None, "customer", name="公海", region=f.id("region", code="east"), pool="customers_east")
    with noted(f) as said, f.as_("zhangsan") as session:
        for entity, record in (("customer", f.k("P1")), ("customer", pooled)):
            for word in explainers():
                decision(session, word, entity, record)
            actions.offers(session, entity, record)
            revisions.open_revision(session, entity, record)
            revisions.versions(session, entity, record)
            pool_views.uncounted(session, entity, record)
        whys.newly_assigned(session)
    assert len(said) > 50
    assert walked(f, said) == set()


def test_saves_and_nights_walk_through_no_log(worked: World) -> None:
    f = worked
    with noted(f) as said:
        f.update("zhangsan", "customer", f.k("P1"), name="潜在客户一号股份有限公司")
        f.update("vp", "customer", f.k("P1"), owner=f.user("lisi"))
        f.api("zhangsan", "GET", f"/customer/{f.k('K1')}")
        f.list("zhangsan", "customer", of="name")
    assert walked(f, said) == set()
