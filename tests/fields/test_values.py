"""Every field type against good and bad values of every channel."""

from __future__ import annotations

import datetime as clock
import time
from decimal import Decimal
from typing import Any

import pytest

from metadata.fields import Rejection
from tests.fields.kit import coerced

HUGE = "9" * 5000
UTC = clock.UTC

GOOD: list[tuple[str, Any, Any]] = [
    ("text", " 张三　", "张三"),
    ("text", "e\u0301", "é"),
    ("text", "第一行\r\n第二行", "第一行 第二行"),
    ("text", "\ufeff名称", "名称"),
    ("text", "", None),
    ("text", " \u3000 ", None),
    ("text", None, None),
    ("text", 2026.0, "2026"),
    ("text", clock.date(2026, 3, 16), "2026-03-16"),
    ("text", "<script>alert(1)</script>", "<script>alert(1)</script>"),
    ("long_text", "一\r\n二\r三\n", "一\n二\n三"),
    ("integer", "1,234", 1234),
    ("integer", "１２３", 123),
    ("integer", 5.0, 5),
    ("integer", Decimal("7.00"), 7),
    ("integer", "1.5万", 15000),
    ("integer", 2**53 - 1, 2**53 - 1),
    ("integer", "-9007199254740991", -(2**53) + 1),
    ("integer", "(12)", -12),
    ("integer", "", None),
    ("decimal", "1,234.50", Decimal("1234.5")),
    ("decimal", "１，２３４．５", Decimal("1234.5")),
    ("decimal", 0.1, Decimal("0.1")),
    ("decimal", 0.1 + 0.2, Decimal("0.3")),
    ("decimal", "0.00005", Decimal("0.0001")),
    ("decimal", "-0.00005", Decimal("-0.0001")),
    ("decimal", "1.23E+5", Decimal("123000")),
    ("decimal", "−5", Decimal("-5")),
    ("decimal", "-0", Decimal("0")),
    ("percent", "12.5%", Decimal("12.5")),
    ("percent", "１２％", Decimal("12")),
    ("percent", 12.5, Decimal("12.5")),
    ("money", "¥1,234.50", Decimal("1234.50")),
    ("money", "￥１,２３４", Decimal("1234")),
    ("money", "1.5万元", Decimal("15000")),
    ("money", "CNY 5", Decimal("5")),
    ("money", "rmb 5", Decimal("5")),
    ("money", "-¥5", Decimal("-5")),
    ("money", {"amount": "1.005", "currency": "CNY"}, Decimal("1.01")),
    ("money", {"amount": 3}, Decimal("3")),
    ("money", {"amount": None, "currency": "USD"}, None),
    ("money", "", None),
    ("boolean", "是", True),
    ("boolean", "否", False),
    ("boolean", "TRUE", True),
    ("boolean", "on", True),
    ("boolean", 0, False),
    ("boolean", 1.0, True),
    ("boolean", "ＮＯ", False),
    ("boolean", "", None),
    ("date", "2026-03-16", clock.date(2026, 3, 16)),
    ("date", "2026年3月16日", clock.date(2026, 3, 16)),
    ("date", "２０２６年３月１６日", clock.date(2026, 3, 16)),
    ("date", "2026/3/16", clock.date(2026, 3, 16)),
    ("date", "2026.3.16", clock.date(2026, 3, 16)),
    ("date", "20260316", clock.date(2026, 3, 16)),
    ("date", "2026-03-16 00:00:00", clock.date(2026, 3, 16)),
    ("date", "16 Mar 2026", clock.date(2026, 3, 16)),
    ("date", "March 16, 2026", clock.date(2026, 3, 16)),
    ("date", clock.datetime(2026, 3, 16), clock.date(2026, 3, 16)),
    ("date", "2024-02-29", clock.date(2024, 2, 29)),
    ("datetime", "2026-03-16 14:30", clock.datetime(2026, 3, 16, 6, 30, tzinfo=UTC)),
    ("datetime", "2026-03-16T14:30:00Z", clock.datetime(2026, 3, 16, 14, 30, tzinfo=UTC)),
    ("datetime", "2026年3月16日 下午2:30", clock.datetime(2026, 3, 16, 6, 30, tzinfo=UTC)),
    ("datetime", "2026年3月16日14:30", clock.datetime(2026, 3, 16, 6, 30, tzinfo=UTC)),
    ("datetime", "2026/3/16 9:05:01", clock.datetime(2026, 3, 16, 1, 5, 1, tzinfo=UTC)),
    ("datetime", "2026-03-16T14:30:00.1239+08:00", clock.datetime(2026, 3, 16, 6, 30, 0, 123000, tzinfo=UTC)),
    ("datetime", clock.datetime(2026, 3, 16, 8), clock.datetime(2026, 3, 16, tzinfo=UTC)),
    ("time", "14:30", clock.time(14, 30)),
    ("time", "下午2:30", clock.time(14, 30)),
    ("time", "12:00 AM", clock.time(0)),
    ("select", "company", "company"),
    ("select", "企业", "company"),
    ("select", "COMPANY", "company"),
    ("select", "firm", "company"),
    ("select", " 个人 ", "person"),
    ("select", "", None),
    ("multi_select", ["company", "person", "company"], ("company", "person")),
    ("multi_select", "企业；个人", ("company", "person")),
    ("multi_select", "政府、事业单位", ("public",)),
    ("multi_select", "", ()),
    ("multi_select", None, ()),
    ("link", 1, 1),
    ("link", "1", 1),
    ("link", {"id": "1"}, 1),
    ("link", "深圳零件制造有限公司", 1),
    ("link", "#3", 3),
    ("link", "", None),
    ("links", ["1", 2, 1], (1, 2)),
    ("links", "1,2", (1, 2)),
    ("links", None, ()),
    ("user", "7", 7),
    ("file", "7", 7),
    ("lines", [{"quantity": 1}], [{"quantity": 1}]),
    ("lines", '[{"quantity": 1.10}]', [{"quantity": "1.10"}]),
    ("lines", "", []),
    ("email", " Anna.B@Example.COM ", "Anna.B@example.com"),
    ("email", "mailto:a@b.cn", "a@b.cn"),
    ("phone", "+86 139-1234-5678", "13912345678"),
    ("phone", "139 1234 5678", "13912345678"),
    ("phone", "8613912345678", "13912345678"),
    ("phone", "１３９１２３４５６７８", "13912345678"),
    ("phone", 13912345678, "13912345678"),
    ("phone", 13912345678.0, "13912345678"),
    ("phone", "0755-12345678", "0755-12345678"),
    ("phone", "(0755) 12345678 转 801", "0755-12345678-801"),
    ("phone", "010 6552 9988", "010-65529988"),
    ("phone", "400-123-4567", "4001234567"),
    ("phone", "95588", "95588"),
    ("phone", "+852 9123 4567", "+85291234567"),
    ("phone", "001 650-253-0000", "+16502530000"),
    ("url", "www.example.com", "https://www.example.com"),
    ("url", "http://例子.中国/路径?a=1", "http://例子.中国/路径?a=1"),
    ("rating", "★★★☆☆", 3),
    ("currency", "usd", "USD"),
    ("currency", "人民币", "CNY"),
    ("json", '{"a": [1, "二"]}', {"a": [1, "二"]}),
    ("secret", "s3cret ", "s3cret"),
]

