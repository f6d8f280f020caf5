"""secret: can be set, is never shown again."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from runtime.views.binder import BoundField
from web.widgets.base import Kit, Show, Widget, register


@register
class SecretWidget(Widget):
    name = "secret"
    template = "widgets/secret.html"
    input_type = "password"
    autocomplete = "new-password"

    def show(self, field: BoundField, kit: Kit) -> Show:
        def dots(value: Any, _title: Any) -> str:
            return "" if value is None else Markup('<span class="text-secondary">••••••</span>')

        return dots
