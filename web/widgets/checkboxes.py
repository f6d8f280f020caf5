"""checkboxes: any number of choices, as tags."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from runtime.views.binder import BoundField
from web.widgets.base import Kit, Show, Widget, badge, register


@register
class CheckboxesWidget(Widget):
    name = "checkboxes"
    template = "widgets/checkboxes.html"
    css = "c-tags"

    def show(self, field: BoundField, kit: Kit) -> Show:
        known = {c.name: badge(c.label, c.tone) for c in field.choices}

        def tags(value: Any, _title: Any) -> str:
            return Markup(" ").join(known.get(name) or badge(str(name), "") for name in value or ())

        return tags
