"""Decisions of semantics.md that a site keeps, by their number. Where others are tested: docs/decisions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from metadata.compiler import compile_application
from metadata.packages import load_texts, platform
from runtime import records
from runtime.clock import FakeClock
from runtime.errors import Conflict, Refused
from runtime.publishing.publish import publish
from runtime.query.select import Query, Sort, parse_where, run
from runtime.settings import throwaway_settings
from runtime.site import Site

METADATA = """
entity: account
title: name
number: {pattern: "A{seq:4}", field: code}
fields:
  code: {type: text, unique: true, readonly: true}
  name: {type: text, max: 40}
  email: {type: text, unique: true}
  level: {type: integer, default: 3}
  kind: {type: select, options: [zebra, ant, cow]}
  moment: datetime
  club: {type: link, to: club}
  rows: {type: lines, entity: row}
  total: {type: decimal, scale: 2, formula: "rows.sum(price * quantity)"}
  most: {type: decimal, scale: 2, formula: "rows.max(price)"}
  half: {type: decimal, scale: 2, formula: "level / 8"}
  huge: {type: integer, formula: "level * 4503599627370496"}
---
entity: club
title: name
fields:
  name: text
  accounts: {type: related, entity: account, by: club}
  levels: {type: integer, formula: "accounts.sum(level)"}
  highest: {type: integer, formula: "accounts.max(level)"}
---
entity: row
fields:
  account: {type: link, to: account, on_delete: cascade}
  price: {type: decimal, scale: 2}
  quantity: integer
