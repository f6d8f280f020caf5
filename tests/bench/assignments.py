"""New records assigned by rules: in bulk, one by one, and the same writes without a rule beside them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from tests.bench.scores import settle

if TYPE_CHECKING:
    from tests.bench.run import Arena

MOST, SINGLE, PEOPLE = 20_000, 300, 20  # as many in bulk as there are records, at most
WHO = "bench-rep-"
RULES = """
assignment: bench_assignment
entity: bench_customer
to: person
on: [create]
notify: false
rules:
  - {name: large, when: "revenue >= 50_000_000", pick: {from: {role: bench_rep}, by: least_loaded}}
  - {name: rest, pick: {from: {role: bench_rep}, by: round_robin}}
"""
FIELD = """
extend: bench_customer
fields:
  person: {type: user, label: {zh: 归属, en: Person}}
"""
ROLE = "role: bench_rep\nlabel: {zh: 基准代表, en: Benchmark representative}\ngrants: {bench_customer: {all: all}}\n"
FILES = {"bench_assignment.yaml": RULES, "bench_person.yaml": FIELD, "bench_rep.yaml": ROLE}


def assigning(a: Arena, records: int) -> dict[str, dict[str, Any]]:
    """Rows a second; the floor is the record layer without a rule, told by the channel that sets none off."""
    from runtime.publishing.layers import with_site_files
    from runtime.publishing.publish import current_layers, publish

    publish(a.site, with_site_files(current_layers(a.site), FILES), "bench")
    _people(a)
    bulk, single = min(records, MOST), min(records // 10, SINGLE)
    plain, ruled = (_bulk(a, channel, bulk) for channel in ("internal", "form"))
    alone, one = (_single(a, channel, single) for channel in ("internal", "form"))
    _forget(a)
    return {
        "assign new records in bulk, rows/s": {"octavo": round(ruled), "floor": round(plain), "reach": 5000},
        "assign new records one by one, rows/s": {"octavo": round(one), "floor": round(alone), "reach": 300},
    }


def _rows(count: int) -> list[dict[str, Any]]:
    return [{"name": f"Assigned {n}", "kind": "company", "revenue": n * 10_000, "city": "上海"} for n in range(count)]


def _people(a: Arena) -> None:
    from runtime import records

    people = [{"login": f"{WHO}{n}", "name": f"R{n}", "roles": [{"role": "bench_rep"}]} for n in range(PEOPLE)]
    with a.site.session(write=True) as session:
        records.create_many(session, "user", people)


def _bulk(a: Arena, channel: str, count: int) -> float:
    from runtime import records

    rows = _rows(count)
    began = time.perf_counter()
    for start in range(0, count, 2000):
        with a.site.session(write=True, channel=channel) as session:
            records.create_many(session, "bench_customer", rows[start : start + 2000])
    return count / (time.perf_counter() - began)


def _single(a: Arena, channel: str, count: int) -> float:
    from runtime import records

    began = time.perf_counter()
    for row in _rows(count):
        with a.site.session(write=True, channel=channel) as session:
            records.create(session, "bench_customer", row)
    return count / (time.perf_counter() - began)


def _forget(a: Arena) -> None:
    """The figures that follow are of the records that were there before."""
    from runtime.query import search
    from runtime.records.plan import plan_of

    with a.site.session(write=True) as session:
        plan = plan_of(session, "bench_customer")
        made = plan.table.c.name.like("Assigned %")
        search.remove(session, plan, session.connection.scalars(sa.select(plan.table.c.id).where(made)).all())
        session.connection.execute(sa.delete(plan.table).where(made))
    settle(a.site.engine, plan.table.name)
