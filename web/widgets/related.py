"""related: records that point here; a list of its own on the record page, a number elsewhere."""

from __future__ import annotations

from web.widgets.base import Widget, register


@register
class RelatedWidget(Widget):
    name = "related"
    template = "widgets/none.html"
    css = "c-num"
