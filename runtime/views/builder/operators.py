"""The operators people choose from, by the kind of field: one template each, for writing and for reading back.

In a template `{x}` is the path of the field, `{d}` its business date, `{t}` today (for a moment: now), `{a}` and `{b}`
the values. A template is spelled as `ast.unparse` spells it, so that reading is matching.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Literal

from runtime.views.filters import PERIODS

Input = Literal["none", "text", "number", "days", "date", "choice", "choices", "records", "unit", "period"]
MOST_VALUES = 50
LONGEST_TEXT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """`takes` says what its values are, `count` how many: 0, 1, 2. `also` are other spellings that are understood."""

    name: str
    template: str
    takes: Input = "none"
    count: int = 0
    also: tuple[tuple[str, Input], ...] = ()


def _one(name: str, template: str, takes: Input, *also: tuple[str, Input]) -> Operator:
    return Operator(name=name, template=template, takes=takes, count=1, also=also)


_EMPTY = (Operator(name="empty", template="{x} is None"), Operator(name="filled", template="{x} is not None"))
_ORDER = (("eq", "=="), ("ne", "!="), ("ge", ">="), ("gt", ">"), ("le", "<="), ("lt", "<"))
COMPARISONS = tuple(_one(name, f"{{x}} {sign} {{a}}", "number") for name, sign in _ORDER)
_NUMBER = (*COMPARISONS, Operator(name="between", template="{a} <= {x} <= {b}", takes="number", count=2), *_EMPTY)
_TEXT = (
    _one("contains", "contains({x}, {a})", "text"),
    _one("not_contains", "not contains({x}, {a})", "text"),
    _one("is", "{x} == {a}", "text"),
    _one("is_not", "{x} != {a}", "text"),
    _one("starts", "starts_with({x}, {a})", "text"),
    _one("ends", "ends_with({x}, {a})", "text"),
    *_EMPTY,
)
_SELECT = (
    _one("in", "{x} in {a}", "choices", ("{x} == {a}", "choice")),
    _one("not_in", "{x} not in {a}", "choices", ("{x} != {a}", "choice")),
    *_EMPTY,
)
_DATE = (
    Operator(name="period", template="{a} <= {d} <= {b}", takes="period", count=1),
    _one("last", "{t} - days({a}) <= {x} <= {t}", "days"),
    _one("next", "{t} <= {x} <= {t} + days({a})", "days"),
    _one("since", "{x} >= {t} - days({a})", "days"),
    _one("older", "{x} < {t} - days({a})", "days"),
    _one("within", "{x} <= {t} + days({a})", "days"),
    _one("on", "{d} == {a}", "date"),
    _one("before", "{d} < {a}", "date"),
    _one("after", "{d} > {a}", "date"),
    Operator(name="between", template="{a} <= {d} <= {b}", takes="date", count=2),
    Operator(name="past", template="{x} < {t}"),
    Operator(name="future", template="{x} > {t}"),
    *_EMPTY,
)
_RECORD = (
    _one("is", "{x}.id in {a}", "records", ("{x}.id == {a}", "number")),
    _one("is_not", "{x}.id not in {a}", "records", ("{x}.id != {a}", "number")),
    *_EMPTY,
)
_PERSON = (
    Operator(name="me", template="{x} == user"),
    Operator(name="not_me", template="{x} != user"),
    Operator(name="reports", template="{x}.manager == user"),
    Operator(name="my_team", template="user.teams.any(members.any(id == this.this.{x}.id))"),
    Operator(name="my_unit", template="in_unit({x}.unit)"),
    _one("in_unit", "in_unit({x}.unit, {a})", "unit"),
    *_RECORD,
)
_UNIT = (
    Operator(name="my_unit", template="in_unit({x})"),
    _one("in_unit", "in_unit({x}, {a})", "unit"),
    *_RECORD,
)
_MANY = (_one("has", "{a} in {x}", "choice"), _one("has_not", "{a} not in {x}", "choice"))
_BOOLEAN = (Operator(name="yes", template="{x}"), Operator(name="no", template="not {x}"), *_EMPTY)
_NESTING = frozenset({"my_team"})
_BY_KIND: Mapping[str, tuple[Operator, ...]] = {
    "text": _TEXT,
    "integer": _NUMBER,
    "decimal": _NUMBER,
    "money": _NUMBER,
    "percent": _NUMBER,
    "boolean": _BOOLEAN,
    "select": _SELECT,
    "multi_select": _MANY,
    "date": _DATE,
    "datetime": _DATE,
    "record": _RECORD,
    "user": _PERSON,
    "unit": _UNIT,
}


def operators_of(kind: str, *, inside: bool = False) -> tuple[Operator, ...]:
    """The operators of a kind: that of the field's type, for links to people and units `user` and `unit`.

    `inside` a collection those are left out that look into collections themselves: they would nest too deep.
    """
    found = _BY_KIND.get(kind, _EMPTY)
    return tuple(o for o in found if o.name not in _NESTING) if inside else found


def operator_of(kind: str, name: str) -> Operator | None:
    return next((o for o in operators_of(kind) if o.name == name), None)


# --- writing -------------------------------------------------------------------------------------------------------


def written(operator: Operator, path: str, kind: str, values: tuple[str, ...]) -> str | None:
    """The expression, None while a value is missing or is none."""
    given = [_literal(operator.takes, value) for value in values if value.strip()]
    if operator.takes == "period":
        given = list(PERIODS.get(values[0] if values else "", ()))
    elif operator.takes in ("choices", "records"):
        known = [g for g in given if g is not None][:MOST_VALUES]
        if len(known) == 1:
            return operator.also[0][0].format(x=path, a=known[0])
        given = [f"({', '.join(known)})"] if known else []
    elif len(given) != operator.count:
        return None
    if None in given or len(given) < min(operator.count, 1):
        return None
    return operator.template.format(x=path, **_moments(path, kind), **dict(zip("ab", given)))


def _moments(path: str, kind: str) -> dict[str, str]:
    moment = kind == "datetime"
    return {"d": f"date({path})" if moment else path, "t": "now()" if moment else "today()"}


def _literal(takes: Input, value: str) -> str | None:
    value = value.strip()
    if takes in ("text", "choice", "choices", "unit"):
        return repr(value[:LONGEST_TEXT])
    if takes == "number":
        return number_text(value)
    if takes == "records":
        return str(int(value)) if value.isascii() and value.isdigit() and len(value) < 16 else None
    if takes == "days":
        return str(int(value)) if value.isascii() and value.isdigit() and len(value) < 6 else None
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return None
    return f"date({day.year}, {day.month}, {day.day})"


def number_text(value: str) -> str | None:
    """The number as an expression spells it; None where the text is no number."""
    try:
        number = Decimal(value.replace(",", "").strip())
    except InvalidOperation:
        return None
    return f"{number:f}" if number.is_finite() and abs(number) < 10**15 else None


# --- reading -------------------------------------------------------------------------------------------------------

_STRING = r"(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
_PERIOD_TEXTS = {pair: name for name, pair in PERIODS.items()}
_PATTERNS: Mapping[str, str] = {
    "text": _STRING,
    "choice": _STRING,
    "unit": _STRING,
    "choices": rf"\((?:{_STRING}, )*{_STRING},?\)",
    "records": r"\((?:\d+, )*\d+,?\)",
    "number": r"-?\d+(?:\.\d+)?",
    "days": r"\d+",
    "date": r"date\(\d+, \d+, \d+\)",
    "period": r"\w.*?\)",
}


def matched(kind: str, path: str, text: str) -> tuple[str, tuple[str, ...]] | None:
    """The operator and the values that `text` (as `ast.unparse` spells it) says of the field; None where none does."""
    for operator in operators_of(kind):
        for template, takes in ((operator.template, operator.takes), *operator.also):
            found = re.fullmatch(_pattern(template, takes, path, kind), text)
            values = None if found is None else _values(takes, [g for g in found.groups() if g is not None])
            if values is not None:
                return operator.name, values
    return None


@cache
def _pattern(template: str, takes: Input, path: str, kind: str) -> str:
    filled = template.format(x=path, **_moments(path, kind), a="\0a", b="\0b")
    value = f"({_PATTERNS.get(takes, '')})"
    return re.escape(filled).replace(re.escape("\0a"), value).replace(re.escape("\0b"), value)


def _values(takes: Input, found: list[str]) -> tuple[str, ...] | None:
    if takes == "period":
        name = _PERIOD_TEXTS.get((found[0], found[1]))
        return None if name is None else (name,)
    if takes in ("text", "choice", "unit"):
        return tuple(str(ast.literal_eval(text)) for text in found)
    if takes in ("choices", "records"):
        return tuple(str(v) for v in ast.literal_eval(found[0]))
    if takes == "date":
        try:
            return tuple(date(*map(int, re.findall(r"\d+", text))).isoformat() for text in found)
        except ValueError:
            return None
    return tuple(found)
