"""datetime: a moment, kept in UTC to the millisecond, read and shown in the business zone of the site."""

from __future__ import annotations

import datetime as clock
import re
from collections.abc import Mapping
from typing import Any

from metadata.fields.base import Coercion, FieldType, Rejection, register
from metadata.fields.date import in_years, read_date, written
from metadata.fields.integer import COMPARISONS
from metadata.fields.reading import one_line, width_folded
from metadata.fields.time import read_time
from metadata.model import Field
from rules.typing import DATETIME, Type

_SPLIT = re.compile(
    r"(?P<day>.*?[0-9日号])(?:[T,]\s*|\s+|(?<=[日号]))"
    r"(?P<time>(?:上午|下午|晚上)?\s*[0-9]{1,2}[:时点].*?)\s*(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?"
)


@register
class Datetime(FieldType):
    name = "datetime"
    label = {"zh": "日期时间", "en": "Date and time"}
    help = {"zh": "某一时刻", "en": "A moment"}
    storage = "datetime"
    widget = "datetime"
    operators = COMPARISONS

    def value_type(self, spec: Mapping[str, Any]) -> Type:
        return DATETIME

    def coerce(self, raw: Any, field: Field, context: Coercion) -> clock.datetime | None:
        moment = self._moment(raw, context)
        if moment is None:
            return None
        in_years(moment.date())
        local = moment if moment.tzinfo else moment.replace(tzinfo=context.zone)
        utc = local.astimezone(clock.UTC)
        return utc.replace(microsecond=utc.microsecond // 1000 * 1000)

    def _moment(self, raw: Any, context: Coercion) -> clock.datetime | None:
        if isinstance(raw, str):
            return read_datetime(raw)
        if raw is None or isinstance(raw, clock.datetime):
            return raw
        if isinstance(raw, clock.date) and context.channel != "api":
            return clock.datetime.combine(raw, clock.time())
        raise Rejection("value.not_a_datetime", value=raw)

    def to_json(self, value: Any, field: Field, context: Coercion) -> Any:
        """RFC 3339 with the offset of the site's zone."""
        if value is None:
            return None
        return value.astimezone(context.zone).isoformat(timespec="milliseconds" if value.microsecond else "seconds")

    def to_text(self, value: Any, field: Field, context: Coercion) -> str:
        if value is None:
            return ""
        local = value.astimezone(context.zone)
        return f"{written(local.date(), context.language)} {local:%H:%M}"

    def to_cell(self, value: Any, field: Field, context: Coercion) -> Any:
        """The site's wall clock, without an offset: spreadsheets know none."""
        return None if value is None else value.astimezone(context.zone).replace(tzinfo=None)

    def to_input(self, value: Any, field: Field, context: Coercion) -> str:
        """For `<input type="datetime-local">`. Of an hour that a clock shows twice, the earlier is meant."""
        if value is None:
            return ""
        local = value.astimezone(context.zone).replace(tzinfo=None)
        exactness = "milliseconds" if local.microsecond else "seconds" if local.second else "minutes"
        return local.isoformat(timespec=exactness)

    def json_schema(self, field: Field, choices: tuple[str, ...] = ()) -> Mapping[str, Any]:
        return {"type": ["string", "null"], "format": "date-time"}


def read_datetime(raw: str) -> clock.datetime | None:
    """RFC 3339, `2026-03-16 14:30`, `2026年3月16日 下午2:30`, a day alone for its midnight. Naive without an offset."""
    text = one_line(raw)
    if text is None:
        return None
    if len(text) > 60:
        raise Rejection("value.not_a_datetime", value=raw)
    if text[:1].isascii() and text[4:5] == "-" and len(text) > 12:
        try:
            return clock.datetime.fromisoformat(text)
        except (ValueError, OverflowError):
            pass
    return _in_parts(width_folded(text), raw)


def _in_parts(text: str, raw: str) -> clock.datetime:
    found = _SPLIT.fullmatch(text)
    try:
        day = read_date(found["day"] if found else text)
        time = read_time(found["time"]) if found else clock.time()
    except Rejection as error:
        code = error.code if error.code == "value.no_such_date" else "value.not_a_datetime"
        raise Rejection(code, value=raw) from None
    if day is None or time is None:
        raise Rejection("value.not_a_datetime", value=raw)
    zone = found["zone"] if found else None
    return clock.datetime.combine(day, time, _offset(zone) if zone else None)


def _offset(text: str) -> clock.tzinfo:
    if text == "Z":
        return clock.UTC
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    if minutes >= 24 * 60:
        raise Rejection("value.not_a_datetime", value=text)
    return clock.timezone(clock.timedelta(minutes=-minutes if text[0] == "-" else minutes))
