"""The list page: columns, views, filters, search, sorting, pages; and what is done with chosen rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup

from metadata.model import Sort
from runtime.digits import number_in
from runtime.errors import Answer, BadQuery, Forbidden, NotFound, NotSignedIn
from runtime.messages import say_answer
from runtime.query.select import Query, parse_where, run, titles_of
from runtime.records import delete
from runtime.views.binder import Binder, BoundField
from runtime.views.cache import kept
from runtime.views.filters import PERIODS, ActiveFilter, read_filter
from runtime.views.lists import BoundList, BoundView, bind_list, parse_sort, sort_text
from web import htmx
from web.device import device
from web.i18n import _, plural
from web.notes import note
from web.prepared import Prepared, mark
from web.rows import css_of, paint_rows, painter
from web.state import reading, state, writing

blueprint = Blueprint("lists", __name__)
FURTHEST_PAGE = 100_000
LONGEST_KEPT = 300  # bytes of a query whose page is kept
MOST_KEPT = 64  # pages without their rows, about 40 KB each


@dataclass(slots=True, kw_only=True)
class Asked:
    """What the address of a list asks for."""

    view: BoundView | None
    filters: list[ActiveFilter]
    where_text: str
    where: list[Any]
    rules: list[Any]
    sort: tuple[Sort, ...]
    q: str
    page: int
    problem: str = ""
    problem_at: int = 0

    @property
    def active(self) -> list[ActiveFilter]:
        return [f for f in self.filters if f.where is not None]

    @property
    def narrowed(self) -> bool:
        return bool(self.active or self.where_text or self.q)


def open_list(binder: Binder, entity: str) -> BoundList:
    """The list, or the answer that there is none: an entity one may not read looks like one that is not there."""
    described = binder.app.entities.get(entity)
    if described is None or described.parent is not None or not binder.can(entity, "read"):
        raise NotFound
    return bind_list(binder, entity)


def read_address(binder: Binder, bound: BoundList, given: Mapping[str, list[str]]) -> Asked:
    """Reads the parameters; an expression that does not parse is a problem with its place, not an error page."""
    one = {name: values[-1] for name, values in given.items() if values}
    view = bound.view(one.get("view"))
    filters = [read_filter(f, given) for f in bound.filters]
    sort = parse_sort(binder, bound.entity, one.get("sort", "")) or (view.sort if view else ()) or bound.sort
    asked = Asked(
        view=view,
        filters=filters,
        where_text=one.get("where", "").strip()[:4000],
        where=[],
        rules=[e for e in (bound.where, view.where if view else None) if e is not None],
        sort=sort,
        q=one.get("q", "").strip()[:100],
        page=_page(one.get("page", "")),
    )
    session = binder.session
    asked.where += [parse_where(session, bound.entity, f.where) for f in filters if f.where is not None]
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
    asked = read_address(binder, bound, request.args.to_dict(flat=False))
    columns = (asked.view.columns if asked.view else ()) or bound.columns
    rows: list[Any] = []
    count, capped = 0, False
    if not asked.problem:
        page = run(session, query_of(binder, bound, asked, columns, count="capped"))
        rows, count, capped = list(page.rows), page.count or 0, page.count_capped
    may_delete = binder.can(entity, "delete")
    paint = painter(binder, entity, columns, bound.opener, choose=may_delete)
    values = {
        "bound": bound,
        "asked": asked,
        "columns": columns,
        "css_of": css_of,
        "empty": not rows,
        "count": count,
        "capped": capped,
        "pages": pages(asked.page, count, capped, bound.page_size),
        "sort": sort_text(asked.sort),
        "sorts": {".".join(s.path): s.descending for s in asked.sort},
        "may": {op: binder.can(entity, op) for op in ("create", "delete", "export", "import")},
        "periods": period_labels(),
        "titles": filter_titles(binder, asked),
    }
    filled = {
        "rows": paint_rows(paint, rows, _styles(binder, bound, rows)),
        "count_text": count_text(count, capped),
        "token": generate_csrf(),
    }
    if htmx.wanted() and htmx.target() == "list":
        return make_response(_written("lists/body.html", binder, values, filled))
    body = _written("lists/main.html", binder, values, filled)
    return make_response(render_template("lists/page.html", title=bound.plural, body=body))


def _written(template: str, binder: Binder, values: Mapping[str, Any], filled: Mapping[str, str]) -> Markup:
    """The list as HTML. What is around its rows is put together once per kind of user and address."""
    if values["empty"] or values["titles"] or values["asked"].problem or len(request.query_string) > LONGEST_KEPT:
        return Markup(render_template(template, **values, **filled))  # noqa: S704 - escaped by the template
    pages_: dict[Any, Prepared] = kept(binder.session, ("list pages",), dict)
    key = (template, request.path, request.query_string, values["pages"], binder.kind)
    prepared = pages_.get(key)
    if prepared is None:
        prepared = Prepared(render_template(template, **values, **{name: mark(name) for name in filled}))
        if len(pages_) >= MOST_KEPT:
            pages_.pop(next(iter(pages_)), None)
        pages_[key] = prepared
    return prepared.fill(filled)


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


@blueprint.get("/e/<entity>/totals")
def totals(entity: str) -> Response:
    """The totals of the columns that declare one, over all rows of the list; loaded after the page."""
    from runtime.views.totals import totals_of  # late: only for lists that declare totals

    session = reading()
    binder = Binder(session, device())
    bound = open_list(binder, entity)
    asked = read_address(binder, bound, request.args.to_dict(flat=False))
    columns = (asked.view.columns if asked.view else ()) or bound.columns
    found = {} if asked.q else totals_of(binder, bound, [*asked.where, *asked.rules])
    choose = binder.can(entity, "delete")
    return make_response(
        render_template("lists/totals.html", bound=bound, columns=columns, totals=found, css_of=css_of, choose=choose)
    )


@blueprint.post("/e/<entity>/delete")
def delete_many(entity: str) -> Response:
    """Moves the chosen rows to the recycle bin; says which stayed and why."""
    if state().user_id is None:
        raise NotSignedIn
    ids = [number for v in request.form.getlist("id") if (number := number_in(v)) is not None][:500]
    done: list[int] = []
    stayed: dict[str, int] = {}
    for record_id in ids:
        try:
            with writing() as session:
                if entity not in session.app.entities:
                    raise NotFound
                delete(session, entity, record_id)
            done.append(record_id)
        except Answer as error:
            if not done and isinstance(error, Forbidden) and len(ids) == 1:
                raise
            reason = say_answer(error, state().language)
            stayed[reason] = stayed.get(reason, 0) + 1
    if done:
        undo = f"/e/{entity}/restore?" + "&".join(f"id={i}" for i in done)
        text = plural(len(done), "{n} record moved to the recycle bin", "{n} records moved to the recycle bin")
        note(str(text), undo=undo)
    for reason, number in stayed.items():
        note(f"{plural(number, '{n} record stayed', '{n} records stayed')}: {reason}", "warning")
    return htmx.go(_back(entity))


def _back(entity: str) -> str:
    from web.account.sign_in import own_address  # late: pages do not otherwise need the account pages

    wanted = own_address(request.form.get("next"))
    return wanted if wanted != "/" else f"/e/{entity}"


def marked(text: str, at: int) -> Markup:
    """The expression with its wrong place marked."""
    return Markup("{}<mark>{}</mark>{}").format(text[:at], text[at : at + 1] or " ", text[at + 1 :])
