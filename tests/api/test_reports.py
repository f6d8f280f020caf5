from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from runtime import reports
from runtime.query.select import Query, parse_where, run
from runtime.reports.periods import read_period
from tests.api.conftest import Api

TODAY = date(2026, 11, 22)  # a Sunday


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("today", date(2026, 11, 22), date(2026, 11, 22)),
        ("yesterday", date(2026, 11, 21), date(2026, 11, 21)),
        ("this_week", date(2026, 11, 16), date(2026, 11, 22)),
        ("next_week", date(2026, 11, 23), date(2026, 11, 29)),
        ("last_month", date(2026, 10, 1), date(2026, 10, 31)),
        ("this_quarter", date(2026, 10, 1), date(2026, 12, 31)),
        ("next_quarter", date(2027, 1, 1), date(2027, 3, 31)),
        ("last_year", date(2025, 1, 1), date(2025, 12, 31)),
        ("year_to_date", date(2026, 1, 1), TODAY),
        ("last_30_days", date(2026, 10, 24), TODAY),
        ("last_2_weeks", date(2026, 11, 9), TODAY),
        ("last_3_months", date(2026, 8, 23), TODAY),
        ("next_10_days", TODAY, date(2026, 12, 1)),
        ("2026", date(2026, 1, 1), date(2026, 12, 31)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2026-Q2", date(2026, 4, 1), date(2026, 6, 30)),
        ("2026-03-05", date(2026, 3, 5), date(2026, 3, 5)),
        ("2026-03-05..2026-04-01", date(2026, 3, 5), date(2026, 4, 1)),
        ("..2026-04-01", None, date(2026, 4, 1)),
        ("all", None, None),
    ],
)
def test_periods(text: str, start: date | None, end: date | None) -> None:
    assert read_period(text, TODAY) == (start, end)


@pytest.mark.parametrize(
    "text", ["", "soon", "last_0_days", "2026-13", "2026-Q5", "2026-04-02..2026-04-01", "last_9999_years"]
)
def test_what_is_no_period(text: str) -> None:
    with pytest.raises(ValueError):
        read_period(text, TODAY)


ROWS = [
    {"name": "a", "stage": "won", "born": "2026-01-05", "employees": 10, "cost": 1},
    {"name": "b", "stage": "won", "born": "2026-01-25", "employees": 5, "cost": 2},
    {"name": "c", "stage": "won", "born": "2026-02-25", "employees": None, "cost": "3.5"},
    {"name": "d", "stage": "new", "born": None, "employees": 2},
    {"name": "e", "stage": "lost", "born": "2025-12-31", "employees": 30, "reason": "price"},
]


@pytest.fixture(scope="module")
def filled(api: Api) -> Api:
    for row in ROWS:
        api.create("boss", "account", **{k: v for k, v in row.items() if v is not None})
    api.create("alice", "account", name="hers", stage="new", employees=1)
    return api


def table(response: Any) -> list[tuple[Any, ...]]:
    names = [c["name"] for c in response.json["columns"]]
    return [tuple(row["values"].get(n) for n in names) for row in response.json["rows"]]


def test_groups_figures_and_their_order(filled: Api) -> None:
    boss = filled.ids["boss"]
    answer = filled.call("boss", "GET", f"/reports/by_stage?who={boss}")
    assert table(answer) == [
        ("new", None, 1, 2, "2.0000000000", "2.0000000000", {"amount": "0.00", "currency": "CNY"}),
        ("won", "2026-01-01", 2, 15, "7.5000000000", "7.5000000000", {"amount": "3.00", "currency": "CNY"}),
        ("won", "2026-02-01", 1, 0, None, "0.0000000000", {"amount": "3.50", "currency": "CNY"}),
        ("lost", "2025-12-01", 1, 30, "30.0000000000", "30.0000000000", {"amount": "0.00", "currency": "CNY"}),
    ]


def test_totals_of_every_level_come_from_the_groups(filled: Api) -> None:
    totals = filled.call("boss", "GET", f"/reports/by_stage?who={filled.ids['boss']}").json["totals"]
    whole = totals[0]
    assert (whole["level"], whole["values"]["accounts"], whole["values"]["staff"]) == (0, 5, 47)
    assert (whole["values"]["mean"], whole["values"]["each"]) == ("11.7500000000", "9.4000000000")
    won = next(t for t in totals if t["values"].get("stage") == "won")
    assert (won["level"], won["values"]["accounts"], won["values"]["mean"]) == (1, 3, "7.5000000000")


def test_parameters_narrow_and_fall_away(filled: Api) -> None:
    whole = filled.call("boss", "GET", "/reports/by_stage").json["totals"][0]["values"]["accounts"]
    assert whole == 6
    narrowed = filled.call("boss", "GET", "/reports/by_stage?period=2026-Q1").json["totals"][0]["values"]["accounts"]
    assert narrowed == 5  # those born in the quarter, and those without a date
    assert filled.call("boss", "GET", "/reports/by_stage?period=soon").status_code == 422
    assert filled.call("boss", "GET", "/reports/by_stage?colour=red").status_code == 400


def test_access_counts_in_reports(filled: Api) -> None:
    assert filled.call("alice", "GET", "/reports/by_stage").json["totals"][0]["values"]["accounts"] == 1
    assert filled.call("alice", "GET", "/reports").json["reports"][0]["name"] == "by_stage"
    assert filled.call("nobody", "GET", "/reports").json["reports"] == []


def test_each_figure_leads_to_just_its_records(filled: Api) -> None:
    with filled.site.session(filled.ids["boss"]) as session:
        for given in ({}, {"period": "2026"}, {"who": str(filled.ids["boss"]), "period": "2025-06-01.."}):
            found = reports.run(session, "by_stage", given)
            for row in [*found.rows, *found.totals]:
                where = (parse_where(session, "account", row.drill),) if row.drill else ()
                page = run(session, Query(entity="account", where=where, count="exact"))
                assert page.count == row.values["accounts"], row.drill


def test_a_list_with_a_limit_of_rights(filled: Api) -> None:
    answer = filled.call("boss", "GET", "/reports/big_ones").json
    assert [row["values"]["name"] for row in answer["rows"]] == ["e", "a"]
    assert answer["rows"][0]["values"]["owner"]["title"] == "Boss"
    assert answer["rows"][0]["drill"].startswith("id == ")
