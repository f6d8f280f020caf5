"""Writes list rows: one function per list and kind of user, put together once per published version.

A macro call per cell costs five times the whole row; so what does not change in a row is written beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup, escape

from runtime.views.behind import behind
from runtime.views.binder import Binder, BoundField
from web.i18n import _
from web.templating import record_address
from web.widgets import Kit, widget
from web.widgets.base import Show

Paint = Callable[..., str]  # (row, mark="") -> HTML
_SHOWN_AS = {"bar": "progress", "tag": "select", "rating": "rating"}


def kit_for(binder: Binder, currency: str | None = None, *, compact: bool = False) -> Kit:
    """What widgets need to write values for this kind of user."""
    return Kit(
        coercion=binder.coercion(currency),
        address=record_address,
        say=_,
        compact=compact,
        can_open=lambda entity: (
            entity in binder.app.entities and binder.app.entities[entity].parent is None and binder.can(entity, "read")
        ),
    )


def widget_of(field: BoundField) -> str:
    """The widget that shows a column: the list may ask for another than the field's own."""
    return _SHOWN_AS.get(field.show or "", field.widget)


def css_of(field: BoundField) -> str:
    return widget(widget_of(field)).css


def painter(
    binder: Binder,
    entity: str,
    columns: Sequence[BoundField],
    opener: str,
    *,
    choose: bool = True,
    frozen: tuple[str, ...] = (),
) -> Paint:
    """A function that writes one row of `columns`. The column `opener` links to the record; `frozen` stay in sight."""
    key = tuple((c.key, c.show, c.label) for c in columns)
    bind = lambda: _bind(binder, entity, columns, opener, choose, frozen)  # noqa: E731 - handed on once
    return binder.keep("row", entity, key, opener, choose, frozen, bind=bind)


def frozen_css(frozen: Sequence[str], key: str) -> str:
    """The class of a frozen column's cells, by its place among them: its distance from the edge is measured."""
    return f" c-frozen c-frozen-{frozen.index(key) + 1}" if key in frozen else ""


def _bind(
    binder: Binder, entity: str, columns: Sequence[BoundField], opener: str, choose: bool, frozen: tuple[str, ...]
) -> Paint:
    cells = [_cell(binder, entity, c, c.key == opener, frozen_css(frozen, c.key)) for c in columns]
    base = f"/e/{entity}/"
    pick = str(_("Select row"))
    box = (
        '<td class="c-check"><input class="form-check-input" type="checkbox" name="id" form="bulk" value="%s" '
        f'aria-label="{escape(pick)}"></td>'
    )
    choice = box if choose else ""

    def paint(row: Any, mark: str = "") -> str:
        number = row.id
        lead = choice % number if choice else ""
        inner = "".join([cell(row, number) for cell in cells])
        return f'<tr data-href="{base}{number}"{mark}>{lead}{inner}</tr>'

    return paint


def _cell(binder: Binder, entity: str, column: BoundField, opens: bool, more: str = "") -> Callable[[Any, Any], str]:
    """A function from (row, id) to the whole cell."""
    name, key = widget_of(column), column.key
    shown = widget(name)
    currency = binder.app.entities[column.entity].currency if name == "money" and "." not in key else None
    css = (f"{shown.css} c-title" if opens else shown.css) + more
    head = f'<td class="{css}" data-label="{escape(column.label)}">'
    if opens:
        return _opener(binder, entity, column, head)
    if currency is not None:
        return _money(binder, column, currency, head)
    show = shown.show(column, kit_for(binder, compact=True))
    members = behind(binder, column)
    if members is not None:
        return _figure(head, key, show, *members)

    def cell(row: Any, _id: Any) -> str:
        value = row.values.get(key)
        if value is None:
            return head + "</td>"
        return f"{head}{show(value, row.titles.get(key))}</td>"

    return cell


def _figure(head: str, key: str, show: Show, entity: str, where: str) -> Callable[[Any, Any], str]:
    """A figure over what belongs to the record leads to the list of it."""
    address = escape(f"/e/{entity}?{urlencode({'where': where})}").replace("%7B%7D", "{}")
    before, after = address.split("{}")
    title = escape(str(_("Show what it counts")))

    def cell(row: Any, number: Any) -> str:
        value = row.values.get(key)
        if value is None:
            return head + "</td>"
        return f'{head}<a class="behind" href="{before}{number}{after}" title="{title}">{show(value, None)}</a></td>'

    return cell


def _opener(binder: Binder, entity: str, column: BoundField, head: str) -> Callable[[Any, Any], str]:
    to_text, described, coercion = column.type.to_text, column.field, binder.coercion()
    key, base = column.key, f'<a href="/e/{entity}/'
    linked = described.storage in ("link", "any_link")

    def cell(row: Any, number: Any) -> str:
        value = row.titles.get(key) if linked else row.values.get(key)
        text = value if linked else None if value is None else to_text(value, described, coercion)
        return f'{head}{base}{number}">{escape(text) if text else f"#{number}"}</a></td>'

    return cell


def _money(binder: Binder, column: BoundField, currency: str, head: str) -> Callable[[Any, Any], str]:
    """Each record has a currency of its own."""
    key = column.key
    by_code: dict[Any, Any] = {}
    shown = widget(widget_of(column))

    def cell(row: Any, _id: Any) -> str:
        value = row.values.get(key)
        if value is None:
            return head + "</td>"
        code = row.values.get(currency)
        show = by_code.get(code)
        if show is None:
            show = by_code[code] = shown.show(column, kit_for(binder, code))
        return f"{head}{show(value, None)}</td>"

    return cell


def paint_rows(paint: Paint, rows: Sequence[Any], styles: Sequence[str] = ()) -> Markup:
    """All rows; `styles` names a row's highlight ("" for none), row by row."""
    if not styles:
        return Markup("\n".join([paint(row) for row in rows]))  # noqa: S704 - every value was escaped by its widget
    marked = (f' class="row-{style}"' if style else "" for style in styles)
    return Markup("\n".join([paint(row, mark) for row, mark in zip(rows, marked)]))  # noqa: S704
