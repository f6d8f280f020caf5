"""Keyset pages: where the last row stood, as an opaque text, and the condition for what comes after it."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

import sqlalchemy as sa

from runtime.errors import BadQuery

_LONGEST = 4000
_READ: dict[str, Callable[[str], Any]] = {
    "n": Decimal,
    "d": date.fromisoformat,
    "h": time.fromisoformat,
    "s": str,
}


def encode(values: Sequence[Any], record_id: int) -> str:
    """The place of a row: its sort values and its id."""
    text = json.dumps([[_tag(v), _text(v)] for v in values] + [record_id], separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(text: str, count: int) -> tuple[list[Any], int]:
    """The sort values and the id. Raises `BadQuery` for anything `encode` does not make of `count` values."""
    try:
        if len(text) > _LONGEST:
            raise ValueError
        raw = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        *pairs, record_id = raw
        if len(pairs) != count or type(record_id) is not int or not 0 <= record_id < 2**63:
            raise ValueError
        return [_value(tag, value) for tag, value in pairs], record_id
    except (ValueError, TypeError, KeyError, InvalidOperation, binascii.Error, UnicodeDecodeError, RecursionError):
        raise BadQuery("bad_cursor") from None


def _tag(value: Any) -> str:
    for kind, tag in ((bool, "b"), (int, "i"), (Decimal, "n"), (datetime, "t"), (date, "d"), (time, "h"), (str, "s")):
        if isinstance(value, kind):
            return tag
    return "z"


def _text(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    return f"{value:f}" if isinstance(value, Decimal) else value.isoformat()


def _value(tag: str, value: Any) -> Any:
    if tag == "z":
        return None
    if tag in "bi":
        if not isinstance(value, bool | int) or abs(value) >= 2**63:
            raise ValueError
        return value
    if not isinstance(value, str):
        raise ValueError
    if tag == "t":
        return datetime.fromisoformat(value).astimezone(UTC)
    return _READ[tag](value)


def after(
    keys: Sequence[tuple[sa.ColumnElement[Any], bool, bool]],
    values: Sequence[Any],
    identity: sa.ColumnElement[int],
    record_id: int,
    descending: bool,
) -> sa.ColumnElement[bool]:
    """Rows behind the place. A key is (element, descending, may be nothing); nothing sorts lowest."""
    beyond = identity < record_id if descending else identity > record_id
    for (element, down, nullable), value in reversed(list(zip(keys, values))):
        bound = sa.literal(value, element.type)
        if value is None:
            same = element.is_(None)
            further = sa.false() if down else element.is_not(None)
        else:
            same = element == bound
            further = element < bound if down else element > bound
            if down and nullable:
                further = sa.or_(further, element.is_(None))
        beyond = sa.or_(further, sa.and_(same, beyond))
    if keys and values[0] is not None and not (keys[0][1] and keys[0][2]):
        element, down, _ = keys[0]
        bound = sa.literal(values[0], element.type)
        return sa.and_(element <= bound if down else element >= bound, beyond)  # lets an index begin here
    return beyond


def order(element: sa.ColumnElement[Any], descending: bool, dialect: str) -> sa.ColumnElement[Any]:
    """ORDER BY with nothing lowest. SQLite does so by itself, and only then uses an index."""
    ordered = element.desc() if descending else element.asc()
    if dialect == "sqlite":
        return ordered
    return ordered.nulls_last() if descending else ordered.nulls_first()
