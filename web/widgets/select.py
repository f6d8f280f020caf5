"""select: one choice, as a coloured tag."""

from __future__ import annotations

from typing import Any

from markupsafe import escape

from runtime.views.binder import BoundField
from web.widgets.base import Kit, Show, Widget, badge, register


@register
class SelectWidget(Widget):
    name = "select"
    template = "widgets/select.html"
    css = "c-tag"

    def show(self, field: BoundField, kit: Kit) -> Show:
        if field.choices and not any(c.tone for c in field.choices):
            known: dict[str, str] = {c.name: escape(c.label) for c in field.choices}
        else:
            known = {c.name: badge(c.label, c.tone) for c in field.choices}

        def tag(value: Any, _title: Any) -> str:
            return "" if value is None else known.get(value) or escape(value)

        return tag
