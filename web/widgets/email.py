"""email: an address one can write to."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from runtime.views.binder import BoundField
from web.widgets.base import Kit, Show, Widget, register


@register
class EmailWidget(Widget):
    name = "email"
    input_type = "email"
    autocomplete = "email"
    template = "widgets/text.html"

    def show(self, field: BoundField, kit: Kit) -> Show:
        def link(value: Any, _title: Any) -> str:
            return "" if value is None else Markup('<a class="quiet" href="mailto:{0}">{0}</a>').format(value)

        return link