BAD: list[tuple[str, Any, str]] = [
    ("text", ["a"], "not_text"),
    ("text", {"a": 1}, "not_text"),
    ("text", True, "not_text"),
    ("text", "x" * 256, "too_long"),
    ("text", float("nan"), "not_text"),
    ("integer", "12a", "not_a_number"),
    ("integer", True, "wrong_type"),
    ("integer", [], "wrong_type"),
    ("integer", 5.5, "not_an_integer"),
    ("integer", 2**53, "too_large"),
    ("integer", -(2**53), "too_small"),
    ("integer", HUGE, "not_a_number"),
    ("integer", 10**5000, "too_large"),
    ("integer", "1e400", "too_large"),
    ("integer", "1e-400", "not_an_integer"),
    ("integer", "1,23", "not_a_number"),
    ("integer", float("inf"), "not_a_number"),
    ("decimal", float("nan"), "not_a_number"),
    ("decimal", "NaN", "not_a_number"),
    ("decimal", "Infinity", "not_a_number"),
    ("decimal", 1e18, "too_large"),
    ("decimal", "-1e300", "too_small"),
    ("decimal", "0.00001", "too_precise"),
    ("decimal", HUGE, "not_a_number"),
    ("decimal", "--5", "not_a_number"),
    ("decimal", "1.2.3", "not_a_number"),
    ("percent", "十%", "not_a_number"),
    ("money", "5 USD", "other_currency"),
    ("money", "$5", "other_currency"),
    ("money", {"amount": 5, "currency": "USD"}, "other_currency"),
    ("money", {"amount": 5, "fx": 2}, "wrong_type"),
    ("money", {"amount": {"amount": 5}}, "wrong_type"),
    ("money", [5], "wrong_type"),
    ("money", True, "wrong_type"),
    ("money", "五元", "not_a_number"),
    ("money", 1e18, "too_large"),
    ("boolean", "maybe", "not_a_boolean"),
    ("boolean", 2, "not_a_boolean"),
    ("boolean", [], "not_a_boolean"),
    ("date", "2026-02-30", "no_such_date"),
    ("date", "2025年2月29日", "no_such_date"),
    ("date", "3/4/2026", "not_a_date"),
    ("date", "26-3-16", "not_a_date"),
    ("date", "昨天", "not_a_date"),
    ("date", 46000, "not_a_date"),
    ("date", "9999-12-31", "too_late"),
    ("date", "0001-01-01", "too_early"),
    ("date", clock.datetime(2026, 3, 16, 1), "not_a_date"),
    ("date", "1" * 5000, "not_a_date"),
    ("datetime", "2026-03-16 25:00", "not_a_datetime"),
    ("datetime", "2026-02-30 10:00", "no_such_date"),
    ("datetime", "soon", "not_a_datetime"),
    ("datetime", 1773640000, "not_a_datetime"),
    ("datetime", "9999-12-31T23:59:59Z", "too_late"),
    ("time", "25:00", "not_a_time"),
    ("time", 14, "not_a_time"),
    ("select", "公司", "unknown_choice"),
    ("select", "companny", "unknown_choice_hint"),
    ("select", ["company"], "wrong_type"),
    ("select", True, "wrong_type"),
    ("multi_select", ["company", "x"], "unknown_choice"),
    ("multi_select", {"company": 1}, "not_a_list"),
    ("multi_select", ["company"] * 1001, "too_many"),
    ("link", "没有的公司", "unknown_record"),
    ("link", "王芳", "ambiguous_record"),
    ("link", True, "not_an_id"),
    ("link", 0, "not_an_id"),
    ("link", -1, "not_an_id"),
    ("link", 2**63, "not_an_id"),
    ("link", 10**5000, "not_an_id"),
    ("link", 1.5, "not_an_id"),
    ("link", [1], "not_an_id"),
    ("link", {"name": "x"}, "not_an_id"),
    ("links", 5, "not_a_list"),
    ("links", [1, "没有"], "unknown_record"),
    ("lines", [1], "not_a_line"),
    ("lines", {"a": 1}, "not_a_list"),
    ("lines", "[{", "not_json"),
    ("lines", "[" * 100_000, "not_json"),
    ("lines", [{}] * 2001, "too_many"),
    ("related", [1], "computed"),
    ("lookup", "x", "computed"),
    ("email", "a@b", "not_an_email"),
    ("email", "a b@c.cn", "not_an_email"),
    ("email", "a@b.cn\nBcc: x@y.cn", "not_an_email"),
    ("email", "a" * 65 + "@b.cn", "not_an_email"),
    ("email", 5, "not_text"),
    ("phone", "1391234", "not_a_phone"),
    ("phone", "12345678901234567890", "not_a_phone"),
    ("phone", "打我电话", "not_a_phone"),
    ("url", "javascript:alert(1)", "not_a_url"),
    ("url", "JaVaScRiPt:alert(1)", "not_a_url"),
    ("url", "data:text/html,x", "not_a_url"),
    ("url", "http://user:pw@evil.cn", "not_a_url"),
    ("url", 'http://a.cn/"onmouseover=x', "not_a_url"),
    ("url", "http://", "not_a_url"),
    ("url", "https://a.cn:99999", "not_a_url"),
    ("rating", 6, "too_large"),
    ("rating", 0, "too_small"),
    ("currency", "EURO", "not_a_currency"),
    ("json", "{", "not_json"),
    ("json", "[" * 100_000, "not_json"),
    ("secret", "••••••", "wrong_type"),
]


