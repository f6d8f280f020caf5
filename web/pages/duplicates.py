"""Records that are likely the same: told while one is entered, listed for those who tidy up, merged side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, make_response, render_template, request
from markupsafe import Markup

from metadata.model import Entity
from runtime.digits import number_in
from runtime.duplicates import groups
from runtime.duplicates.merge import MOST, choosable, may_merge, merge, mergeable
from runtime.errors import Answer, Forbidden, NotFound, Refused, TooManyRequests
from runtime.messages import say, say_answer, say_problem
from runtime.query.select import Query, run
from runtime.records import Record, read_many
from runtime.views.binder import Binder
from runtime.views.duplicates import Likely, likely, twins_of
from runtime.views.forms import bind_form, read_form
from runtime.views.lookups import second_lines
from runtime.views.records import title_of
from web import htmx
from web.device import device
from web.notes import note
from web.rows import kit_for
from web.state import reading, state, writing
from web.widgets import widget

blueprint = Blueprint("duplicates", __name__)
PAGE = 20  # groups on a page


@blueprint.post("/e/<entity>/duplicates")
@blueprint.post("/e/<entity>/<int:record_id>/duplicates")
def check(entity: str, record_id: int | None = None) -> Response:
    """What the form as typed so far is likely a twin of, as a fragment; nothing is kept."""
    return make_response(found_for(entity, record_id))


def found_for(entity: str, record_id: int | None) -> str:
    """The fragment for the form that was sent."""
    session = reading()
    given = {}
    if entity in session.app.entities:
        given = read_form(bind_form(Binder(session, device()), entity), request.form.to_dict(flat=False))
    told = ""
    try:
        found = likely(session, entity, record_id, given)
    except TooManyRequests as answer:
        found, told = Likely(), say_answer(answer, state().language)
    return render_template("records/duplicates.html", found=found, told=told)


# --- side by side ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A field in which the records differ: per record its value as people read it, and the one chosen."""

    name: str
    label: str
    cells: tuple[tuple[int, Markup], ...]
    chosen: int


@blueprint.get("/e/<entity>/merge")
def choose(entity: str) -> Response:
    """Records side by side, with a choice for every field in which they differ."""
    return _page(entity, _ids(request.args.getlist("id")), number_in(request.args.get("keep", "")), {})


@blueprint.post("/e/<entity>/merge")
def carry_out(entity: str) -> Response:
    """Merges as chosen; what stands in the way is told on the page, with every choice as it was."""
    ids, kept = _ids(request.form.getlist("id")), number_in(request.form.get("keep", ""))
    chosen = {k.removeprefix("from."): number_in(v) or 0 for k, v in request.form.items() if k.startswith("from.")}
    lines = {k.removeprefix("lines."): v == "all" for k, v in request.form.items() if k.startswith("lines.")}
    if entity not in reading().app.entities or kept is None or kept not in ids:
        raise NotFound
    try:
        with writing() as session:
            done = merge(session, entity, kept, [i for i in ids if i != kept], chosen, lines)
    except Refused as error:
        told = [say_problem(p, state().language) for p in error.problems] or [say_answer(error, state().language)]
        return _page(entity, ids, kept, chosen, told, 422)
    except Answer as error:
        if error.status != 409:
            raise
        return _page(entity, ids, kept, chosen, [say_answer(error, state().language)], 422)
    text = say("merge.done", state().language, count=len(ids) - 1)
    note(text, undo=f"/e/{entity}/{done.kept}/actions/unmerge")
    return htmx.go(f"/e/{entity}/{done.kept}")


def _ids(texts: Sequence[str]) -> list[int]:
    numbers = (number_in(text) for text in texts)
    return list(dict.fromkeys(n for n in numbers if n is not None))[:MOST]


