"""The list page: columns, views, filters, search, sorting, pages; and what is done with chosen rows."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, render_template, request
from markupsafe import Markup

from metadata.model import Sort
from runtime.digits import number_in
from runtime.duplicates.groups import searched
from runtime.errors import Answer, BadQuery
from runtime.messages import say_answer
from runtime.query.select import Query, parse_where, run
from runtime.query.titles import titles_of
from runtime.site import Session
from runtime.views.binder import Binder, BoundField
from runtime.views.cache import kept
from runtime.views.columns import ChosenColumn, columns_text, read_columns
from runtime.views.filters import PERIODS, ActiveFilter, read_filter
from runtime.views.lists import BoundList, BoundSegment, BoundView, bind_list, parse_sort, sort_text
from runtime.views.saved import SavedView, chosen, note_use, views_of
from web import htmx
from web.device import device
from web.form_session import form_token
from web.i18n import _, plural
from web.prepared import Prepared, address_mark, asked_by, mark
from web.rows import css_of, frozen_css, paint_rows, painter
from web.state import reading, writing
from web.templating import address_with, framed
from web.widgets import widget

blueprint = Blueprint("lists", __name__)
FURTHEST_PAGE = 100_000
_PLAIN_END = re.compile(r"[-.0-9]{1,20}")  # a number or a day as typed
LONGEST_KEPT = 300  # bytes of a query whose page is kept
MOST_KEPT = 64  # pages without their rows, about 40 KB each


@dataclass(slots=True, kw_only=True)
class Asked:
    """What the address of a list asks for. `saved` is the kept view it names; `edited`: it says more than that."""

    view: BoundView | None
    saved: SavedView | None
    saved_views: tuple[SavedView, ...]
    edited: bool
    chosen: tuple[ChosenColumn, ...]
    filters: list[ActiveFilter]
    where_text: str
    where: list[Any]
    rules: list[Any]
    sort: tuple[Sort, ...]
    q: str
    page: int
    segment: BoundSegment | None = None
    problem: str = ""
    problem_at: int = 0
    given: dict[str, Any] = field(default_factory=dict)

    @property
    def active(self) -> list[ActiveFilter]:
        return [f for f in self.filters if f.where is not None]

    def columns(self, bound: BoundList) -> tuple[BoundField, ...]:
        """The columns to show: chosen ones, else those of the view, else the declared ones."""
        return tuple(c.field for c in self.chosen) or (self.view.columns if self.view else ()) or bound.columns

    @property
    def frozen(self) -> tuple[str, ...]:
        """Keys of the columns that stay in sight; without any it is the first."""
        return tuple(c.field.key for c in self.chosen if c.frozen)

    @property
    def narrowed(self) -> bool:
        return bool(self.active or self.where_text or self.q or self.segment)


def open_list(binder: Binder, entity: str) -> BoundList:
    """The list, or the answer that there is none: an entity one may not read looks like one that is not there."""
    binder.entity(entity)
    return bind_list(binder, entity)


def read_address(binder: Binder, bound: BoundList, given: Mapping[str, list[str]], *, late: bool = False) -> Asked:
    """Reads the parameters; an expression that does not parse is a problem with its place, not an error page.

    A kept view stands for its own parameters: what the address says besides wins, and `edited` says that it says all.
    `late` leaves the ends of ranges out of the conditions: they are `given` to the query, which is the same for all.
    """
    saved_views = views_of(binder.session, bound.entity)
    said = {name for name in given if name != "page"}
    saved = chosen(saved_views, next(iter(given.get("view", ())), None), bare=not said)
    edited = bool(said - {"view", "as"})
    if saved is not None:
        given = {**({} if "edited" in given else saved.as_lists()), **given}
    one = {name: values[-1] for name, values in given.items() if values}
    view = bound.view(one.get("view")) if saved is None else None
    segment = bound.segment(one.get("segment"))
    filters = [read_filter(f, given) for f in bound.filters]
    sort = parse_sort(binder, bound.entity, one.get("sort", "")) or (view.sort if view else ()) or bound.sort
    columns = ",".join(given["col"]) if "col" in given else one.get("cols", "")
    asked = Asked(
        view=view,
        saved=saved,
        saved_views=saved_views,
        edited=edited,
        chosen=read_columns(binder, bound.entity, columns, bound.columns) if columns else (),
        filters=filters,
        where_text=one.get("where", "").strip()[:4000],
        where=[],
        rules=[e for e in (bound.where, view and view.where, segment and segment.where) if e is not None],
        sort=sort,
        q=one.get("q", "").strip()[:100],
        page=_page(one.get("page", "")),
        segment=segment,
    )
    session = binder.session
    for f in filters:
        if late and f.form is not None:
            asked.where.append(parse_where(session, bound.entity, f.form.where, f.form.types))
            asked.given |= f.form.values
        elif f.where is not None:
            asked.where.append(parse_where(session, bound.entity, f.where))
    if asked.where_text:
        try:
            asked.where.append(parse_where(session, bound.entity, asked.where_text))
        except BadQuery as error:
            asked.problem = say_answer(error, binder.language)
            asked.problem_at = int(error.params.get("start", 0) or 0)
    return asked


def _page(text: str) -> int:
    return min(int(text), FURTHEST_PAGE) if text.isascii() and text.isdigit() and 0 < len(text) < 8 else 1


def query_of(binder: Binder, bound: BoundList, asked: Asked, columns: tuple[BoundField, ...], **more: Any) -> Query:
    described = binder.app.entities[bound.entity]
    paths = [c.key for c in columns]
    if described.currency and binder.visible(bound.entity, described.currency) and described.currency not in paths:
        paths.append(described.currency)
    limit = bound.page_size
    return Query(
        entity=bound.entity,
        select=tuple(paths),
        where=tuple(asked.where),
        given=asked.given,
        rules=tuple(asked.rules),
        sort=asked.sort,
        q=asked.q or None,
        limit=limit,
        page=asked.page,
        **more,
    )


@blueprint.get("/e/<entity>")
def show(entity: str) -> Response:
    """The page, or only its list where a script asks for that."""
    session = reading()
    binder = Binder(session, device())
    bound = open_list(binder, entity)
    asked = read_address(binder, bound, request.args.to_dict(flat=False), late=True)
    columns = asked.columns(bound)
    rows: list[Any] = []
    count, capped = 0, False
    if not asked.problem:
        page = run(session, query_of(binder, bound, asked, columns, count="capped"))
        rows, count, capped = list(page.rows), page.count or 0, page.count_capped
    may_choose = any(binder.can(entity, op) for op in ("edit", "assign", "delete"))
    opener = bound.opener if any(c.key == bound.opener for c in columns) else columns[0].key
    paint = painter(binder, entity, columns, opener, choose=may_choose, frozen=asked.frozen)
    sorts = {".".join(s.path): s.descending for s in asked.sort}
    values = {
        "bound": bound,
        "asked": asked,
        "columns": columns,
        "widths": {c.field.key: c.width for c in asked.chosen if c.width},
        "frozen": asked.frozen,
        "cols": columns_text(asked.chosen),
        "opener": opener,
        "editable": {c.key for c in columns if editable(binder, entity, c)},
        "css_of": css_of,
        "frozen_css": frozen_css,
        "empty": not rows,
        "samples": not rows and not asked.narrowed and session.user.admin and _samples_offered(session),
        "count": count,
        "capped": capped,
        "pages": pages(asked.page, count, capped, bound.page_size),
        "sort": sort_text(asked.sort),
        "sorts": sorts,
        "sort_addresses": sort_addresses,
        "may_choose": may_choose,
        "may": {op: binder.can(entity, op) for op in ("create", "edit", "delete", "export", "import")},
        "mergeable": searched(session, entity) and all(binder.can(entity, op) for op in ("edit", "delete")),
        "periods": period_labels(),
        "titles": filter_titles(binder, asked),
    }
    filled = {
        "rows": paint_rows(paint, rows, _styles(binder, bound, rows)),
        "count_text": count_text(count, capped),
        "token": form_token(),
    }
    if htmx.wanted() and htmx.target() == "list":
        return make_response(_written("lists/body.html", binder, values, filled))
    body = _written("lists/main.html", binder, values, filled)
    made = make_response(framed(bound.plural, body))
    if asked.saved is not None and asked.saved.used_on != session.today:
        _note_use(asked.saved)
    return made


def _samples_offered(session: Session) -> bool:
    from runtime.samples import offered  # late: asked where a list is empty

    return offered(session)


def _note_use(view: SavedView) -> None:
    """Once a day for a view; nothing that a busy database, or looking as somebody else, would fail for."""
    with suppress(Answer), writing() as session:
        note_use(session, view)


def sort_addresses(columns: Sequence[BoundField], sorts: Mapping[str, bool]) -> dict[str, str]:
    """Addresses of this list sorted by each of its columns; a second click turns the order round."""

    def sorting(key: str) -> str:
        return ("" if sorts.get(key) else "-") + key if key in sorts else key

    return {c.key: address_with(sort=sorting(c.key), page=None) for c in columns if c.sortable}


def _written(template: str, binder: Binder, values: Mapping[str, Any], filled: Mapping[str, str]) -> Markup:
    """The list as HTML. What is around its rows is put together once per kind of user and address.

    Addresses that differ in the ends of ranges alone are one: people type ever other numbers.
    """
    asked: Asked = values["asked"]
    bound: BoundList = values["bound"]
    query, ends, marked = _without_ends(asked)
    filled = {**filled, "tabs": tabs(binder, bound, asked, query).fill(ends)}
    if values["empty"] or values["titles"] or asked.problem or len(request.query_string) > LONGEST_KEPT:
        return Markup(render_template(template, **values, **filled))  # noqa: S704 - escaped by the template
    pages_: dict[Any, Prepared] = kept(binder.session, ("list pages",), dict)
    shown = asked.saved.parameters if asked.saved else None
    key = (template, request.path, query, values["pages"], binder.kind, shown)
    prepared = pages_.get(key)
    if prepared is None:
        gaps = {name: mark(name) for name in filled}
        with asked_by(query):
            prepared = Prepared(render_template(template, **{**values, "asked": marked}, **gaps))
        if len(pages_) >= MOST_KEPT:
            pages_.pop(next(iter(pages_)), None)
        pages_[key] = prepared
    return prepared.fill({**filled, **ends})


def _without_ends(asked: Asked) -> tuple[str, dict[str, str], Asked]:
    """The query of the address with marks for the ends of ranges, these by mark, and what is asked with the marks.

    Only ends that no encoding changes: plain numbers and days.
    """
    ends: dict[str, str] = {}
    parameters: dict[str, str] = {}
    filters = list(asked.filters)
    for place, active in enumerate(filters):
        if active.form is None:
            continue
        marks = {"low": active.low, "high": active.high}
        for end, name in (("low", f"{active.filter.parameter}.from"), ("high", f"{active.filter.parameter}.to")):
            if _PLAIN_END.fullmatch(marks[end]) and request.args.getlist(name) == [marks[end]]:
                ends[f"{end}{place}"] = marks[end]
                marks[end] = parameters[name] = address_mark(f"{end}{place}")
        filters[place] = replace(active, **marks)  # type: ignore[arg-type]
    if not ends:
        return request.query_string.decode("utf-8", "replace"), ends, asked
    given = [(name, parameters.get(name, value)) for name, values in request.args.lists() for value in values]
    return urlencode(given), ends, replace(asked, filters=filters)


def tabs(binder: Binder, bound: BoundList, asked: Asked, query: str) -> Prepared:
    """The views as tabs: declared ones, the person's own, those shared with them. `query` as it stands in addresses."""
    made: dict[Any, Prepared] = kept(binder.session, ("list tabs",), dict)
    now = asked.saved.key if asked.saved else asked.view.name if asked.view else None
    key = (bound.entity, binder.kind, asked.saved_views, now, asked.edited, query)
    found = made.get(key)
    if found is None:
        with asked_by(query):
            found = Prepared(render_template("lists/tabs.html", bound=bound, asked=asked))
        if len(query) > LONGEST_KEPT:
            return found
        if len(made) >= MOST_KEPT:
            made.pop(next(iter(made)), None)
        made[key] = found
    return found


