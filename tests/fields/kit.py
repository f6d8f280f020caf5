"""Fields and contexts for the tests of field types, without a compiler."""

from __future__ import annotations

import datetime as clock
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from metadata.fields import Coercion, FieldType, field_type
from metadata.fields.choices import spellings
from metadata.frozen import FrozenMap
from metadata.model import Choice, Field, Options, Origin, Text

ORIGIN = Origin(layer="test", file="test.yaml", line=1)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def text(zh: str, en: str) -> Text:
    return Text(values=FrozenMap({"zh": zh, "en": en}))


KINDS = Options(
    name="kind",
    label=text("类型", "Kind"),
    choices=(
        Choice(name="company", label=text("企业", "Company"), was=("firm",)),
        Choice(name="person", label=text("个人", "Person"), order=1),
        Choice(name="public", label=text("政府、事业单位", "Public, non-profit"), order=2),
    ),
    origin=ORIGIN,
)
TITLES = {1: "深圳零件制造有限公司", 2: "王芳", 3: "王芳", 4: "10086"}


def resolve(_entity: str, title: str) -> list[int]:
    return [number for number, known in TITLES.items() if known == title]


def label(_options: str, name: str) -> str:
    found = KINDS.choice(name)
    return found.label.of("zh") if found else name


def context(**changes: Any) -> Coercion:
    given: dict[str, Any] = {
        "language": "zh",
        "zone": SHANGHAI,
        "currency": "CNY",
        "today": clock.date(2026, 3, 16),
        "now": clock.datetime(2026, 3, 16, 6, 30, tzinfo=clock.UTC),
        "channel": "form",
        "resolve": resolve,
        "choices": lambda _name: spellings(KINDS),
        "label": label,
        "title": lambda _entity, number: TITLES.get(number, ""),
        "scale_of_currency": lambda code: {"JPY": 0, "BHD": 3}.get(code, 2),
    }
    return Coercion(**(given | changes))


SPEC: Mapping[str, Mapping[str, Any]] = {
    "select": {"options": "kind"},
    "grade": {"options": "kind"},
    "multi_select": {"options": "kind"},
    "link": {"to": "customer"},
    "links": {"to": "customer"},
    "lines": {"entity": "line"},
    "related": {"entity": "contact"},
    "lookup": {"of": "customer.name"},
}


def field(name: str, **changes: Any) -> tuple[FieldType, Field]:
    """A field of the type `name`; `scale` and `digits` count as declared, `settings` as the rest."""
    kind = field_type(name)
    spec = {**SPEC.get(name, {}), **{k: changes.pop(k) for k in ("scale", "digits") if k in changes}}
    known = {key: spec[key] for key in ("options", "to", "entity") if key in spec}
    changes["settings"] = FrozenMap(changes.get("settings", {}))
    made = Field(
        name="x",
        type=name,
        label=text("字段", "Field"),
        storage=kind.storage,
        value_type=kind.value_type(spec),
        origin=ORIGIN,
        **(known | changes),
    )
    return kind, made


def coerced(name: str, raw: Any, *, channel: str = "form", currency: str = "CNY", **changes: Any) -> Any:
    kind, made = field(name, **changes)
    return kind.coerce(raw, made, context(channel=channel, currency=currency))
