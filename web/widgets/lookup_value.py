"""lookup_value: a value shown through a link; it looks like the field at the end of its path and is never put in."""

from __future__ import annotations

from web.widgets.base import Widget, register


@register
class LookupValueWidget(Widget):
    name = "lookup_value"
