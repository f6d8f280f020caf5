"""file: an attachment, offered for download and never shown inline."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from runtime.views.binder import BoundField
from web.widgets.base import Kit, Show, Widget, register


@register
class FileWidget(Widget):
    name = "file"
    template = "widgets/file.html"

    def show(self, field: BoundField, kit: Kit) -> Show:
        def link(value: Any, title: Any) -> str:
            if value is None:
                return ""
            return Markup('<a class="quiet" href="/files/{}" download>{}</a>').format(
                value, title if title is not None else f"#{value}"
            )

        return link
