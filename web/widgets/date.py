"""date: the browser's own picker; in a Chinese list as figures of one width."""

from __future__ import annotations

from typing import Any

from runtime.views.binder import BoundField
from web.widgets.base import Kit, Show, Widget, register


@register
class DateWidget(Widget):
    name = "date"
    template = "widgets/text.html"
    css = "c-date"
    input_type = "date"

    def show(self, field: BoundField, kit: Kit) -> Show:
        if not kit.compact or kit.coercion.language != "zh":
            return super().show(field, kit)

        def figures(value: Any, _title: Any) -> str:
            return "" if value is None else f"{value:%Y-%m-%d}"

        return figures
