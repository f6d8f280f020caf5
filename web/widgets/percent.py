"""percent: 12.5 stands for 12.5 %."""

from __future__ import annotations

from web.widgets.base import Widget, register


@register
class PercentWidget(Widget):
    name = "percent"
    template = "widgets/percent.html"
    css = "c-num"
    input_mode = "decimal"
