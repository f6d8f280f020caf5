"""money: an exact amount in the record's currency, rounded to that currency's scale."""

from __future__ import annotations

import decimal as exact
import re
from collections.abc import Mapping
from typing import Any

from metadata.fields.base import Coercion, Rejection, register
from metadata.fields.decimal import BOUNDS, Exact, bound
from metadata.fields.reading import LONGEST_NUMBER, fitted, grouped, read_number, width_folded
from metadata.model import Field
from rules.typing import MONEY, Type

# What people write for a currency -> the codes it may stand for; the first is the one shown with that sign.
_SIGNS: Mapping[str, tuple[str, ...]] = {
    "¥": ("CNY", "JPY"),
    "元": ("CNY",),
    "圆": ("CNY", "JPY"),
    "RMB": ("CNY",),
    "人民币": ("CNY",),
    "$": ("USD", "HKD", "TWD", "SGD", "AUD", "CAD", "NZD"),
    "US$": ("USD",),
    "美元": ("USD",),
    "HK$": ("HKD",),
    "港元": ("HKD",),
    "NT$": ("TWD",),
    "€": ("EUR",),
    "欧元": ("EUR",),
    "£": ("GBP",),
    "英镑": ("GBP",),
    "日元": ("JPY",),
    "円": ("JPY",),
    "₩": ("KRW",),
    "₽": ("RUB",),
    "₹": ("INR",),
}
_SHOWN = {"CNY": "¥", "USD": "US$", "HKD": "HK$", "TWD": "NT$", "EUR": "€", "GBP": "£", "KRW": "₩", "INR": "₹"}
_BARE = re.compile(r"[0-9+\-., ()]*")
_SIGN = "|".join(sorted((re.escape(s) for s in _SIGNS), key=len, reverse=True)) + "|[A-Za-z]{3}"
_AMOUNT = re.compile(rf"([+-]?)\s*({_SIGN})?\s*([^A-Za-z¥$€£₩₽₹]*?)\s*({_SIGN})?")


@register
class Money(Exact):
    name = "money"
    label = {"zh": "金额", "en": "Money"}
    help = {"zh": "精确金额,按记录的币种", "en": "An exact amount in the currency of the record"}
    widget = "money"
    properties = {**BOUNDS}

    def value_type(self, spec: Mapping[str, Any]) -> Type:
        return MONEY

    def coerce(self, raw: Any, field: Field, context: Coercion) -> exact.Decimal | None:
        if isinstance(raw, str):
            raw = _amount_of_text(raw, context.currency)
        elif isinstance(raw, Mapping):
            raw = _amount_of_object(raw, context.currency)
        number = read_number(raw)
        if number is None:
            return None
        return fitted(number, *self.bounds(field, context), bound(field.min), bound(field.max))

    def bounds(self, field: Field, context: Coercion) -> tuple[int, int]:
        """Decimals of the record's currency; as many digits before the point in every currency."""
        scale = min(context.scale_of_currency(context.currency), MONEY.scale)
        return scale, MONEY.digits - MONEY.scale + scale

    def to_json(self, value: Any, field: Field, context: Coercion) -> Any:
        return None if value is None else {"amount": _plain(value, context), "currency": context.currency}

    def to_text(self, value: Any, field: Field, context: Coercion) -> str:
        if value is None:
            return ""
        sign = "-" if value < 0 else ""
        amount = grouped(abs(_shown(value, context)))
        symbol = _SHOWN.get(context.currency, f"{context.currency} ")
        if context.currency == "CNY" and context.language != "zh":
            symbol = "CN¥"
        return f"{sign}{symbol}{amount}"

    def to_input(self, value: Any, field: Field, context: Coercion) -> str:
        return "" if value is None else _plain(value, context)

    def json_schema(self, field: Field, choices: tuple[str, ...] = ()) -> Mapping[str, Any]:
        amount = {"type": ["string", "number"], "format": "decimal"}
        given = {
            "type": "object",
            "properties": {"amount": amount, "currency": {"type": "string", "pattern": "^[A-Z]{3}$"}},
            "required": ["amount"],
            "additionalProperties": False,
        }
        return {
            "anyOf": [given, amount, {"type": "null"}],
            "description": "An object on output; a number or text also on input",
        }


def _shown(value: exact.Decimal, context: Coercion) -> exact.Decimal:
    """With the decimals of the currency, or more where the value has them (a price per piece in a formula)."""
    scale = min(context.scale_of_currency(context.currency), MONEY.scale)
    step = exact.Decimal(1).scaleb(-scale)
    short = value.quantize(step, exact.ROUND_HALF_UP)
    return short if short == value else value


def _plain(value: exact.Decimal, context: Coercion) -> str:
    return f"{_shown(value, context):f}"


def _amount_of_text(raw: str, currency: str) -> str:
    """The number in `raw`, freed of its currency sign, which must be the record's."""
    if _BARE.fullmatch(raw):
        return raw
    if len(raw) > LONGEST_NUMBER:
        raise Rejection("value.not_a_number", value=raw)
    found = _AMOUNT.fullmatch(width_folded(raw).replace("CN¥", "¥").strip())
    if not found:
        return raw
    sign, before, number, after = found.groups()
    for mark in (before, after):
        _same_currency(mark, currency)
    return sign + number


def _same_currency(mark: str | None, currency: str) -> None:
    if mark is None:
        return
    codes = _SIGNS.get(mark) or _SIGNS.get(mark.upper()) or (mark.upper(),)
    if currency not in codes:
        raise Rejection("value.other_currency", given=codes[0], expected=currency)


def _amount_of_object(raw: Mapping[Any, Any], currency: str) -> Any:
    given = raw.get("currency")
    if not set(raw) <= {"amount", "currency"} or not isinstance(given, str | None):
        raise Rejection("value.wrong_type")
    if given is not None and given != currency and raw.get("amount") is not None:
        raise Rejection("value.other_currency", given=given, expected=currency)
    amount = raw.get("amount")
    if isinstance(amount, Mapping | list):
        raise Rejection("value.wrong_type")
    return amount
