"""Reading JSON from outside, strictly: no NaN, no infinities, no duplicate keys, bounded depth, exact numbers."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import Any

from runtime.errors import BadQuery

MOST_DEPTH = 50
LONGEST_INTEGER = 30  # digits; a longer one becomes a Decimal, which the field then refuses by its own bounds
GREATEST_EXPONENT = 300


class _Twice(ValueError):  # noqa: N818 - what is wrong, not an error of the program
    """A key stands twice in one object."""


def read_json(body: bytes) -> Any:
    """The value in `body` (UTF-8). Numbers with a point or exponent come as Decimal. Raises `BadQuery`."""
    try:
        text = body.decode("utf-8-sig" if body.startswith(b"\xef\xbb\xbf") else "utf-8")
    except UnicodeDecodeError as error:
        raise BadQuery("json.not_utf8", position=error.start) from None
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise BadQuery("json.syntax", line=error.lineno, column=error.colno) from None
    except RecursionError:
        raise BadQuery("json.too_deep", max=MOST_DEPTH) from None
    except _Twice as error:
        raise BadQuery("json.duplicate_key", key=printable(str(error))) from None
    except ValueError:
        raise BadQuery("json.number") from None
    if _deeper(value, MOST_DEPTH):
        raise BadQuery("json.too_deep", max=MOST_DEPTH)
    return value


def printable(text: str, most: int = 80) -> str:
    """Text as it may stand in an answer: short, and without what UTF-8 or a log cannot carry."""
    shown = "".join(c if c.isprintable() else "�" for c in text[: most + 1])
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        raise _Twice(next(key for key, _ in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value]
    return result


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) <= LONGEST_INTEGER else _decimal(text)


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(text[:40]) from error
    if number and abs(number.adjusted()) > GREATEST_EXPONENT and not text.lstrip("-").isdigit():
        raise ValueError(text[:40])
    return number


def _constant(name: str) -> Any:
    raise ValueError(name)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_decimal, parse_constant=_constant
)


def _deeper(value: Any, room: int) -> bool:
    """Whether containers lie more than `room` deep."""
    if isinstance(value, dict):
        inner = value.values()
    elif isinstance(value, list):
        inner = value  # type: ignore[assignment]
    else:
        return False
    return room <= 0 or any(_deeper(item, room - 1) for item in inner if isinstance(item, dict | list))
