"""len, lower, upper, trim, contains, starts_with, ends_with, concat, text."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from rules import folding
from rules.numbers import CONTEXT, Exact
from rules.registry import Number, Text, kinds, rule_function
from rules.typing import BOOLEAN, INTEGER, TEXT

if TYPE_CHECKING:
    from rules.evaluate import Environment


@rule_function(
    "len",
    args=[Text],
    returns=INTEGER,
    sql=lambda q, x: q.length(x),
    layer="core",
    help={"zh": "字符数", "en": "How many characters"},
)
def length(text: str) -> int:
    return len(text)


@rule_function(
    "lower",
    args=[Text],
    returns=TEXT,
    sql=lambda q, x: q.lower(x),
    layer="core",
    help={"zh": "小写", "en": "In lower case"},
)
def lower(text: str) -> str:
    return folding.lower(text)


@rule_function(
    "upper",
    args=[Text],
    returns=TEXT,
    sql=lambda q, x: q.upper(x),
    layer="core",
    help={"zh": "大写", "en": "In upper case"},
)
def upper(text: str) -> str:
    return folding.upper(text)


@rule_function(
    "trim",
    args=[Text],
    returns=TEXT,
    sql=lambda q, x: q.trim(x),
    layer="core",
    help={"zh": "去掉两端空白（含全角空格）", "en": "Without white space at both ends"},
)
def trim(text: str) -> str:
    return text.strip(folding.WHITE)


@rule_function(
    "contains",
    args=[Text, Text],
    returns=BOOLEAN,
    sql=lambda q, x, y: q.contains(x, y),
    layer="core",
    help={
        "zh": "是否含有；不分大小写、全角半角",
        "en": "Whether the second text occurs in the first; case and width of letters do not matter",
    },
)
def contains(text: str, part: str) -> bool:
    return folding.fold(part) in folding.fold(text)


@rule_function(
    "starts_with",
    args=[Text, Text],
    returns=BOOLEAN,
    sql=lambda q, x, y: q.starts_with(x, y),
    layer="core",
    help={"zh": "是否以它开头", "en": "Whether the first text begins with the second"},
)
def starts_with(text: str, part: str) -> bool:
    return folding.fold(text).startswith(folding.fold(part))


@rule_function(
    "ends_with",
    args=[Text, Text],
    returns=BOOLEAN,
    sql=lambda q, x, y: q.ends_with(x, y),
    layer="core",
    help={"zh": "是否以它结尾", "en": "Whether the first text ends with the second"},
)
def ends_with(text: str, part: str) -> bool:
    return folding.fold(text).endswith(folding.fold(part))


@rule_function(
    "concat",
    args=[kinds("text", "select", repeat=True)],
    returns=TEXT,
    sql=lambda q, *parts: q.concat(*parts),
    layer="core",
    help={
        "zh": "连接文本（同 a + b），最长 100000 字符",
        "en": "The texts one after another, as a + b; at most 100,000 characters",
    },
)
def concat(*parts: str) -> str:
    whole = parts[0]
    for part in parts[1:]:
        whole = (whole + part)[: folding.MAX_TEXT]
    return whole


_TEXT_HELP = {"zh": "写成文本", "en": "The value as text"}


@rule_function("text", args=[Text], returns=TEXT, sql=lambda q, x: q.as_text(x), layer="core", help=_TEXT_HELP)
def text_itself(value: str) -> str:
    return value


@rule_function("text", args=[Number], returns=TEXT, sql=lambda q, x: q.number_text(x), layer="core")
def number_text(value: Exact) -> str:
    """Without zeros at the end: 1.50 is 1.5."""
    if isinstance(value, int):
        return str(value)
    plain = f"{value.normalize(CONTEXT):f}"
    return "0" if value == Decimal(0) else plain


@rule_function("text", args=[kinds("date")], returns=TEXT, sql=lambda q, x: q.date_text(x), layer="core")
def date_text(value: date) -> str:
    return value.isoformat()


@rule_function(
    "text",
    args=[kinds("datetime")],
    returns=TEXT,
    sql=lambda q, x: q.datetime_text(x),
    environment=True,
    layer="core",
)
def datetime_text(environment: Environment, value: datetime) -> str:
    """In the site's zone, to the minute."""
    local = value.astimezone(environment.zone)
    return f"{local.date().isoformat()} {local.hour:02d}:{local.minute:02d}"
