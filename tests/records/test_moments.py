"""Statements that are kept take the moment of each run, not that of their first."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runtime import records
from runtime.clock import FakeClock
from runtime.publishing.layers import with_site_files
from runtime.publishing.publish import current_layers, publish
from runtime.query.select import Query, run
from runtime.site import Site

TASKS = """
entity: errand
label: {zh: 差事, en: Errand}
title: name
fields:
  name: {type: text, required: true}
  due_at: {type: datetime}
  overdue: {type: boolean, formula: "due_at < now()"}
  soon: {type: boolean, formula: "due_at >= now() and due_at < now() + days(1)"}
  this_day: {type: boolean, formula: "date(due_at) == date(now())"}
"""


@pytest.fixture
def errands(site: Site) -> Site:
    publish(site, with_site_files(current_layers(site), {"errand.yaml": TASKS}), "errands")
    return site


def shown(site: Site) -> list[tuple[object, ...]]:
    with site.session() as session:
        page = run(session, Query(entity="errand", select=("overdue", "soon", "this_day")))
        return [tuple(row.values.values()) for row in page.rows]


def test_what_is_reckoned_from_now_follows_the_clock(errands: Site) -> None:
    clock = errands.clock
    assert isinstance(clock, FakeClock)
    with errands.session(write=True) as session:
        due = session.now.replace(hour=5, minute=0)
        records.create(session, "errand", {"name": "a", "due_at": due.isoformat()})
    clock.set(due - timedelta(days=2))
    assert shown(errands) == [(False, False, False)]
    clock.set(due.replace(hour=4))
    assert shown(errands) == [(False, True, True)]
    clock.set(due.replace(hour=6))
    assert shown(errands) == [(True, False, True)]
    clock.advance(days=1)
    assert shown(errands) == [(True, False, False)]


def test_such_a_statement_is_kept(errands: Site) -> None:
    asked = Query(entity="errand", select=("overdue", "soon"))
    with errands.session() as session:
        run(session, asked)
        kept = {key: found for key, found in session.tables.area("selects").items() if key[0] == "errand"}
        assert len(kept) == 1
        assert next(iter(kept.values())).moments.binds.keys() == {"moment_0", "moment_1", "moment_2"}
        run(session, Query(entity="errand", select=("this_day",)))  # a date of now is written into the statement
        assert len([key for key in session.tables.area("selects") if key[0] == "errand"]) == 1