def _styles(binder: Binder, bound: BoundList, rows: list[Any]) -> list[str]:
    """The highlight of each row, where the list declares some and the query brought the answers."""
    if not bound.highlight or not rows:
        return []
    from runtime.views.highlights import styles  # late: loads the evaluator only for lists that need it

    return styles(binder.session, bound.entity, bound.highlight, rows)


def count_text(count: int, capped: bool) -> str:
    if capped:
        return str(_("more than {n} records", n=f"{count:,}"))
    return str(plural(count, "{n} record", "{n} records"))


@dataclass(frozen=True, slots=True)
class Pages:
    """Numbers to offer; 0 stands for a gap. `last` is None where the count is capped."""

    now: int
    last: int | None
    numbers: tuple[int, ...]
    more: bool


def pages(now: int, count: int, capped: bool, size: int) -> Pages:
    last = max(1, math.ceil(count / size))
    near = sorted({n for n in (1, now - 1, now, now + 1, last) if 1 <= n <= max(last, now)})
    numbers: list[int] = []
    for number in near:
        if numbers and number - numbers[-1] > 1:
            numbers.append(number - 1 if number - numbers[-1] == 2 else 0)
        numbers.append(number)
    return Pages(now, None if capped else last, tuple(numbers), capped or now < last)


def period_labels() -> dict[str, str]:
    texts = {
        "today": _("Today"),
        "this_week": _("This week"),
        "this_month": _("This month"),
        "last_month": _("Last month"),
        "this_quarter": _("This quarter"),
        "this_year": _("This year"),
        "last_30_days": _("Last 30 days"),
        "next_30_days": _("Next 30 days"),
    }
    return {name: str(texts[name]) for name in PERIODS}


