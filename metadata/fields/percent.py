"""percent: holds 12.5 for 12.5 %."""

from __future__ import annotations

import decimal as exact
from collections.abc import Mapping
from typing import Any

from metadata.fields.base import Coercion, register
from metadata.fields.decimal import BOUNDS, PRECISION, Exact
from metadata.fields.reading import grouped, read_number, trimmed, width_folded
from metadata.model import Field
from rules.typing import PERCENT, Type


@register
class Percent(Exact):
    name = "percent"
    label = {"zh": "百分比", "en": "Percent"}
    help = {"zh": "12.5 表示 12.5%", "en": "12.5 stands for 12.5 %"}
    widget = "percent"
    properties = {**BOUNDS, "scale": {**PRECISION["scale"], "maximum": 4}}

    def value_type(self, spec: Mapping[str, Any]) -> Type:
        return Type(kind="percent", scale=spec.get("scale", PERCENT.scale), digits=PERCENT.digits)

    def coerce(self, raw: Any, field: Field, context: Coercion) -> exact.Decimal | None:
        if isinstance(raw, str) and len(raw) <= 60:
            raw = width_folded(raw).strip().removesuffix("%")
        number = read_number(raw)
        return None if number is None else self.fit(number, field)

    def to_text(self, value: Any, field: Field, context: Coercion) -> str:
        return "" if value is None else grouped(trimmed(value)) + "%"