def _page(
    entity: str,
    ids: Sequence[int],
    kept: int | None,
    chosen: Mapping[str, int],
    problems: Sequence[str] = (),
    status: int = 200,
) -> Response:
    session = reading()
    binder = Binder(session, device())
    binder.entity(entity, alone=False)
    described = mergeable(session, entity).entity
    if not all(binder.can(entity, operation) for operation in ("edit", "delete")):
        raise Forbidden("duplicate.may_not")
    names = [f.name for f in choosable(session, entity)]
    found = {r.id: r for r in read_many(session, entity, ids, [*names, *_title(binder, described)])}
    if any(i not in found for i in ids):
        raise NotFound
    if ids:
        may_merge(session, entity, ids[0], ids[1:])
    kept = kept if kept in found else (ids[0] if ids else None)
    records = [found[i] for i in ids]
    values = {
        "entity": entity,
        "label": described.label.of(binder.language),
        "plural": described.plural.of(binder.language),
        "icon_name": described.icon,
        "records": [(r.id, title_of(binder, entity, r)) for r in records],
        "second": second_lines(binder, entity, ids),
        "kept": kept,
        "rows": _rows(binder, entity, names, records, kept, chosen),
        "lines": _lines(binder, described),
        "likely": twins_of(binder, entity, ids[0]) if len(ids) == 1 else (),
        "problems": problems,
        "most": MOST,
    }
    return make_response(render_template("duplicates/merge.html", **values), status)


def _title(binder: Binder, described: Entity) -> list[str]:
    return [described.title] if described.title != "id" and binder.visible(described.name, described.title) else []


def _rows(
    binder: Binder,
    entity: str,
    names: Sequence[str],
    records: Sequence[Record],
    kept: int | None,
    chosen: Mapping[str, int],
) -> list[Row]:
    """Only where they differ; where the record that stays has nothing, the first other that has is chosen."""
    kit = kit_for(binder)
    rows = []
    for name in names:
        bound = binder.field(entity, name)
        if bound is None:
            continue
        show = widget(bound.widget).show(bound, kit)
        shown = [(r.id, show(r.values.get(name), r.titles.get(name))) for r in records]
        cells = tuple((i, Markup(html)) for i, html in shown)  # noqa: S704 - widgets escape
        if len({text for _, text in cells}) < 2:
            continue
        filled = [i for i, text in cells if text]
        first = kept if kept in filled or not filled else filled[0]
        rows.append(Row(name=name, label=bound.label, cells=cells, chosen=chosen.get(name) or first or 0))
    return rows


def _lines(binder: Binder, described: Entity) -> list[tuple[str, str]]:
    own = [f for f in described.own_fields if f.storage == "children" and f.computed == "no" and not f.retired]
    return [(f.name, f.label.of(binder.language)) for f in own if binder.visible(described.name, f.name)]


# --- what is there twice ---------------------------------------------------------------------------------------------


@blueprint.get("/e/<entity>/duplicates")
def found(entity: str) -> Response:
    """The groups that the last search found, as far as this person may see and merge them."""
    session = reading()
    binder = Binder(session, device())
    described = _searchable(binder, entity)
    after = number_in(request.args.get("after", "")) or 0
    several = groups.groups_of(session, entity, after=after, limit=PAGE)
    ids = tuple(dict.fromkeys(i for group in several for i in group.records))
    seen = {}
    if ids:
        select = tuple(_title(binder, described)) or ("id",)
        page = run(session, Query(entity=entity, select=select, ids=ids[:2000], limit=2000))
        seen = {row.id: title_of(binder, entity, row) for row in page.rows}
    shown = [(g, [(i, seen[i]) for i in g.records if i in seen]) for g in several]
    values = {
        "entity": entity,
        "plural": described.plural.of(binder.language),
        "groups": [(g, members) for g, members in shown if len(members) > 1],
        "second": second_lines(binder, entity, list(seen)),
        "next": several[-1].id if len(several) == PAGE else None,
        "count": groups.count(session, entity),
    }
    return make_response(render_template("duplicates/found.html", **values))


@blueprint.post("/e/<entity>/duplicates/search")
def search_anew(entity: str) -> Response:
    """Has all records of the entity searched in the background."""
    with writing() as session:
        _searchable(Binder(session), entity)
        groups.ask(session, entity)
    note(say("duplicate.searching", state().language), "info")
    return htmx.go(f"/e/{entity}/duplicates")


@blueprint.post("/e/<entity>/duplicates/<int:group_id>/aside")
def aside(entity: str, group_id: int) -> Response:
    """These are no duplicates."""
    with writing() as session:
        _searchable(Binder(session), entity)
        groups.put_aside(session, entity, group_id)
    return htmx.go(f"/e/{entity}/duplicates")


def _searchable(binder: Binder, entity: str) -> Entity:
    """Raises `NotFound` where there is nothing to search by, `Forbidden` for those who could not merge."""
    described = binder.entity(entity, alone=False)
    if not groups.searched(binder.session, entity):
        raise NotFound
    if not all(binder.can(entity, operation) for operation in ("edit", "delete")):
        raise Forbidden("duplicate.may_not")
    return described
