"""integer: a whole number, |x| ≤ 2^53−1 so that every language and format carries it exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from metadata.fields.base import Coercion, FieldType, Rejection, register
from metadata.fields.reading import INTEGER_LIMIT, read_number
from metadata.model import Field
from rules.typing import INTEGER, Type

COMPARISONS = ("==", "!=", "<", "<=", ">", ">=", "in", "not in", "is None", "is not None")


@register
class Integer(FieldType):
    name = "integer"
    label = {"zh": "整数", "en": "Whole number"}
    help = {"zh": "没有小数的数", "en": "A number without decimals"}
    storage = "integer"
    widget = "number"
    operators = COMPARISONS
    properties = {
        "min": {"type": "integer", "description": "Least value"},
        "max": {"type": "integer", "description": "Greatest value"},
    }

    def value_type(self, spec: Mapping[str, Any]) -> Type:
        return INTEGER

    def coerce(self, raw: Any, field: Field, context: Coercion) -> int | None:
        if type(raw) is int and raw.bit_length() <= 53:
            number = raw
        else:
            exact = read_number(raw)
            if exact is None:
                return None
            number = _whole(exact, raw)
        return within(number, field.min, field.max)

    def reader(self, field: Field, context: Coercion) -> Callable[[Any], Any]:
        read = super().reader(field, context)
        least = -INTEGER_LIMIT if field.min is None else max(field.min, -INTEGER_LIMIT)
        greatest = INTEGER_LIMIT if field.max is None else min(field.max, INTEGER_LIMIT)

        def reader(raw: Any) -> Any:
            if type(raw) is str and len(raw) <= 15 and raw.isascii() and raw.isdigit():
                number = int(raw)
            else:
                number = raw
            return number if type(number) is int and least <= number <= greatest else read(raw)

        return reader

    def to_text(self, value: Any, field: Field, context: Coercion) -> str:
        return "" if value is None else f"{value:,}"

    def to_cell(self, value: Any, field: Field, context: Coercion) -> Any:
        """More than 15 digits leave as text: a spreadsheet would round them."""
        return str(value) if value is not None and abs(value) >= 10**15 else value

    def json_schema(self, field: Field, choices: tuple[str, ...] = ()) -> Mapping[str, Any]:
        least = field.min if field.min is not None else -INTEGER_LIMIT
        greatest = field.max if field.max is not None else INTEGER_LIMIT
        return {"type": ["integer", "null"], "minimum": least, "maximum": greatest}


def _whole(exact: Decimal, raw: Any) -> int:
    if exact and not -20 < exact.adjusted() < 20:
        if exact.adjusted() > 0:
            return INTEGER_LIMIT + 1 if exact > 0 else -INTEGER_LIMIT - 1
        raise Rejection("value.not_an_integer", value=raw)
    if exact != exact.to_integral_value():
        raise Rejection("value.not_an_integer", value=raw)
    return int(exact)


def within(number: int, least: int | None, greatest: int | None) -> int:
    """`number` if it lies in the declared bounds and in those of the type."""
    least = -INTEGER_LIMIT if least is None else least
    greatest = INTEGER_LIMIT if greatest is None else greatest
    if number < least:
        raise Rejection("value.too_small", min=f"{least:,}")
    if number > greatest:
        raise Rejection("value.too_large", max=f"{greatest:,}")
    return number