def readable(value: object) -> str:
    return ascii(value)[:30] if not isinstance(value, int) or abs(value) < 2**70 else "huge"


@pytest.mark.parametrize(("name", "raw", "expected"), GOOD, ids=lambda v: readable(v))
def test_value_is_read(name: str, raw: Any, expected: Any) -> None:
    assert coerced(name, raw) == expected


@pytest.mark.attack("N102")
@pytest.mark.parametrize(("name", "raw", "code"), BAD, ids=lambda v: readable(v))
def test_value_is_refused(name: str, raw: Any, code: str) -> None:
    with pytest.raises(Rejection) as caught:
        coerced(name, raw)
    assert caught.value.code == f"value.{code}"


@pytest.mark.attack("N94")
@pytest.mark.parametrize("name", ["text", "long_text", "email", "phone", "url", "secret", "select", "link", "json"])
@pytest.mark.parametrize("raw", ["a\x00b", "\ud800", "a\x1bb", "\x7f", "a\x9fb", "\uffff"])
def test_control_characters_and_surrogates_are_refused(name: str, raw: str) -> None:
    with pytest.raises(Rejection):
        coerced(name, raw)


@pytest.mark.attack("N94")
def test_a_number_of_thousands_of_digits_is_refused_fast() -> None:
    started = time.perf_counter()
    for name in ("integer", "decimal", "percent", "money", "link", "date", "rating"):
        for raw in (HUGE, "-" + HUGE, 10**5000, "1" + "0" * 200_000):
            with pytest.raises(Rejection):
                coerced(name, raw)
    assert time.perf_counter() - started < 0.5


