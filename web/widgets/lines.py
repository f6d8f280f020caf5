"""lines: owned records, shown as a table and edited in place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from runtime.views.binder import BoundField
from runtime.views.records import plain_line
from web.widgets.base import Kit, Show, Widget, register, widget


@register
class LinesWidget(Widget):
    name = "lines"
    template = "widgets/lines.html"

    def show(self, field: BoundField, kit: Kit) -> Show:
        columns = [(m.name, widget(m.widget).css, widget(m.widget).show(m, kit)) for m in field.members]
        heads = [
            Markup('<th class="{}">{}</th>').format(css, m.label) for m, (_, css, _show) in zip(field.members, columns)
        ]
        head = Markup(
            '<div class="table-responsive"><table class="table table-sm lines-shown"><thead><tr>{}</tr></thead><tbody>'
        ).format(Markup("").join(heads))

        def table(value: Any, _title: Any) -> str:
            if not value:
                return ""
            rows = [Markup("<tr>") + Markup("").join(_cells(columns, line)) + Markup("</tr>") for line in value]
            return head + Markup("").join(rows) + Markup("</tbody></table></div>")

        return table


def _cells(columns: Sequence[tuple[str, str, Show]], line: Any) -> list[str]:
    values = plain_line(line)
    titles = values.get("titles") or {}
    cell = Markup('<td class="{}">{}</td>')
    return [cell.format(css, show(values.get(name), titles.get(name)) or "") for name, css, show in columns]
