"""lookup: another record, found by typing."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup, escape

from runtime.views.binder import BoundField
from web.widgets.base import Kit, Show, Widget, register


@register
class LookupWidget(Widget):
    name = "lookup"
    template = "widgets/lookup.html"
    css = "c-link"

    def show(self, field: BoundField, kit: Kit) -> Show:
        target = field.target or ""
        opens, address = kit.can_open(target), kit.address

        def link(value: Any, title: Any) -> str:
            if value is None:
                return ""
            if not opens or title is None:
                return escape(title if title is not None else f"#{value}")
            # escaped piece by piece: a list writes hundreds of these
            return Markup(f'<a class="quiet" href="{escape(address(target, value))}">{escape(title)}</a>')  # noqa: S704

        return link
