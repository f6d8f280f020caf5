"""Reading what people and programs write: text and numbers in all the spellings they come in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import date, time
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from metadata.fields.base import Rejection

INTEGER_LIMIT = 2**53 - 1
LONGEST_NUMBER = 60  # characters; longer is no number a field could hold
_REMEMBERED = 1000  # texts
_EXACT = Context(prec=80, rounding=ROUND_HALF_UP)

# C0 and C1 controls without tab, line feed and carriage return, DEL, lone surrogates and the two non-characters that
# neither XML nor spreadsheets can carry.
_REFUSED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_LINE_SPACE = re.compile("[\t\n\r\x0b\x0c\x85\u2028\u2029]+")
_EDGE = "\ufeff\u200b"
_UNPLAIN = re.compile(r"[^ -~]")


def one_line(raw: str) -> str | None:
    """NFC, trimmed, on one line; None for nothing. Refuses control characters and lone surrogates."""
    if raw.isprintable():
        return _composed(raw).strip() or None
    return _LINE_SPACE.sub(" ", checked(raw)).strip() or None


def many_lines(raw: str) -> str | None:
    """NFC, trimmed, line ends as `\\n`; None for nothing. Refuses control characters other than tab and line end."""
    if raw.isprintable():
        return _composed(raw).strip() or None
    return checked(raw.replace("\r\n", "\n").replace("\r", "\n")) or None


def _composed(text: str) -> str:
    """In NFC; most text is, and seeing that costs little."""
    return text if text.isascii() or unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)


def line_reader(longest: int, read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """`one_line` and `many_lines` of plain text up to `longest` characters; all else goes to `read`."""

    def reader(raw: Any) -> Any:
        if type(raw) is str and raw.isprintable() and (raw.isascii() or unicodedata.is_normalized("NFC", raw)):
            text = raw.strip()
            if 0 < len(text) <= longest:
                return text
        return None if raw is None else read(raw)

    return reader


def lines_reader(longest: int, read: Callable[[Any], Any]) -> Callable[[Sequence[Any]], list[Any]]:
    """`line_reader` of many texts: what is plain of all of them is seen in one look; `read` takes the others."""

    def reader(raws: Sequence[Any]) -> list[Any]:
        try:
            whole = " ".join(raws)  # nothing composes across a space
        except TypeError:
            return [read(raw) for raw in raws]
        if whole.isprintable() and (whole.isascii() or unicodedata.is_normalized("NFC", whole)):
            texts = [raw.strip() for raw in raws]
            if all(texts) and len(max(texts, key=len)) <= longest:
                return texts
        return [read(raw) for raw in raws]

    return reader


def remembering(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """`read`, which answers a text as it did before: for fields whose texts are few."""
    known: dict[str, Any] = {}

    def reader(raw: Any) -> Any:
        if type(raw) is not str:
            return read(raw)
        if raw in known:
            return known[raw]
        value = read(raw)
        if len(known) < _REMEMBERED:
            known[raw] = value
        return value

    return reader


def checked(raw: str) -> str:
    if not raw.isprintable():
        found = _REFUSED.search(raw)
        if found:
            raise Rejection("value.bad_character", character=f"U+{ord(found.group()):04X}")
    text = unicodedata.normalize("NFC", raw)
    return text.strip().strip(_EDGE).strip()


def as_text(raw: Any) -> str:
    """Text of a scalar a person may have meant as text: a spreadsheet hands 13912345678.0 for a phone number."""
    if isinstance(raw, str):
        return raw
    if isinstance(raw, bool):
        raise Rejection("value.not_text")
    if isinstance(raw, date | time):
        return raw.isoformat()
    if isinstance(raw, float) and raw == raw and abs(raw) < 1e15:
        return str(int(raw)) if raw.is_integer() else repr(raw)
    if isinstance(raw, int) and raw.bit_length() < 200:
        return str(raw)
    if isinstance(raw, Decimal) and raw.is_finite() and -30 < raw.adjusted() < 30:
        return f"{raw:f}"
    raise Rejection("value.not_text")


def width_folded(text: str) -> str:
    """Full-width digits, letters, signs and spaces as their plain forms."""
    return unicodedata.normalize("NFKC", text) if _UNPLAIN.search(text) else text


_PLAIN_NUMBER = re.compile(r"-?[0-9]{1,25}(?:\.[0-9]{1,25})?")
_NUMBER = re.compile(r"([+-]?)((?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)?(?:\.[0-9]*)?)(?:[eE]([+-]?[0-9]{1,3}))?(万|亿)?")
_NEGATIVE = re.compile(r"\((.+)\)")
_UNITS = {"万": 4, "亿": 8}


def read_number(raw: Any) -> Decimal | None:
    """The exact number `raw` stands for, or None for nothing.

    Takes int, float (by its shortest decimal form), Decimal, and text: `1,234.50`, `1234`, full-width digits,
    `(1,234.50)` for a negative, `1.5万`. Refuses booleans, NaN and infinities, and anything longer than 60 characters.
    """
    if raw is None:
        return None
    if isinstance(raw, str):
        return _number_of_text(raw)
    if isinstance(raw, bool):
        raise Rejection("value.wrong_type")
    if isinstance(raw, int):
        if raw.bit_length() > 200:
            raise Rejection("value.too_large", max=f"{INTEGER_LIMIT:,}")
        return Decimal(raw)
    if isinstance(raw, float):
        raw = Decimal(repr(raw))
    if not isinstance(raw, Decimal):
        raise Rejection("value.wrong_type")
    if not raw.is_finite():
        raise Rejection("value.not_a_number", value=raw)
    return raw


def _number_of_text(raw: str) -> Decimal | None:
    if len(raw) > LONGEST_NUMBER:
        raise Rejection("value.not_a_number", value=raw)
    if _PLAIN_NUMBER.fullmatch(raw):
        return Decimal(raw)
    text = width_folded(checked(raw)).replace("−", "-").replace(" ", "")
    if not text:
        return None
    negative = _NEGATIVE.fullmatch(text)
    found = _NUMBER.fullmatch(negative.group(1) if negative else text)
    if not found or not any(c.isdigit() for c in found.group(2)) or (negative and found.group(1)):
        raise Rejection("value.not_a_number", value=raw)
    sign, digits, exponent, unit = found.groups()
    number = Decimal(sign + digits.replace(",", "")).scaleb(int(exponent or 0) + _UNITS.get(unit or "", 0), _EXACT)
    return -number if negative else number


def fitted(number: Decimal, scale: int, digits: int, least: Any, greatest: Any) -> Decimal:
    """`number` rounded half-up to `scale`, within `digits` digits in all and the declared bounds."""
    if number and not -40 < number.adjusted() < digits - scale:
        if number.adjusted() > 0:
            raise _beyond(number, largest(scale, digits))
        raise Rejection("value.too_precise", scale=scale)
    rounded = number.quantize(_step(scale), context=_EXACT)
    if not rounded:
        if number:
            raise Rejection("value.too_precise", scale=scale)
        rounded = abs(rounded)
    elif abs(rounded) > largest(scale, digits):
        raise _beyond(number, largest(scale, digits))
    if least is not None and rounded < least:
        raise Rejection("value.too_small", min=f"{least:,}")
    if greatest is not None and rounded > greatest:
        raise Rejection("value.too_large", max=f"{greatest:,}")
    return rounded


def number_reader(
    scale: int, digits: int, least: Any, greatest: Any, read: Callable[[Any], Any]
) -> Callable[[Any], Any]:
    """`fitted` of plain numbers that lie within the bounds; all else goes to `read`."""
    step, whole, limit = _step(scale), digits - scale, largest(scale, digits)
    lowest, highest = (
        -limit if least is None else max(least, -limit),
        limit if greatest is None else min(greatest, limit),
    )

    def reader(raw: Any) -> Any:
        if type(raw) is str:
            number = Decimal(raw) if len(raw) <= LONGEST_NUMBER and _PLAIN_NUMBER.fullmatch(raw) else None
        else:
            number = raw if type(raw) is Decimal and raw.is_finite() else None
        if number and -40 < number.adjusted() < whole:
            rounded = number.quantize(step, context=_EXACT)
            if rounded and lowest <= rounded <= highest:
                return rounded
        return None if raw is None else read(raw)

    return reader


_PLAIN_NUMBERS = re.compile(r"(?:-?[0-9]{1,25}(?:\.[0-9]{1,25})?\n)+")


def numbers_reader(
    scale: int, digits: int, least: Any, greatest: Any, read: Callable[[Any], Any]
) -> Callable[[Sequence[Any]], list[Any]]:
    """`number_reader` of many texts: their form and bounds are seen in one look; `read` takes what is not plain."""
    step, limit = _step(scale), largest(scale, digits)
    lowest, highest = (
        -limit if least is None else max(least, -limit),
        limit if greatest is None else min(greatest, limit),
    )

    def reader(raws: Sequence[Any]) -> list[Any]:
        try:
            plain = _PLAIN_NUMBERS.fullmatch("\n".join([*raws, ""]))
            numbers = [Decimal(raw).quantize(step, ROUND_HALF_UP, _EXACT) for raw in raws] if plain else []
        except (TypeError, InvalidOperation):  # no text, or one of several lines
            numbers = []
        if numbers and lowest <= min(numbers) and max(numbers) <= highest:
            return numbers if all(numbers) else [n or read(raw) for n, raw in zip(numbers, raws)]
        return [read(raw) for raw in raws]

    return reader


def _beyond(number: Decimal, limit: Decimal) -> Rejection:
    if number < 0:
        return Rejection("value.too_small", min=f"{-limit:,}")
    return Rejection("value.too_large", max=f"{limit:,}")


@lru_cache(maxsize=64)
def _step(scale: int) -> Decimal:
    return Decimal(1).scaleb(-scale)


@lru_cache(maxsize=256)
def largest(scale: int, digits: int) -> Decimal:
    """The greatest number of `digits` digits, `scale` of them decimals."""
    return Decimal("9" * digits).scaleb(-scale, _EXACT)


def grouped(number: Decimal | int) -> str:
    """With thousands separators: `1,234.50`."""
    return f"{number:,f}" if isinstance(number, Decimal) else f"{number:,}"


def trimmed(number: Decimal) -> Decimal:
    """Without trailing decimal zeros, never in exponent form."""
    short = number.normalize(_EXACT)
    return short if short.as_tuple().exponent <= 0 else short.quantize(Decimal(1), context=_EXACT)  # type: ignore[operator]
