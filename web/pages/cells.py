"""One field edited in place: its input in a cell of a list or on the record's page, and what is there after saving."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template, request

from runtime.activities.complete import open_ids
from runtime.digits import number_in
from runtime.errors import Answer, Forbidden, NotFound, Refused, Stale
from runtime.messages import say_answer, say_problem
from runtime.query.select import Query, run
from runtime.query.titles import titles_of
from runtime.records import read, update
from runtime.records.form import stored_state
from runtime.views.binder import Binder, BoundField
from runtime.views.forms import Input, read_one
from runtime.views.records import currency_of
from web import htmx
from web.device import device
from web.i18n import _
from web.next_step import ask_now
from web.pages.lists import editable, open_list, read_address
from web.rows import kit_for, painter, widget_of
from web.state import reading, writing
from web.why import why_text
from web.widgets import widget

blueprint = Blueprint("cells", __name__)
NOTHING = '<span class="none">—</span>'


@blueprint.get("/e/<entity>/<int:record_id>/cell/<name>")
def ask(entity: str, record_id: int, name: str) -> Response:
    """The input in place of the cell; closed where a rule of the record locks or hides the field now."""
    session = reading()
    binder = Binder(session, device())
    bound = _field(binder, entity, name)
    record = read(session, entity, record_id, fields=[name])
    held = stored_state(session, entity, record_id)
    if held is not None and (held.readonly.get(name) or not held.visible.get(name, True)):
        return make_response(
            render_template(
                "lists/cell_closed.html",
                why=why_text(binder, entity, held.why.get(name)) or _("This field cannot be edited now"),
            )
        )
    made = Input(field=bound, name=name, value=record.values.get(name), title=record.titles.get(name))
    if record.values.get(name) is not None:
        made.raw = bound.type.to_input(record.values[name], bound.field, binder.coercion())
        if bound.field.storage in ("links", "choices"):
            made.raw = [str(v) for v in record.values[name]]
    made.required = bound.required or bool(held and held.required.get(name))
    return _cell(binder, entity, record_id, made, record.version)


@blueprint.post("/e/<entity>/<int:record_id>/cell/<name>")
def save(entity: str, record_id: int, name: str) -> Response:
    """Saves the field and answers the row, or on the record's page the value; what is refused stays with the reason."""
    binder = Binder(reading(), device())
    bound = _field(binder, entity, name)
    texts = request.form.getlist(name)
    raw = read_one(bound, texts)
    version = number_in(request.form.get("version", ""))
    try:
        with writing() as session:
            closing = open_ids(session, entity, [record_id])
            update(session, entity, record_id, {name: raw}, version=version)
            closing -= open_ids(session, entity, [record_id]) if closing else closing
    except Stale as error:
        shown = _value(entity, record_id, bound)
        sentence = _("Changed by somebody else meanwhile. Save again to put yours in its place.")
        return _again(binder, entity, record_id, bound, texts, [sentence], error.current_version, 412, shown)
    except Refused as error:
        problems = [say_problem(p, binder.language) for p in error.problems] or [say_answer(error, binder.language)]
        return _again(binder, entity, record_id, bound, texts, problems, version, 422)
    except NotFound:
        raise
    except Answer as error:
        return _again(
            binder, entity, record_id, bound, texts, [say_answer(error, binder.language)], version, error.status
        )
    if on_record():
        answer = make_response(_value(entity, record_id, bound) or NOTHING)
        htmx.trigger(answer, "record-changed", {})
        return ask_now(answer, entity, closing, f"/e/{entity}/{record_id}")
    return ask_now(_row(entity, record_id), entity, closing, _list(entity))


def on_record() -> bool:
    """Whether the field is one of the record's page, and no cell of a list."""
    return request.args.get("at") == "record"


def _value(entity: str, record_id: int, bound: BoundField) -> str:
    """The value as it is stored now, as HTML."""
    binder = Binder(reading(), device())
    currency = binder.app.entities[entity].currency
    names = [bound.name, *([currency] if currency and binder.visible(entity, currency) else [])]
    now = read(binder.session, entity, record_id, fields=names)
    kit = kit_for(binder, currency_of(binder, entity, now.values), compact=not on_record())
    return widget(widget_of(bound)).show(bound, kit)(now.values.get(bound.name), now.titles.get(bound.name))


def _list(entity: str) -> str:
    """The list that the cell is in, as its address says it."""
    query = request.query_string.decode("utf-8", "replace")
    return f"/e/{entity}{'?' + query if query else ''}"


def _field(binder: Binder, entity: str, name: str) -> BoundField:
    open_list(binder, entity)
    bound = binder.field(entity, name) if name in binder.app.entities[entity].fields else None
    if bound is None:
        raise NotFound
    if not editable(binder, entity, bound):
        raise Forbidden
    return bound


def _again(
    binder: Binder,
    entity: str,
    record_id: int,
    bound: BoundField,
    texts: list[str],
    problems: list[str],
    version: int | None,
    status: int,
    theirs: str = "",
) -> Response:
    raw = texts if bound.widget in ("lookup_many", "tags") else texts[-1] if texts else None
    made = Input(field=bound, name=bound.name, raw=raw, value=raw)
    made.problems = problems
    number = number_in(raw) if isinstance(raw, str) else None
    if bound.target and number is not None:
        made.title = titles_of(binder.session, bound.target, [number]).get(number, "")
    return _cell(binder, entity, record_id, made, version, status, theirs)


def _cell(
    binder: Binder, entity: str, record_id: int, made: Input, version: int | None, status: int = 200, theirs: str = ""
) -> Response:
    query = request.query_string.decode("utf-8", "replace")
    html = render_template(
        "lists/cell.html",
        one=made,
        theirs=theirs,
        target="dd" if on_record() else "tr",
        version=version or "",
        address=f"/e/{entity}/{record_id}/cell/{made.name}{'?' + query if query else ''}",
    )
    answer = make_response(html, status)
    if status >= 400:  # the form stays in its cell; only what was saved takes the place of the row
        answer.headers["HX-Retarget"] = "closest dd" if on_record() else "closest td"
        answer.headers["HX-Reswap"] = "innerHTML"
    return answer


def _row(entity: str, record_id: int) -> Response:
    """The row as the list at this address shows it, with what was computed anew."""
    session = reading()
    binder = Binder(session, device())
    bound = open_list(binder, entity)
    asked = read_address(binder, bound, request.args.to_dict(flat=False))
    columns = asked.columns(bound)
    paths = [c.key for c in columns]
    currency = binder.app.entities[entity].currency
    if currency and currency not in paths and binder.visible(entity, currency):
        paths.append(currency)
    rows = run(session, Query(entity=entity, select=tuple(paths), ids=(record_id,), limit=1)).rows
    if not rows:
        return htmx.go(request.full_path.split("/cell/")[0].rsplit("/", 1)[0])
    opener = bound.opener if bound.opener in paths else columns[0].key
    choose = any(binder.can(entity, op) for op in ("edit", "assign", "delete"))
    return make_response(painter(binder, entity, columns, opener, choose=choose, frozen=asked.frozen)(rows[0]))
