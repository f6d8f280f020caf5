"""Rescoring all records, beside one hand-written UPDATE that leaves right values alone: all differ, and none does."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from tests.bench.floor import app as floor

if TYPE_CHECKING:
    from tests.bench.run import Arena

ROUNDS = 3
SCORE = """
score: bench_value
entity: bench_customer
parts:
  - {name: large, points: 40, when: "revenue >= 50_000_000"}
  - {name: company, points: 20, when: "kind == 'company'"}
  - {name: staff, of: employees, bands: [{from: 100, to: 1000, points: 5}, {from: 1000, to: 10000, points: 10}, {from: 10000, points: 20}]}
  - {name: active, points: 10, when: "active"}
  - {name: young, points: 10, when: "founded >= date(2015, 1, 1)"}
grades:
  - {name: a, from: 80, label: A}
  - {name: b, from: 50, label: B}
  - {name: c, from: 0, label: C}
"""
FIELDS = """
extend: bench_customer
fields:
  value: {type: score, score: bench_value}
  grade: {type: grade, score: bench_value}
"""
# What a careful engineer writes by hand: the score worked out once for each use, rows that are right left alone.
BY_HAND = """
UPDATE floor_customer SET score = {score},
  grade = CASE WHEN {score} >= 80 THEN 'a' WHEN {score} >= 50 THEN 'b' ELSE 'c' END
WHERE deleted_at IS NULL AND {differs}
"""
FORMULA = (
    "(CASE WHEN revenue >= 500000000000 THEN 40 ELSE 0 END + CASE WHEN kind = 'company' THEN 20 ELSE 0 END"
    " + CASE WHEN employees >= 10000 THEN 20 WHEN employees >= 1000 THEN 10 WHEN employees >= 100 THEN 5 ELSE 0 END"
    " + CASE WHEN active THEN 10 ELSE 0 END + CASE WHEN founded >= '2015-01-01' THEN 10 ELSE 0 END)"
)


def rescoring(a: Arena) -> dict[str, dict[str, Any]]:
    from runtime.commands.scores import rescore
    from runtime.publishing.layers import with_site_files
    from runtime.publishing.publish import current_layers, publish

    layers = current_layers(a.site)
    publish(a.site, with_site_files(layers, {"bench_value.yaml": SCORE, "bench_score.yaml": FIELDS}), "bench")
    with a.site.session() as session:
        table = session.table("bench_customer")
        living = session.connection.scalar(sa.select(sa.func.count()).where(table.c.deleted_at.is_(None))) or 0
    by_hand = _ByHand(a)
    spent: dict[str, list[float]] = {"floor": [], "octavo": [], "floor same": [], "octavo same": []}
    for _ in range(ROUNDS):
        _forget(a, table)
        by_hand.forget()
        spent["floor"].append(_timed(by_hand.run))
        spent["octavo"].append(_timed(lambda: rescore(a.site, "bench_customer")))
        spent["floor same"].append(_timed(by_hand.run))
        spent["octavo same"].append(_timed(lambda: rescore(a.site, "bench_customer")))
    by_hand.close()
    median = {name: statistics.median(times) for name, times in spent.items()}
    return {
        "rescore, every record differs, rows/s": _figure(living, median["floor"], median["octavo"]),
        "rescore, no record differs, rows/s": _figure(living, median["floor same"], median["octavo same"]),
    }


def _figure(count: int, bare: float, ours: float) -> dict[str, Any]:
    return {
        "floor": round(count / bare),
        "octavo": round(count / ours),
        "ratio": round(bare / ours, 2),
        "reach": 0.6,
    }


class _ByHand:
    """The floor's table with a score and a grade."""

    def __init__(self, a: Arena) -> None:
        self.engine = floor.engine_for(a.floor_url).execution_options(mode="IMMEDIATE")
        with self.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE floor_customer ADD COLUMN score INTEGER")
            connection.exec_driver_sql("ALTER TABLE floor_customer ADD COLUMN grade VARCHAR(10)")
        word = "IS NOT" if self.engine.dialect.name == "sqlite" else "IS DISTINCT FROM"
        self.text = BY_HAND.format(score=FORMULA, differs=f"score {word} {FORMULA}")

    def run(self) -> None:
        with self.engine.begin() as connection:
            connection.exec_driver_sql(self.text)

    def forget(self) -> None:
        with self.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE floor_customer SET score = NULL, grade = NULL")
        settle(self.engine, "floor_customer")

    def close(self) -> None:
        self.engine.dispose()


def _forget(a: Arena, table: sa.Table) -> None:
    with a.site.session(write=True) as session:
        session.connection.execute(sa.update(table).values(value=None, grade=None))
    settle(a.site.engine, table.name)


def settle(engine: sa.Engine, table: str) -> None:
    """What follows meets no dead rows of what was before: one side would read them, and the other has none."""
    if engine.dialect.name == "sqlite":
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f'VACUUM "{table}"')


def _timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
