"""color: a colour with its code."""

from __future__ import annotations

from web.widgets.base import Widget, register


@register
class ColorWidget(Widget):
    name = "color"
    template = "widgets/text.html"
    input_type = "color"
