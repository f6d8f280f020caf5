"""time: a time of day, to the second."""

from __future__ import annotations

import datetime as clock
import re
from collections.abc import Mapping
from typing import Any

from metadata.fields.base import Coercion, FieldType, Rejection, register
from metadata.fields.integer import COMPARISONS
from metadata.fields.reading import one_line, width_folded
from metadata.model import Field
from rules.typing import TIME, Type

_CLOCK = re.compile(
    r"(上午|下午|晚上)?\s*([0-9]{1,2})[:时点]([0-9]{1,2})?分?(?::?([0-9]{1,2})秒?(?:\.([0-9]{1,6}))?)?\s*([AaPp])?\.?[Mm]?\.?"
)


@register
class Time(FieldType):
    name = "time"
    label = {"zh": "时间", "en": "Time of day"}
    help = {"zh": "一天中的时刻,例如 14:30", "en": "A time of day, such as 14:30"}
    storage = "time"
    widget = "time"
    operators = COMPARISONS

    def value_type(self, spec: Mapping[str, Any]) -> Type:
        return TIME

    def coerce(self, raw: Any, field: Field, context: Coercion) -> clock.time | None:
        if isinstance(raw, str):
            return read_time(raw)
        if isinstance(raw, clock.time) and raw.tzinfo is None:
            return raw.replace(microsecond=0)
        if raw is None:
            return None
        raise Rejection("value.not_a_time", value=raw)

    def to_json(self, value: Any, field: Field, context: Coercion) -> Any:
        return None if value is None else value.isoformat("seconds")

    def to_text(self, value: Any, field: Field, context: Coercion) -> str:
        return "" if value is None else value.isoformat("seconds" if value.second else "minutes")

    def to_cell(self, value: Any, field: Field, context: Coercion) -> Any:
        return None if value is None else self.to_text(value, field, context)

    def to_input(self, value: Any, field: Field, context: Coercion) -> str:
        return self.to_text(value, field, context)

    def json_schema(self, field: Field, choices: tuple[str, ...] = ()) -> Mapping[str, Any]:
        return {"type": ["string", "null"], "pattern": "^[0-2][0-9]:[0-5][0-9](:[0-5][0-9])?$"}


def read_time(raw: str) -> clock.time | None:
    """`14:30`, `14:30:05`, `2:30 PM`, `下午2:30`, `14点30分`; fractions of a second are cut."""
    text = one_line(raw)
    if text is None:
        return None
    found = _CLOCK.fullmatch(width_folded(text)) if len(text) <= 20 else None
    if not found:
        raise Rejection("value.not_a_time", value=raw)
    half, hour, minute, second, fraction, letter = found.groups()
    hours = int(hour)
    afternoon = half in ("下午", "晚上") or (letter or "").lower() == "p"
    if (half or letter) and hours <= 12:
        hours = hours % 12 + (12 if afternoon else 0)
    try:
        return clock.time(hours, int(minute or 0), int(second or 0), int((fraction or "0").ljust(6, "0")))
    except ValueError:
        raise Rejection("value.not_a_time", value=raw) from None