def test_text_in_the_api_is_text() -> None:
    with pytest.raises(Rejection):
        coerced("text", 5, channel="api")


def test_bounds_declared_for_a_field_hold() -> None:
    for name, raw, bounds, code in [
        ("integer", -1, {"min": 0}, "too_small"),
        ("integer", 101, {"max": 100}, "too_large"),
        ("decimal", "-0.01", {"min": 0}, "too_small"),
        ("percent", "101%", {"max": 100}, "too_large"),
        ("money", "-5", {"min": 0}, "too_small"),
        ("date", "2025-12-31", {"min": "2026-01-01"}, "too_early"),
        ("date", "2026-12-31", {"max": clock.date(2026, 6, 30)}, "too_late"),
        ("text", "abcdef", {"max": 5}, "too_long"),
        ("text", "a", {"min": 2}, "too_short"),
        ("text", "x1", {"pattern": "[0-9]+"}, "pattern"),
        ("long_text", "abcdef", {"max": 5}, "too_long"),
    ]:
        with pytest.raises(Rejection) as caught:
            coerced(name, raw, **bounds)
        assert caught.value.code == f"value.{code}"


def test_decimals_round_half_up_to_the_scale_of_the_field() -> None:
    assert coerced("decimal", "2.345", scale=2) == Decimal("2.35")
    assert coerced("decimal", "-2.345", scale=2) == Decimal("-2.35")
    assert coerced("decimal", "99.994", scale=2, digits=4) == Decimal("99.99")
    with pytest.raises(Rejection):
        coerced("decimal", "99.995", scale=2, digits=4)


def test_money_rounds_to_the_scale_of_its_currency() -> None:
    assert coerced("money", "12.5", currency="JPY") == Decimal("13")
    assert coerced("money", "12.3456", currency="BHD") == Decimal("12.346")
    assert coerced("money", "US$1,000.555", currency="USD") == Decimal("1000.56")


def test_a_pattern_that_could_blow_up_is_linear() -> None:
    started = time.perf_counter()
    with pytest.raises(Rejection):
        coerced("text", "a" * 255, pattern="(a+)+b")
    assert time.perf_counter() - started < 0.1


def test_in_an_import_digits_are_a_title_and_never_an_id() -> None:
    assert coerced("link", "10086", channel="import") == 4
    assert coerced("link", 10086.0, channel="import") == 4
    assert coerced("link", "#1", channel="import") == 1
    with pytest.raises(Rejection):
        coerced("link", "1", channel="import")
