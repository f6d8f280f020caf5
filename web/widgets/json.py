"""json: structured data as its text."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from runtime.views.binder import BoundField
from web.widgets.base import Kit, Show, Widget, register


@register
class JsonWidget(Widget):
    name = "json"
    template = "widgets/textarea.html"
    css = "c-long"

    def show(self, field: BoundField, kit: Kit) -> Show:
        to_text, described, coercion = field.type.to_text, field.field, kit.coercion

        def code(value: Any, _title: Any) -> str:
            return "" if value is None else Markup("<code>{}</code>").format(to_text(value, described, coercion))

        return code
