"""progress: a share of hundred as a bar with its figure; also how a list column with `show: bar` looks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from markupsafe import Markup

from runtime.views.binder import BoundField
from web.widgets.base import Kit, Show, Widget, register


@register
class ProgressWidget(Widget):
    name = "progress"
    template = "widgets/percent.html"
    css = "c-bar"
    input_mode = "decimal"

    def show(self, field: BoundField, kit: Kit) -> Show:
        to_text, described, coercion = field.type.to_text, field.field, kit.coercion
        most = described.max if isinstance(described.max, int | Decimal) and described.max > 0 else 100
        cell = Markup('<span class="bar"><progress max="100" value="{}" aria-hidden="true"></progress> {}</span>')

        def bar(value: Any, _title: Any) -> str:
            if value is None:
                return ""
            share = max(0, min(100, int(value * 100 / most)))
            return cell.format(share, to_text(value, described, coercion))

        return bar
