"""lookup_many: any number of records, as chips."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup, escape

from runtime.views.binder import BoundField
from web.widgets.base import Kit, Show, Widget, register


@register
class LookupManyWidget(Widget):
    name = "lookup_many"
    template = "widgets/lookup_many.html"
    css = "c-tags"

    def show(self, field: BoundField, kit: Kit) -> Show:
        target = field.target or ""
        opens = kit.can_open(target)

        def chips(value: Any, title: Any) -> str:
            named = title if isinstance(title, dict) else dict(zip(value or (), title or ()))
            parts = []
            for record_id in value or ():
                text = named.get(record_id, f"#{record_id}")
                if opens:
                    chip = Markup('<a class="chip" href="{}">{}</a>').format(kit.address(target, record_id), text)
                else:
                    chip = Markup('<span class="chip">{}</span>').format(escape(text))
                parts.append(chip)
            return Markup(" ").join(parts)

        return chips
