"""json: any JSON value, for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from metadata.fields.base import Coercion, FieldType, Rejection, register
from metadata.fields.reading import INTEGER_LIMIT, checked
from metadata.model import Field
from rules.typing import JSON, Type

DEEPEST = 30
LARGEST = 200_000  # characters of its text


@register
class Json(FieldType):
    name = "json"
    label = {"zh": "JSON", "en": "JSON"}
    help = {"zh": "供程序使用的任意 JSON 值", "en": "Any JSON value, for programs"}
    storage = "json"
    widget = "json"
    filterable = False
    sortable = False
    groupable = False
    operators = ("is None", "is not None")

    def value_type(self, spec: Mapping[str, Any]) -> Type:
        return JSON

    def coerce(self, raw: Any, field: Field, context: Coercion) -> Any:
        """The value; text from a form or a file is parsed, text in the API is a JSON text value."""
        if isinstance(raw, str) and context.channel != "api":
            raw = _parsed(raw)
        _check(raw, DEEPEST)
        if raw is not None and len(_written(raw)) > LARGEST:
            raise Rejection("value.too_long", max=LARGEST)
        return raw

    def to_text(self, value: Any, field: Field, context: Coercion) -> str:
        return "" if value is None else _written(value)

    def to_cell(self, value: Any, field: Field, context: Coercion) -> Any:
        return None if value is None else _written(value)

    def to_input(self, value: Any, field: Field, context: Coercion) -> str:
        return "" if value is None else _written(value)


def _parsed(raw: str) -> Any:
    if not raw.strip():
        return None
    if len(raw) > LARGEST:
        raise Rejection("value.too_long", max=LARGEST)
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise Rejection("value.not_json") from None


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _check(value: Any, depth: int) -> None:
    """Refuses what not every store carries: NaN, huge integers, NUL and lone surrogates, depth beyond 30."""
    if depth == 0:
        raise Rejection("value.not_json")
    if isinstance(value, str):
        checked(value)
    elif isinstance(value, Mapping):
        for key, member in value.items():
            if not isinstance(key, str):
                raise Rejection("value.not_json")
            checked(key)
            _check(member, depth - 1)
    elif isinstance(value, list):
        for member in value:
            _check(member, depth - 1)
    elif not _number_or_constant(value):
        raise Rejection("value.not_json")


def _number_or_constant(value: Any) -> bool:
    if value is None or isinstance(value, bool):
        return True
    if isinstance(value, int):
        return abs(value) <= INTEGER_LIMIT
    return isinstance(value, float) and value == value and abs(value) != float("inf") and not isinstance(value, Decimal)
