"""decimal: an exact number with a fixed number of decimals."""

from __future__ import annotations

import decimal as exact
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from metadata.fields.base import Coercion, FieldType, register
from metadata.fields.integer import COMPARISONS
from metadata.fields.reading import fitted, grouped, number_reader, numbers_reader, read_number, trimmed
from metadata.model import Field
from rules.typing import Type, decimal

DEFAULT_SCALE = 4
DEFAULT_DIGITS = 18

BOUNDS = {
    "min": {"type": ["number", "string"], "description": "Least value"},
    "max": {"type": ["number", "string"], "description": "Greatest value"},
}
PRECISION = {
    "scale": {
        "type": "integer",
        "minimum": 0,
        "maximum": 10,
        "description": f"Decimals kept; {DEFAULT_SCALE} where none is given. Further ones are rounded half-up",
    },
    "digits": {
        "type": "integer",
        "minimum": 1,
        "maximum": 38,
        "description": f"All digits, decimals included; {DEFAULT_DIGITS} where none is given",
    },
}


_SAFE = exact.Decimal(10**5)  # below it, even the ten decimals of a field leave at most 15 digits


class Exact(FieldType):
    """What the exact numbers share: decimal, percent, money."""

    storage = "decimal"
    widget = "number"
    operators = COMPARISONS

    def fit(self, number: exact.Decimal, field: Field) -> exact.Decimal:
        """`number` as this field keeps it; raises `Rejection`."""
        kind = field.value_type
        return fitted(number, kind.scale, kind.digits or DEFAULT_DIGITS, bound(field.min), bound(field.max))

    def bounds(self, field: Field, context: Coercion) -> tuple[int, int]:
        """Decimals kept, and digits in all."""
        kind = field.value_type
        return kind.scale, kind.digits or DEFAULT_DIGITS

    def reader(self, field: Field, context: Coercion) -> Callable[[Any], Any]:
        scale, digits = self.bounds(field, context)
        return number_reader(scale, digits, bound(field.min), bound(field.max), super().reader(field, context))

    def column_reader(self, field: Field, context: Coercion) -> Callable[[Sequence[Any]], list[Any]]:
        scale, digits = self.bounds(field, context)
        return numbers_reader(scale, digits, bound(field.min), bound(field.max), self.reader(field, context))

    def to_json(self, value: Any, field: Field, context: Coercion) -> Any:
        """Text, so that no reader makes a float of it."""
        return None if value is None else f"{value:f}"

    def to_text(self, value: Any, field: Field, context: Coercion) -> str:
        return "" if value is None else grouped(trimmed(value))

    def to_input(self, value: Any, field: Field, context: Coercion) -> str:
        return "" if value is None else f"{trimmed(value):f}"

    def to_cell(self, value: Any, field: Field, context: Coercion) -> Any:
        """A number; as text beyond the 15 digits that a spreadsheet keeps."""
        if value is None:
            return None
        short = trimmed(value)
        return f"{short:f}" if abs(short) >= _SAFE and len(short.as_tuple().digits) > 15 else short

    def json_schema(self, field: Field, choices: tuple[str, ...] = ()) -> Mapping[str, Any]:
        return {
            "type": ["string", "number", "null"],
            "format": "decimal",
            "description": f"Exact, {field.value_type.scale} decimals; text on output",
        }


def bound(declared: Any) -> exact.Decimal | None:
    """A declared bound as an exact number."""
    return declared if declared is None or isinstance(declared, exact.Decimal) else exact.Decimal(str(declared))


@register
class Decimal(Exact):
    name = "decimal"
    label = {"zh": "小数", "en": "Decimal"}
    help = {"zh": "精确的小数,例如数量、重量", "en": "An exact number with decimals, such as a quantity"}
    properties = {**BOUNDS, **PRECISION}

    def value_type(self, spec: Mapping[str, Any]) -> Type:
        return decimal(spec.get("scale", DEFAULT_SCALE), spec.get("digits", DEFAULT_DIGITS))

    def coerce(self, raw: Any, field: Field, context: Coercion) -> exact.Decimal | None:
        number = read_number(raw)
        return None if number is None else self.fit(number, field)

    def to_text(self, value: Any, field: Field, context: Coercion) -> str:
        if value is None:
            return ""
        return grouped(value if field.value_type.scale <= 2 else trimmed(value))
