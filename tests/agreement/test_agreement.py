"""Python, SQLite and PostgreSQL give the same answer to the same expression on the same rows.

OCTAVO_FUZZ=<n> runs n times as many expressions, from a seed of their own (OCTAVO_SEED repeats one).
"""

from __future__ import annotations

import os
import time
from itertools import islice
from pathlib import Path

import pytest

from rules.evaluate import holds
from rules.registry import functions
from runtime.query.expressions import condition
from tests.agreement.harness import BATCH, bench, coverage, generated, nothing_positions, parsed, tally
from tests.databases import postgres_answers, postgres_database, sqlite_url

COUNT = 5000 * int(os.environ.get("OCTAVO_FUZZ") or 1)
SEED = int(os.environ.get("OCTAVO_SEED") or (time.time_ns() if os.environ.get("OCTAVO_FUZZ") else 7))
TAILS = ("", " where", " by", " where by")
LEAST = 20  # times that each operator and function must have been met


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_random_expressions_agree(database: str, tmp_path: Path) -> None:
    if database == "sqlite":
        _agree(sqlite_url(tmp_path))
        return
    if not postgres_answers():
        pytest.skip("no PostgreSQL server answers on 127.0.0.1:5432")
    with postgres_database() as url:
        _agree(url)


def _agree(url: str) -> None:
    source = generated(SEED, COUNT)
    differences: list[str] = []
    with bench(url) as on:
        while batch := list(islice(source, BATCH)):
            differences += on.differences(batch)
            if len(differences) > 5:
                break
    assert differences == [], f"seed {SEED}"


def test_random_conditions_select_the_rows_they_hold_for(database_url: str) -> None:
    """A condition at the top of WHERE leaves out the coalesce that a value needs: the rows must be the same."""
    with bench(database_url, seed=3) as on:
        conditions = [e for e in generated(11, 900) if e.type.kind == "boolean"][:250]
        for expression in conditions:
            expected = [r.row["id"] for r in on.records if holds(expression, r, on.environment)]
            assert on.where(condition(expression, on.account, on.context)) == expected, expression.text


def test_every_operator_and_function_is_met_often() -> None:
    expressions = list(generated(7, 5000))
    met = tally(expressions)
    with_sql = {
        f"{f.name}/{i}" for name in functions().names() for i, f in enumerate(functions().overloads(name)) if f.sql
    }
    core = {name for name in with_sql if functions().overloads(name.split("/")[0])[0].layer == "core"}
    rarely = {name: met[name] for name in core if met[name] < LEAST}
    assert rarely == {}
    aggregates = ["count", "sum", "min", "max", "avg", "any", "all", "first", "last"]
    assert {
        f".{name}": met[f".{name}"] for name in aggregates if sum(met[f".{name}{tail}"] for tail in TAILS) < LEAST
    } == {}
    operators = ["+ integer", "- decimal", "* decimal", "/ decimal", "// integer", "% integer", "% decimal"]
    assert {name: met[name] for name in operators if met[name] < LEAST} == {}


def test_nothing_comes_out_of_every_kind_of_node(tmp_path: Path) -> None:
    with bench(sqlite_url(tmp_path)) as on:
        seen = {p for e in generated(7, 600) for p in nothing_positions(e, on.python(e))}
    kinds = {"Call", "Aggregate", "Arithmetic", "Conditional", "Field", "Negative"}
    assert {f"nothing of {kind}" for kind in kinds} <= seen


EDGES = [
    "(not before.closed) is not None",
    "(not active) == (not before.closed)",
    "(not active) is None",
    "(size > 3) is not None",
    "points + 9007199254740991",
    "points * points * points",
    "-points - 9007199254740991",
    "points // 0",
    "points % 0",
    "size // -7",
    "size % -7",
    "-7 // 2 + size * 0",
    "revenue / 0",
    "revenue / 3 * 3",
    "revenue * rate * rate * rate",
    "round(price / 3, 1)",
    "round(-price / 8, 2)",
    "rate * rate * rate * rate",
    "price * price * 0.0000000001",
    "deals.sum(amount)",
    "deals.sum(score * score * score)",
    "deals.sum(9007199254740991)",
    "items.sum(quantity * price)",
    "items.avg(quantity)",
    "items.avg(price, done)",
    "items.first(price, by=on)",
    "items.last(price, by=on)",
    "items.first(name)",
    "items.min(price * quantity * quantity)",
    "items.count(this.size > count)",
    "deals.all(amount > 0)",
    "deals.any(amount >= 100)",
    "friends.count(unit == this.owner.unit)",
    "parent.items.sum(this.size)",
    "items.sum(account.deals.sum(score) * count)",
    "items.sum(account.deals.count(score > this.count and this.this.size > 0))",
    "born + days(9007199254740991)",
    "born - days(4000000)",
    "seen + days(3652059)",
    "born + months(1)",
    "born + months(-1)",
    "born + months(130001)",
    "months_between(born, due)",
    "workdays_between(born, due)",
    "workhours_between(seen, now())",
    "workhours_between(now(), seen)",
    "workhours_between(seen, seen + days(30))",
    "add_workdays(born, 4001)",
    "add_workdays(born, size)",
    "date(2023, 2, 29)",
    "date(size, 1, 1)",
    "end_of(born, 'week')",
    "start_of(seen, 'quarter')",
    "date(seen)",
    "text(seen)",
    "weekday(born)",
    "text(revenue)",
    "text(rate * 0)",
    "number(note)",
    "contains(name, 'STRASSE')",
    "contains(name, 'straße')",
    "starts_with(name, 'i')",
    "ends_with(note, 'Σ')",
    "contains(note, 'ａ')",
    "upper(name) + lower(note)",
    "trim(name)",
    "len(trim(note))",
    "min(name, note)",
    "name < note",
    "stage == before",
    "stage != before",
    "stage in ('won', 'lost')",
    "not (size > 5)",
    "not (stage.closed)",
    "size > 1 > points",
    "coalesce(size, points, 0)",
    "min(size, points, 3)",
    "(size if active else None)",
    "1 if active else 2.5",
    "'red' not in tags",
    "tags is None",
    "owner not in friends",
    "owner == user or owner is None",
    "owner.unit == user.unit",
    "owner_unit.budget",
    "deals.last(seller).unit.name",
    "deals.first(by=score).amount",
    "(owner if active else parent.owner).name",
    "seen in params.period",
    "convert(revenue, 'USD')",
    "convert(revenue, 'EUR') is None",
    "has_role('sales') and in_unit(owner.unit)",
    "user.level + user.unit.budget",
    "active == vip",
    "(active and vip) == (vip or active)",
    "share * revenue / 100",
]


def test_edges_agree(database_url: str) -> None:
    with bench(database_url, seed=5) as on:
        assert on.differences([parsed(text) for text in EDGES]) == []


def test_coverage_names_what_an_expression_holds() -> None:
    assert {"> integer", "and", "len/0", "Field", "Row"} <= set(coverage(parsed("len(name) > 3 and active")))
