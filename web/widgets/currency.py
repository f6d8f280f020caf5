"""currency: a currency code."""

from __future__ import annotations

from web.widgets.base import Widget, register


@register
class CurrencyWidget(Widget):
    name = "currency"
    template = "widgets/text.html"
