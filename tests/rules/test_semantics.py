"""The numbered decisions of semantics.md that the language itself carries, in Python. SQL: tests/agreement."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from rules.calendar import Calendar
from rules.typing import MONEY, PERCENT
from tests.rules.sample import NOW, Record, codes, environment, parsed, run

NOTHING = Record(id=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("size > 5", False),
        ("size != 5", False),
        ("size not in (5, 6)", False),
        ("not (size > 5)", True),
        ("size is None", True),
        ("active and True", False),
        ("(1 if active else 2)", 2),
        ("name == note", False),
    ],
)
def test_1_logic_has_two_values(text: str, expected: Any) -> None:
    assert run(text, NOTHING) == expected


@pytest.mark.parametrize("text", ["size + 1", "-size", "name + 'x'", "len(name)", "min(size, 1)", "born + days(1)"])
def test_2_nothing_spreads(text: str) -> None:
    assert run(text, NOTHING) is None
    assert run("coalesce(size, 7)", NOTHING) == 7


def test_3_aggregates_of_nothing() -> None:
    empty = {"items.count()": 0, "items.sum(price)": 0, "items.min(price)": None, "items.max(price)": None}
    empty |= {"items.avg(price)": None, "items.first(price)": None, "items.last(price)": None}
    empty |= {"items.any(done)": False, "items.all(done)": True}
    assert {text: run(text, NOTHING) for text in empty} == empty
    holes = Record(id=1, items=[Record(id=1), Record(id=2, price=Decimal(3))])
    assert run("items.avg(price)", holes) == 3
    assert run("items.first(price)", holes) == 3


@pytest.mark.parametrize(
    "text",
    [
        "size / 0",
        "size // 0",
        "size % 0",
        "size * 9007199254740991",
        "date(2026, 2, 30)",
        "date(0, 1, 1)",
        "born + days(9007199254740991)",
        "born + months(9007199254740991)",
        "seen + days(9999999)",
        "number('x')",
        "revenue * 9007199254740991 * 9007199254740991",
    ],
)
def test_4_what_has_no_answer_is_nothing(text: str) -> None:
    record = Record(id=1, size=5, born=date(2026, 1, 1), seen=NOW, revenue=Decimal("99999999999999"))
    assert run(text, record) is None


def test_5_scales_are_static_and_rounding_goes_away_from_zero() -> None:
    record = Record(id=1, rate=Decimal("1.5"), revenue=Decimal(2), size=-1)
    scales = {"rate + revenue": 6, "rate * revenue": 10, "revenue / 3": 10, "items.avg(price)": 10, "0.125 + 1": 3}
    assert {text: parsed(text).type.scale for text in scales} == scales
    assert run("revenue / 3", record) == Decimal("0.6666666667")
    assert run("round(0.125, 2)", record) == Decimal("0.13")
    assert run("round(-0.125, 2)", record) == Decimal("-0.13")
    assert run("0.1 + 0.2 == 0.3", record) is True
    assert run("size / 3", record) == Decimal("-0.3333333333")


def test_6_division_floors() -> None:
    record = Record(id=1, size=-7)
    assert [run(t, record) for t in ("size // 2", "size % 2", "size % -2", "7 // -2")] == [-4, 1, -1, -4]
    assert codes("size ** 2") == ["not_allowed"]
    assert codes("size @ 2") == ["not_allowed"]
    assert codes("size | 2") == ["habit"]


def test_7_a_percent_below_one_is_suspicious() -> None:
    assert codes("share > 0.2") == ["percent_below_one"]
    assert codes("share > 20") == []
    assert parsed("share + share").type.kind == PERCENT.kind


def test_8_text_compares_by_code_point_and_searches_folded() -> None:
    record = Record(id=1, name="Ｓｔraße　深圳", note="Z")
    assert run("contains(name, 'STRASSE')", record) is True
    assert run("ends_with(name, '深圳')", record) is True
    assert run("note < 'a'", record) is True
    assert codes("'a' in name") == ["text_in_text"]


def test_9_choices_are_names() -> None:
    record = Record(id=1, stage="won")
    assert run("stage == 'won' and stage.closed and stage.order == 2", record) is True
    assert codes("stage < 'won'") == ["select_has_no_order"]
    assert codes("stage == 'wno'") == ["unknown_choice"]
    assert codes("stage in ('won', 'lots')") == ["unknown_choice"]


def test_10_nothing_sorts_lowest() -> None:
    items = [Record(id=1, name="b", on=date(2026, 1, 1)), Record(id=2, name="a")]
    assert run("items.first(name, by=on)", Record(id=1, items=items)) == "a"
    assert run("items.last(name, by=on)", Record(id=1, items=items)) == "b"


def test_11_there_is_no_truthiness() -> None:
    assert codes("size and active") == ["not_a_condition"]
    assert codes("not name") == ["not_a_condition"]
    assert codes("1 if size else 2") == ["not_a_condition"]


def test_12_days_are_the_sites() -> None:
    assert run("today()") == date(2026, 11, 23)
    assert run("date(seen)", Record(id=1, seen=datetime(2026, 1, 1, 20, tzinfo=UTC))) == date(2026, 1, 2)
    assert run("today()", env=environment(zone=ZoneInfo("UTC"))) == date(2026, 11, 22)
    assert run("now()") == NOW


def test_13_calendar_arithmetic() -> None:
    record = Record(id=1, born=date(2024, 1, 31), due=date(2026, 11, 23), seen=NOW)
    assert run("due - born", record) == 1027
    assert run("born + months(1)", record) == date(2024, 2, 29)
    assert run("weekday(due)", record) == 1
    assert codes("born == seen") == ["date_and_datetime"]
    assert codes("born + 3") == ["no_arithmetic"]
    period = environment(parameters={"period": (date(2026, 11, 23), None)})
    assert run("seen in params.period", record, env=period) is True


def test_14_workdays_follow_the_calendar() -> None:
    holidays = Calendar.of([date(2026, 10, d) for d in range(1, 8)], [date(2026, 10, 10)])
    record = Record(id=1, born=date(2026, 9, 30))
    env = environment(holidays=holidays)
    assert run("add_workdays(born, 1)", record, env=env) == date(2026, 10, 8)
    assert run("add_workdays(born, 3)", record, env=env) == date(2026, 10, 10)
    assert run("workdays_between(born, date(2026, 10, 12))", record, env=env) == 4
    assert run("add_workdays(date(2026, 10, 10), -3)", record, env=env) == date(2026, 9, 30)


def test_15_money_keeps_to_its_currency() -> None:
    assert codes("amount > account.revenue", entity="deal") == ["currencies_differ"]
    assert codes("amount + account.revenue", entity="deal") == ["currencies_differ"]
    assert codes("amount + amount", entity="deal") == []
    deal = Record(id=1, amount=Decimal(100), amount__base=Decimal(710), exchange_rate__=Decimal("7.1"))
    assert run("amount > 500", deal, "deal") is True
    assert run("amount * 2 > 1400", deal, "deal") is True
    assert run("amount == amount", deal, "deal") is True
    assert run("deals.sum(amount)", Record(id=1, deals=[deal, deal])) == 1420
    rates = environment(rates=lambda _from, to, _day: Decimal("0.14") if to == "USD" else None)
    assert run("convert(amount, 'USD')", deal, "deal", rates) == Decimal("99.4")
    assert run("convert(amount, 'NOK')", deal, "deal", rates) is None
    assert parsed("deals.sum(amount)").type.kind == MONEY.kind


def test_16_inside_a_collection_names_are_the_childs() -> None:
    items = [Record(id=1, price=Decimal(5), count=1), Record(id=2, price=Decimal(9), count=7)]
    record = Record(id=1, size=3, items=items, tags=("red",))
    assert run("items.sum(price, count > this.size)", record) == 9
    assert run("items.any(price > 8) and 'red' in tags and 'blue' not in tags", record) is True
    assert codes("this.this.size") == ["no_this"]
    assert codes("items.any(account.items.any(account.items.any(done)))") == ["collections_too_deep"]
    assert codes("items.first(price, by=on, where=done)") == []
    assert codes("items.sum(price, by=on)") == ["no_named_arguments"]
    assert codes("items") == []
    assert codes("items + 1") == ["no_arithmetic"]


def test_20_what_depends_on_time_or_person_is_live() -> None:
    flags = {
        "size > 1": (False, False, False),
        "born > today()": (True, False, False),
        "owner == user": (False, True, False),
        "has_role('x')": (False, True, False),
    }
    found = {t: (e.uses_time, e.uses_user, e.reads_live) for t in flags if (e := parsed(t))}
    assert found == flags
    assert [t for t in flags if parsed(t).live] == list(flags)[1:]


def test_20_reads_name_every_field_over_hops_and_collections() -> None:
    text = "deals.sum(score, seller.unit.name == this.owner.name and old.size > 1 and changed('vip'))"
    expression = parsed(text, allow_old=True)
    assert expression.reads == {
        ("account", "deals"),
        ("account", "owner"),
        ("account", "size"),
        ("account", "vip"),
        ("deal", "score"),
        ("deal", "seller"),
        ("unit", "name"),
        ("user", "name"),
        ("user", "unit"),
    }
    assert expression.collections == {("account", "deals")}
    assert expression.uses_old
    assert parsed("size > params.least").parameters == {"least"}


def test_24_a_hidden_field_is_an_unknown_name() -> None:
    def visible(entity: str, name: str) -> bool:
        return (entity, name) not in {("account", "size"), ("account", "deals"), ("user", "level")}

    unknown = ["size > 1", "deals.count() > 1", "owner.level > 1", "friends.any(level > 1)", "items.any(this.size > 1)"]
    for text in [*unknown, "siz > 1"]:
        assert codes(text, visible=visible) == ["unknown_name"], text
    assert codes("items.any(this.points > 1)", visible=visible) == []


def test_33_habits_of_other_languages_are_told_apart() -> None:
    habits = ["size = 3", "active && vip", "active || vip", "!active", "size <> 3", "active == true", "name == null"]
    assert [codes(text) for text in habits] == [["habit"]] * len(habits)
    wide = ["size ＝ 3", "min（size, 1)", "min(size， 1)", "name == “a”", "size ＞ 3"]
    assert {codes(text)[0] for text in wide} == {"wide"}


def test_35_refused_syntax() -> None:
    refused = {
        "name[0]": "not_allowed",
        "f'{name}'": "not_allowed",
        "{1, 2}": "not_allowed",
        "lambda: 1": "not_allowed",
        "[x for x in name]": "not_allowed",
        "(x := 3)": "not_allowed",
        "min(*items)": "not_allowed",
        "'a' 'b'": "text_joined",
        "name.__class__": "private_name",
        "size; size": "not_allowed",
        "0x10": "bad_number",
        "1e5": "bad_number",
        "1j": "bad_number",
        "b'x'": "not_allowed",
        "'\\x41'": "bad_escape",
        "99999999999999999999": "number_too_large",
    }
    assert {text: codes(text)[0] for text in refused} == refused
    assert codes("(" * 51 + "1" + ")" * 51) == ["too_deep"]
    assert codes("1 + " * 1000 + "1") == ["too_long"]


def test_36_measures_and_old_values() -> None:
    env = environment(old=Record(id=1, size=1, stage="new"), changed=frozenset({"size"}))
    assert run("changed('size') and not changed('name') and old.size < size", Record(id=1, size=5), env=env) is True
    assert codes("old.size > 1") == ["no_old"]
    assert codes("sum(size) / count()", mode="measures") == []
    assert codes("size > 1", mode="measures") == ["field_outside_aggregate"]
    assert codes("max(size)", mode="measures") == []
