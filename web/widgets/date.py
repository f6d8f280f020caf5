"""date: the browser's own picker; typed in figures of one width."""

from __future__ import annotations

from web.widgets.base import Widget, register


@register
class DateWidget(Widget):
    name = "date"
    template = "widgets/text.html"
    css = "c-date"
    input_type = "date"