"""


def layers(text: str) -> list[Any]:
    return [platform(), load_texts({"all.yaml": text}, "site")]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock("2026-03-15T17:30:00+00:00")  # already the 16th in Shanghai


@pytest.fixture
def site(tmp_path: Path, database_url: str, clock: FakeClock) -> Iterator[Site]:
    settings = throwaway_settings(tmp_path, database_url=database_url, sqlite_synchronous="OFF")
    with Site(settings, clock) as site:
        publish(site, layers(METADATA))
        yield site


def made(site: Site, **values: Any) -> int:
    with site.session(write=True) as session:
        return records.create(session, "account", values).id


def stored(site: Site, record_id: int) -> dict[str, Any]:
    with site.session() as session:
        found = records.read(session, "account", record_id)
        return dict(found.values) | {"version": found.version}


def names(site: Site, where: str = "", sort: str = "") -> list[Any]:
    with site.session() as session:
        conditions = (parse_where(session, "account", where),) if where else ()
        order = (Sort(path=(sort.lstrip("-"),), descending=sort.startswith("-")),) if sort else ()
        query = Query(entity="account", select=("name",), where=conditions, sort=order)
        return [row.values["name"] for row in run(session, query).rows]


def test_1_filters_know_true_and_false_alone(site: Site) -> None:
    made(site, name="with", level=9)
    made(site, name="without", level=None)
    assert names(site, "level > 5") == ["with"]
    assert names(site, "not (level > 5)") == ["without"]
    assert names(site, "level != 9") == []
    assert names(site, "level is None") == ["without"]


def test_2_empty_text_is_nothing_and_defaults_fill_what_is_left_out(site: Site) -> None:
    first = stored(site, made(site, name="  cafe\u0301 ", email="   "))
    assert (first["name"], first["email"], first["level"]) == ("caf\u00e9", None, 3)
    assert stored(site, made(site, name="", level=None))["level"] is None


def test_3_aggregates_of_nothing(site: Site) -> None:
    found = stored(site, made(site, name="empty", rows=[]))
    assert (found["total"], found["most"]) == (0, None)


def test_4_out_of_range_is_nothing_in_formulas(site: Site) -> None:
    assert stored(site, made(site, name="a", level=1))["huge"] == 2**52
    assert stored(site, made(site, name="b", level=4))["huge"] is None
    assert names(site, "level * 4503599627370496 * 9007199254740991 > 0") == []


def test_5_exact_half_away_from_zero_and_bounded(site: Site) -> None:
    assert str(stored(site, made(site, name="a", level=1))["half"]) == "0.13"
    assert str(stored(site, made(site, name="b", level=-1))["half"]) == "-0.13"
    with pytest.raises(Refused):
        made(site, name="c", level=2**53)


def test_9_choices_sort_as_declared(site: Site) -> None:
    for kind in ("ant", "zebra", "cow"):
        made(site, name=kind, kind=kind)
    assert names(site, sort="kind") == ["zebra", "ant", "cow"]


def test_10_nothing_sorts_lowest(site: Site) -> None:
    for name, level in (("two", 2), ("none", None), ("one", 1)):
        made(site, name=name, level=level)
    assert names(site, sort="level") == ["none", "one", "two"]
    assert names(site, sort="-level") == ["two", "one", "none"]


def test_12_days_are_the_sites_and_moments_are_utc_in_milliseconds(site: Site) -> None:
    record = made(site, name="a", moment="2026-03-15T17:30:00.123456+00:00")
    found = stored(site, record)
    assert str(found["created_on"]) == "2026-03-16"
    assert found["moment"].isoformat() == "2026-03-15T17:30:00.123000+00:00"
    assert names(site, "date(moment) == date(2026, 3, 16) and created_on == today()") == ["a"]


def test_17_an_omitted_list_leaves_lines_alone_and_a_given_one_replaces_them(site: Site) -> None:
    record = made(site, name="a", rows=[{"price": "1.50", "quantity": 2}, {"price": "2", "quantity": 1}])
    with site.session(write=True) as session:
        records.update(session, "account", record, {"name": "b"})
    before = stored(site, record)
    assert (len(before["rows"]), str(before["total"])) == (2, "5.00")
    with site.session(write=True) as session:
        records.update(session, "account", record, {"rows": [{"id": before["rows"][0].id, "quantity": 3}]})
    after = stored(site, record)
    assert [(r.id, r.values["quantity"]) for r in after["rows"]] == [(before["rows"][0].id, 3)]
    assert (str(after["total"]), after["version"]) == ("4.50", before["version"] + 1)


def test_18_a_restore_that_meets_a_twin_is_a_conflict_and_numbers_never_return(site: Site) -> None:
    first = made(site, name="a", email="a@x")
    with site.session(write=True) as session:
        records.delete(session, "account", first)
    second = made(site, name="b", email="a@x")
    with site.session(write=True) as session, pytest.raises(Conflict) as refused:
        records.restore(session, "account", first)
    assert refused.value.status == 409
    assert (stored(site, second)["code"], stored(site, made(site, name="c"))["code"]) == ("A0002", "A0003")


def test_21_computed_writes_leave_no_trace_and_follow_a_move(site: Site, clock: FakeClock) -> None:
    with site.session(write=True) as session:
        one, two = (records.create(session, "club", {"name": name}).id for name in ("one", "two"))
    member = made(site, name="a", level=4, club=one)
    made(site, name="b", level=2, club=one)
    before = clubs(site)
    clock.advance(hours=1)
    with site.session(write=True) as session:
        records.update(session, "account", member, {"club": two, "level": 7})
    after = clubs(site)
    assert [(c.levels, c.highest) for c in before] == [(6, 4), (0, None)]
    assert [(c.levels, c.highest) for c in after] == [(2, 2), (7, 7)]
    assert [(c.version, c.updated_at) for c in before] == [(c.version, c.updated_at) for c in after]
    with site.session() as session:
        audit = session.table("audit")
        told = sa.select(audit.c.action).where(audit.c.entity == "club")
        assert list(session.connection.scalars(told)) == ["create", "create"]


def clubs(site: Site) -> list[Any]:
    with site.session() as session:
        table = session.table("club")
        return list(session.connection.execute(sa.select(table).order_by(table.c.id)).all())


def test_25_a_rename_keeps_column_data_and_what_reads_it(site: Site) -> None:
    record = made(site, name="a", level=7)
    renamed = METADATA.replace("  level: {type: integer, default: 3}", "  rank: {type: integer, was: level}")
    renamed = renamed.replace('"level ', '"rank ').replace("(level)", "(rank)")
    publish(site, layers(renamed))
    found = stored(site, record)
    assert (found["rank"], str(found["half"])) == (7, "0.88")
    without = (
        renamed.replace("was: level}", "was: level, retired: true}").replace('"rank ', '"8 ').replace("(rank)", "(8)")
    )
    publish(site, layers(without), accept=True)
    assert "rank" not in stored(site, record)
    publish(site, layers(renamed))
    assert stored(site, record)["rank"] == 7


def test_25_physical_names_fit_in_63_bytes(tmp_path: Path) -> None:
    long = "x" * 41
    text = f"entity: {long}\nfields:\n  name: text\n  {'y' * 41}: {{type: multi_select, options: [a]}}\n"
    with Site(throwaway_settings(tmp_path, sqlite_synchronous="OFF"), FakeClock()) as site:
        publish(site, layers(text))
        names = sa.inspect(site.engine).get_table_names()
    assert all(len(name.encode()) <= 63 for name in names)


def test_26_rebuilding_a_parent_keeps_its_lines(site: Site) -> None:
    record = made(site, name="a", rows=[{"price": "1", "quantity": 1}, {"price": "2", "quantity": 2}])
    publish(
        site, layers(METADATA.replace("{type: text, max: 40}", "{type: text, max: 30, required: true}")), accept=True
    )
    assert len(stored(site, record)["rows"]) == 2


def test_30_one_audit_row_for_a_change_with_its_cause(site: Site) -> None:
    record = made(site, name="a", rows=[{"price": "1", "quantity": 1}])
    with site.session(write=True, request_id="r-1", channel="api") as session:
        records.update(session, "account", record, {"name": "b", "level": 4})
    with site.session() as session:
        audit = session.table("audit")
        rows = session.connection.execute(
            sa.select(audit).where(audit.c.entity == "account").order_by(audit.c.id)
        ).all()
    assert [r.action for r in rows] == ["create", "update"]
    assert rows[1].changes == {"name": ["a", "b"], "level": [3, 4]}
    assert (rows[1].channel, rows[1].request) == ("api", "r-1")


def test_31_a_refused_record_takes_no_number(site: Site) -> None:
    made(site, name="a")
    with pytest.raises(Refused):
        made(site, name="n" * 100)
    assert stored(site, made(site, name="b"))["code"] == "A0002"


@pytest.mark.parametrize("name", ["class", "user", "this", "None", "a__b", "a_", "é", "A", "x" * 42, "1a"])
def test_32_names_that_are_refused(name: str) -> None:
    text = f"entity: account\nfields: {{name: text, '{name}': text}}\n"
    assert [p.code for p in compile_application(layers(text)).errors] != []


@pytest.mark.parametrize("name", ["me", "reports", "lists", "imports", "metadata", "openapi"])
def test_32_words_of_the_api_are_no_entities(name: str) -> None:
    assert compile_application(layers(f"entity: {name}\nfields: {{name: text}}\n")).errors != []


def test_32_fields_may_be_called_like_functions() -> None:
    text = "entity: account\nfields: {name: text, number: integer, months: {type: integer, formula: 'number + 1'}}\n"
    assert compile_application(layers(text)).errors == []


def test_34_an_expression_cut_at_its_comma_is_told() -> None:
    text = "entity: account\nfields:\n  name: text\n  a: {type: integer, formula: min(1, 2)}\n"
    assert {p.code for p in compile_application(layers(text)).errors} == {"shape.quote_expression"}


def test_30_full_versions_come_later_and_are_not_ignored_in_silence() -> None:
    found = compile_application(layers("entity: account\nhistory: true\nfields: {name: text}\n"))
    assert [(p.code, p.place.line) for p in found.errors] == [("property.later", 2)]
