"""number: whole and decimal numbers, right-aligned."""

from __future__ import annotations

from typing import Any

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

        def whole(value: Any, _title: Any) -> str:
            return "" if value is None else f"{value:,}"

        return whole
