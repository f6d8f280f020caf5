"""user: a person, with the initials in a circle."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from markupsafe import Markup

from runtime.views.binder import BoundField
from web.widgets.base import Kit, Show, Widget, avatar, register


@register
class UserWidget(Widget):
    name = "user"
    template = "widgets/lookup.html"
    css = "c-user"

    def show(self, field: BoundField, kit: Kit) -> Show:
        def person(value: Any, title: Any) -> str:
            if value is None:
                return ""
            return _person(str(title) if title is not None else f"#{value}")

        return person


@lru_cache(maxsize=4096)
def _person(name: str) -> Markup:
    return Markup('<span class="person">{}<span>{}</span></span>').format(avatar(name), name)
