"""rating: stars."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from runtime.views.binder import BoundField
from web.widgets.base import Kit, Show, Widget, register


@register
class RatingWidget(Widget):
    name = "rating"
    template = "widgets/rating.html"
    css = "c-rating"

    def show(self, field: BoundField, kit: Kit) -> Show:
        most = int(field.field.max or 5)

        def stars(value: Any, _title: Any) -> str:
            if value is None:
                return ""
            full = max(0, min(most, int(value)))
            return Markup('<span class="stars" role="img" aria-label="{}/{}">{}<i>{}</i></span>').format(
                full, most, "★" * full, "★" * (most - full)
            )

        return stars
