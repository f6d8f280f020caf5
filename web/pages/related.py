"""Parts of the record page that load when looked at: related lists and the history."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template, request

from rules.expression import Expression
from runtime.errors import NotFound
from runtime.query.select import Query, parse_where, run
from runtime.records import read
from runtime.views.binder import Binder
from runtime.views.forms import bind_form, bind_related
from runtime.views.history import changes_of
from web.device import device
from web.rows import css_of, kit_for, paint_rows, painter
from web.state import reading
from web.widgets import widget

blueprint = Blueprint("related", __name__)
PAGE = 20


def _open(binder: Binder, entity: str) -> None:
    binder.entity(entity)


@blueprint.get("/e/<entity>/<int:record_id>/related/<name>")
def related(entity: str, record_id: int, name: str) -> Response:
    """One page of the records that belong to this one."""
    session = reading()
    binder = Binder(session, device())
    _open(binder, entity)
    declared = next((t.related for t in bind_form(binder, entity).tabs if t.related and t.related.name == name), None)
    bound = declared or bind_related(binder, entity, name)
    if bound is None:
        raise NotFound
    page = max(1, request.args.get("page", 1, type=int))
    if bound.through:
        ids: tuple[int, ...] | None = tuple(read(session, entity, record_id, fields=[name]).values.get(name) or ())
        where: tuple[Expression, ...] = ()
    else:
        read(session, entity, record_id, fields=["id"])
        ids = None
        where = (parse_where(session, bound.entity, f"{bound.by}.id == {record_id}"),)
    columns = bound.columns
    target = binder.app.entities[bound.entity]
    rows, count = [], 0
    if ids is None or ids:
        paths = [c.key for c in columns]
        if target.currency and target.currency not in paths and binder.visible(bound.entity, target.currency):
            paths.append(target.currency)
        query = Query(
            entity=bound.entity, select=tuple(paths), where=where, ids=ids, limit=PAGE, page=page, count="capped"
        )
        found = run(session, query)
        rows, count = list(found.rows), found.count or 0
    opener = target.title if target.title in [c.key for c in columns] else columns[0].key if columns else ""
    own = target.parent is None
    paint = painter(binder, bound.entity, columns, opener if own else "", choose=False)
    return make_response(
        render_template(
            "records/related.html",
            bound=bound,
            columns=columns,
            css_of=css_of,
            rows=paint_rows(paint, rows),
            count=count,
            page=page,
            pages=-(-count // PAGE),
            record_id=record_id,
            entity=entity,
            opener=opener,
            may_create=own and binder.can(bound.entity, "create") and not bound.through,
        )
    )


@blueprint.get("/e/<entity>/<int:record_id>/history")
def history(entity: str, record_id: int) -> Response:
    """Who changed what and when."""
    session = reading()
    binder = Binder(session)
    _open(binder, entity)
    kit = kit_for(binder)

    def shown(name: str, value: object, title: object) -> str:
        field = binder.field(entity, name)
        return "" if field is None else str(widget(field.widget).show(field, kit)(value, title))

    few = request.args.get("few", 0, type=int)
    entries = changes_of(binder, entity, record_id, most=few if 0 < few < 100 else 200)
    return make_response(render_template("records/history.html", entries=entries, shown=shown, few=few))
