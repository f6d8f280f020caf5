"""New records assigned by rules: in bulk, one by one, and the same writes without a rule beside them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from tests.bench.run import Arena

BULK, SINGLE, PEOPLE = 20_000, 300, 20
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


def assigning(a: Arena) -> dict[str, dict[str, Any]]:
    """Rows a second; the floor is the record layer without a rule, told by the channel that sets none off."""
    from runtime.publishing.layers import with_site_files
    from runtime.publishing.publish import current_layers, publish

    publish(a.site, with_site_files(current_layers(a.site), FILES), "bench")
    _people(a)
    plain, ruled = (_bulk(a, channel) for channel in ("internal", "form"))
    alone, single = (_single(a, channel) for channel in ("internal", "form"))
    _forget(a)
    return {
        "assign new records in bulk, rows/s": {"octavo": round(ruled), "floor": round(plain), "reach": 5000},
        "assign new records one by one, rows/s": {"octavo": round(single), "floor": round(alone), "reach": 300},
    }


def _rows(count: int) -> list[dict[str, Any]]:
    return [{"name": f"Assigned {n}", "kind": "company", "revenue": n * 10_000, "city": "上海"} for n in range(count)]


def _people(a: Arena) -> None:
    from runtime import records

    people = [{"login": f"{WHO}{n}", "name": f"R{n}", "roles": [{"role": "bench_rep"}]} for n in range(PEOPLE)]
    with a.site.session(write=True) as session:
        records.create_many(session, "user", people)


def _bulk(a: Arena, channel: str) -> float:
    from runtime import records

    rows = _rows(BULK)
    began = time.perf_counter()
    for start in range(0, BULK, 2000):
        with a.site.session(write=True, channel=channel) as session:
            records.create_many(session, "bench_customer", rows[start : start + 2000])
    return BULK / (time.perf_counter() - began)


def _single(a: Arena, channel: str) -> float:
    from runtime import records

    began = time.perf_counter()
    for row in _rows(SINGLE):
        with a.site.session(write=True, channel=channel) as session:
            records.create(session, "bench_customer", row)
    return SINGLE / (time.perf_counter() - began)


def _forget(a: Arena) -> None:
    """The figures that follow are of the records that were there before."""
    with a.site.session(write=True) as session:
        table = session.table("bench_customer")
        made = table.c.name.like("Assigned %")
        session.connection.execute(sa.delete(table).where(made))
