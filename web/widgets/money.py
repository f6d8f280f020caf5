"""money: an amount with its currency, right-aligned in figures of one width."""

from __future__ import annotations

from web.widgets.base import Widget, register


@register
class MoneyWidget(Widget):
    name = "money"
    template = "widgets/money.html"
    css = "c-num"
    input_mode = "decimal"
