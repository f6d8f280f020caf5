"""text: one line."""

from __future__ import annotations

from web.widgets.base import Widget, register


@register
class TextWidget(Widget):
    name = "text"
