"""url: a link to elsewhere; only http and https are ever followed."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup, escape

from runtime.views.binder import BoundField
from web.widgets.base import Kit, Show, Widget, register


@register
class UrlWidget(Widget):
    name = "url"
    input_type = "url"

    def show(self, field: BoundField, kit: Kit) -> Show:
        def link(value: Any, _title: Any) -> str:
            if value is None:
                return ""
            if not str(value).lower().startswith(("http://", "https://")):
                return escape(value)
            short = str(value).split("://", 1)[1].rstrip("/")
            return Markup('<a class="quiet" href="{}" target="_blank" rel="noopener noreferrer">{}</a>').format(
                value, short
            )

        return link
