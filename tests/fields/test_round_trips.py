"""What leaves through a form, the API or a spreadsheet is read back as the same value."""

from __future__ import annotations

import datetime as clock
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fields.kit import KINDS, context, field

names = st.sampled_from([c.name for c in KINDS.choices])
words = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=30)
moments = st.datetimes(clock.datetime(1992, 1, 1), clock.datetime(2900, 1, 1), timezones=st.just(clock.UTC)).map(
    lambda m: m.replace(microsecond=m.microsecond // 1000 * 1000)
)
VALUES: dict[str, st.SearchStrategy] = {
    "text": words,
    "long_text": st.lists(words, min_size=1, max_size=4).map("\n".join),
    "integer": st.integers(-(2**53) + 1, 2**53 - 1),
    "decimal": st.decimals(-(10**13), 10**13, places=4),
    "percent": st.decimals(-1000, 1000, places=4),
    "money": st.decimals(-(10**13), 10**13, places=2),
    "boolean": st.booleans(),
    "date": st.dates(clock.date(1000, 1, 1), clock.date(2999, 12, 31)),
    "datetime": moments,
    "time": st.times().map(lambda t: t.replace(microsecond=0)),
    "select": names,
    "multi_select": st.lists(names, unique=True).map(tuple),
    "link": st.integers(1, 2**53 - 1),
    "user": st.integers(1, 2**53 - 1),
    "file": st.integers(1, 2**53 - 1),
    "image": st.integers(1, 2**53 - 1),
    "links": st.lists(st.integers(1, 2**53 - 1), unique=True, max_size=5).map(tuple),
    "rating": st.integers(1, 5),
    "currency": st.sampled_from(["CNY", "USD", "JPY"]),
    "phone": st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True).filter(str.isascii),
    "email": st.from_regex(r"[a-z]{1,8}(\.[a-z0-9]{1,8})?@[a-z]{1,8}\.(com|cn)", fullmatch=True),
    "url": st.from_regex(r"https?://[a-z]{1,9}\.cn/[a-z0-9]{0,9}", fullmatch=True),
    "json": st.recursive(
        st.booleans() | st.integers(-(10**9), 10**9) | words,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
        max_leaves=5,
    ).filter(lambda value: not isinstance(value, str)),
    "lines": st.lists(st.dictionaries(st.sampled_from(["a", "b"]), st.integers(0, 9))),
}


@pytest.mark.parametrize("name", VALUES)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_value_survives_form_and_api(name: str, data: st.DataObject) -> None:
    kind, made = field(name)
    value = kind.coerce(data.draw(VALUES[name]), made, context())
    assert kind.coerce(kind.to_input(value, made, context()), made, context()) == value
    api = context(channel="api")
    assert kind.coerce(kind.to_json(value, made, api), made, api) == value


@pytest.mark.parametrize("name", sorted(set(VALUES) - {"lines"}))
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_value_survives_a_spreadsheet(name: str, data: st.DataObject) -> None:
    kind, made = field(name)
    untitled = context(channel="import", title=None)
    value = kind.coerce(data.draw(VALUES[name]), made, context())
    cell = kind.to_cell(value, made, untitled)
    assert kind.coerce(cell, made, untitled) == value
    assert kind.coerce("" if cell is None else str(cell), made, untitled) == value


@pytest.mark.parametrize(
    "name", ["integer", "decimal", "percent", "money", "boolean", "date", "time", "select", "rating"]
)
@pytest.mark.parametrize("language", ["zh", "en"])
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_what_is_shown_can_be_pasted(name: str, language: str, data: st.DataObject) -> None:
    kind, made = field(name)
    there = context(language=language)
    value = kind.coerce(data.draw(VALUES[name]), made, there)
    assert kind.coerce(kind.to_text(value, made, there), made, there) == value


def test_shown_in_chinese_and_english() -> None:
    moment = clock.datetime(2026, 3, 16, 6, 30, tzinfo=clock.UTC)
    for name, value, zh, en in [
        ("date", clock.date(2026, 3, 16), "2026年3月16日", "16 Mar 2026"),
        ("datetime", moment, "2026年3月16日 14:30", "16 Mar 2026 14:30"),
        ("money", Decimal("-1234.5"), "-¥1,234.50", "-CN¥1,234.50"),
        ("percent", Decimal("12.5000"), "12.5%", "12.5%"),
        ("boolean", True, "是", "Yes"),
        ("integer", 1234567, "1,234,567", "1,234,567"),
        ("phone", "13912345678", "139 1234 5678", "139 1234 5678"),
    ]:
        kind, made = field(name)
        assert kind.to_text(value, made, context()) == zh
        assert kind.to_text(value, made, context(language="en")) == en


def test_long_numbers_leave_as_text_so_that_no_spreadsheet_rounds_them() -> None:
    for name, value in [("integer", 9007199254740991), ("decimal", Decimal("12345678901234.5678"))]:
        kind, made = field(name)
        assert kind.to_cell(value, made, context()) == str(value)


def test_a_secret_never_leaves() -> None:
    kind, made = field("secret")
    leaving = [f("hush", made, context()) for f in (kind.to_json, kind.to_text, kind.to_cell, kind.to_input)]
    assert "hush" not in str(leaving)