def filter_titles(binder: Binder, asked: Asked) -> dict[str, str]:
    """Titles of the records that filters name: `entity/id` -> title, in one statement per entity."""
    wanted: dict[str, set[int]] = {}
    for active in asked.active:
        if active.filter.kind == "record" and active.filter.field.target:
            ids = {number for v in active.values if (number := number_in(v)) is not None}
            if ids:
                wanted.setdefault(active.filter.field.target, set()).update(ids)
    found: dict[str, str] = {}
    for entity, ids in wanted.items():
        found |= {f"{entity}/{i}": title for i, title in titles_of(binder.session, entity, sorted(ids)).items()}
    return found


NOT_HERE = frozenset({"lines", "related", "secret", "file", "image", "rich_text", "textarea", "json", "checkboxes"})


def editable(binder: Binder, entity: str, column: BoundField) -> bool:
    """Whether a column can be edited in its row: a field of the record itself that is not computed or fixed."""
    if "." in column.key or column.readonly or not column.field.writable or column.widget in NOT_HERE:
        return False
    return binder.can(entity, "edit") and widget(column.widget).template != "widgets/none.html"


@blueprint.get("/e/<entity>/totals")
def totals(entity: str) -> Response:
    """The totals of the columns that declare one, over all rows of the list; loaded after the page."""
    from runtime.views.totals import totals_of  # late: only for lists that declare totals

    session = reading()
    binder = Binder(session, device())
    bound = open_list(binder, entity)
    asked = read_address(binder, bound, request.args.to_dict(flat=False))
    columns = asked.columns(bound)
    found = {} if asked.q else totals_of(binder, bound, [*asked.where, *asked.rules])
    choose = any(binder.can(entity, op) for op in ("edit", "assign", "delete"))
    return make_response(
        render_template(
            "lists/totals.html",
            bound=bound,
            columns=columns,
            totals=found,
            css_of=css_of,
            choose=choose,
            frozen=asked.frozen,
            frozen_css=frozen_css,
        )
    )


def marked(text: str, at: int) -> Markup:
    """The expression with its wrong place marked."""
    return Markup("{}<mark>{}</mark>{}").format(text[:at], text[at : at + 1] or " ", text[at + 1 :])
