"""phone: a number one can call."""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup

from runtime.views.binder import BoundField
from web.widgets.base import Kit, Show, Widget, register

_NOT_DIALLED = re.compile(r"[^0-9+*#]")


@register
class PhoneWidget(Widget):
    name = "phone"
    input_type = "tel"
    css = "c-phone"

    def show(self, field: BoundField, kit: Kit) -> Show:
        to_text, described, coercion = field.type.to_text, field.field, kit.coercion

        def link(value: Any, _title: Any) -> str:
            if value is None:
                return ""
            number = _NOT_DIALLED.sub("", str(value))
            return Markup('<a class="quiet" href="tel:{}">{}</a>').format(number, to_text(value, described, coercion))

        return link
