"""rich_text: sanitised HTML, shown inside its own box; put in as plain text of several lines."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from runtime.views.binder import BoundField
from web.widgets.base import Kit, Show, Widget, register

TAGS = frozenset(
    [
        "p",
        "br",
        "b",
        "strong",
        "i",
        "em",
        "u",
        "s",
        "ul",
        "ol",
        "li",
        "blockquote",
        "code",
        "pre",
        "h3",
        "h4",
        "h5",
        "a",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "hr",
        "span",
    ]
)
ATTRIBUTES = {"a": {"href"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}


def sanitised(html: str) -> str:
    """Only what text needs: no form, style, picture, script, event or htmx attribute."""
    import nh3  # late: 1.4 MiB, for sites that show formatted text

    clean = nh3.clean(html, tags=set(TAGS), attributes=ATTRIBUTES, url_schemes={"http", "https", "mailto", "tel"})
    return Markup('<div class="rich-text">{}</div>').format(Markup(clean))  # noqa: S704 - just sanitised


@register
class RichTextWidget(Widget):
    name = "rich_text"
    template = "widgets/textarea.html"
    css = "c-long"

    def show(self, field: BoundField, kit: Kit) -> Show:
        def html(value: Any, _title: Any) -> str:
            return "" if value is None else sanitised(str(value))

        return html
