"""number: whole and decimal numbers, right-aligned."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from runtime.views.binder import BoundField
from web.widgets.base import Kit, Show, Widget, register


@register
class NumberWidget(Widget):
    name = "number"
    template = "widgets/number.html"
    css = "c-num"
    input_mode = "decimal"

    def show(self, field: BoundField, kit: Kit) -> Show:
        if field.field.type != "integer":
            return super().show(field, kit)

        limit = field.limit

        def idle(value: Any, _title: Any) -> str:
            if value is None:
                return ""
            tone = "red" if value >= limit else "secondary"
            text = kit.say("{n} day" if value == 1 else "{n} days", n=f"{value:,}")
            return Markup('<span class="badge bg-{}-lt">{}</span>').format(tone, text)

        def whole(value: Any, _title: Any) -> str:
            return "" if value is None else f"{value:,}"

        return idle if limit else whole
