"""datetime: the browser's own picker; in a Chinese list as figures of one width."""

from __future__ import annotations

from typing import Any

from runtime.views.binder import BoundField
from web.widgets.base import Kit, Show, Widget, register


@register
class DatetimeWidget(Widget):
    name = "datetime"
    template = "widgets/text.html"
    css = "c-date"
    input_type = "datetime-local"

    def show(self, field: BoundField, kit: Kit) -> Show:
        if not kit.compact or kit.coercion.language != "zh":
            return super().show(field, kit)
        zone = kit.coercion.zone

        def figures(value: Any, _title: Any) -> str:
            return "" if value is None else f"{value.astimezone(zone):%Y-%m-%d %H:%M}"

        return figures
