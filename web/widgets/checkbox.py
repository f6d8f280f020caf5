"""checkbox: a switch; in a list a tick or nothing."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from runtime.views.binder import BoundField
from web.widgets.base import Kit, Show, Widget, register


@register
class CheckboxWidget(Widget):
    name = "checkbox"
    template = "widgets/checkbox.html"
    css = "c-bool"

    def show(self, field: BoundField, kit: Kit) -> Show:
        to_text, described, coercion = field.type.to_text, field.field, kit.coercion
        mark = Markup('<span class="yes-no {}">{}</span>')
        yes = mark.format("is-yes", to_text(True, described, coercion))
        no = mark.format("is-no", to_text(False, described, coercion))

        def tick(value: Any, _title: Any) -> str:
            return "" if value is None else yes if value else no

        return tick
