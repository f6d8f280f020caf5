"""image: a small picture that leads to the whole one."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from runtime.views.binder import BoundField
from web.widgets.base import Kit, Show, Widget, register


@register
class ImageWidget(Widget):
    name = "image"
    template = "widgets/file.html"
    css = "c-image"

    def show(self, field: BoundField, kit: Kit) -> Show:
        def picture(value: Any, title: Any) -> str:
            if value is None:
                return ""
            return Markup('<img class="thumb" src="/files/{}" alt="{}" loading="lazy">').format(value, title or "")

        return picture
