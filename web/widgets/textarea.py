"""textarea: text of several lines."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup, escape

from runtime.views.binder import BoundField
from web.widgets.base import Kit, Show, Widget, register


@register
class TextareaWidget(Widget):
    name = "textarea"
    template = "widgets/textarea.html"
    css = "c-long"

    def show(self, field: BoundField, kit: Kit) -> Show:
        def lines(value: Any, _title: Any) -> str:
            return "" if value is None else Markup('<span class="long-text">{}</span>').format(escape(value))

        return lines
