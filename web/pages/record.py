"""The page of one record, and its short form in the side panel of a list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, make_response, render_template

from runtime.actions import offers
from runtime.activities.log import target_of
from runtime.decisions.pool_views import count_view, limited, uncounted
from runtime.explain import is_number
from runtime.records import read
from runtime.records.form import conditions_of
from runtime.site import Session
from runtime.views.binder import Binder
from runtime.views.forms import BoundForm
from runtime.views.headers import next_fields, next_of, touches
from runtime.views.records import currency_of, title_of
from web import htmx
from web.device import device
from web.i18n import _
from web.pages.lists import editable
from web.pages.records import open_form, readable
from web.pages.whys import is_computed
from web.panels import panels
from web.rows import css_of, kit_for
from web.state import reading, writing
from web.widgets import Kit, widget

blueprint = Blueprint("record", __name__)


@blueprint.get("/e/<entity>/<int:record_id>")
def show(entity: str, record_id: int) -> Response:
    """The record: header, figures, path, tabs; related lists and history come by themselves when looked at."""
    session = _counted(reading(), entity, record_id)
    binder = Binder(session, device())
    form = open_form(binder, entity)
    own = [f.name for f in form.touch if "." not in f.key]
    names = [*form.names, *next_fields(binder, entity), *own]
    record = read(session, entity, record_id, fields=readable(binder, entity, names))
    kit = kit_for(binder, currency_of(binder, entity, record.values))
    shown = {name: widget(f.widget).show(f, kit) for name, f in {**form.fields, **_header(form)}.items()}
    texts = {name: show_(record.values.get(name), record.titles.get(name)) for name, show_ in shown.items()}
    values: dict[str, Any] = {
        "form": form,
        "record": record,
        "texts": texts,
        "title": title_of(binder, entity, record),
        "css_of": css_of,
        "may": {op: binder.can(entity, op) for op in ("edit", "create", "delete")},
        "figures": [f for f in form.header if form.path is None or f.name != form.path.name],
        "stage": record.values.get(form.path.name) if form.path else None,
        "code": _code(binder, entity, record),
        "stamps": _stamps(binder, entity, record),
        "offers": [offer for offer in offers(session, entity, record_id, seen=True) if offer.open or not offer.hidden],
        "panels": panels(session, binder.app.entities[entity]),
        "next": next_of(binder, entity, record.values),
        "next_at": _next_at(binder, entity, kit, record.values),
        "touches": touches(binder, form, record_id, record.values),
        "side": _side(binder, entity, form),
        "log": _may_log(binder, entity),
        "completes": _completes(binder, entity, form),
        "holds": _holding(session, entity, record_id, form),
        "is_computed": lambda field: is_computed(field) or is_number(binder.app.entities[entity], field.name),
        "editable": frozenset(),
    }
    if htmx.wanted() and htmx.target() == "peek":
        return make_response(render_template("records/peek.html", **values))
    values["editable"] = {name for name, f in form.fields.items() if editable(binder, entity, f)}
    return make_response(render_template("records/page.html", **values))


def _next_at(binder: Binder, entity: str, kit: Kit, values: Mapping[str, Any]) -> str:
    declared = binder.app.entities[entity].next_action
    moment = binder.field(entity, declared.at) if declared is not None else None
    if declared is None or moment is None or values.get(declared.at) is None:
        return ""
    return widget(moment.widget).show(moment, kit)(values[declared.at], None)


_SIDE = ("timeline", "documents")


def _side(binder: Binder, entity: str, form: BoundForm) -> tuple[str, ...]:
    """What stands beside the record: as its form says; where it says nothing, all there is."""
    there = {"timeline": True, "documents": binder.app.entities[entity].files}
    wanted = form.side or _SIDE
    return tuple(word for word in _SIDE if there[word] and word in wanted)


def _may_log(binder: Binder, entity: str) -> bool:
    target = target_of(binder.app, entity)
    return target is not None and binder.can(target.entity.name, "create")


def _completes(binder: Binder, entity: str, form: BoundForm) -> str:
    """The step of the path that completes an activity: it asks for what comes next instead of only moving."""
    activity = binder.app.entities[entity].activity
    return str(activity.done.get(form.path.name, "")) if activity is not None and form.path is not None else ""


def _holding(session: Session, entity: str, record_id: int, form: BoundForm) -> Mapping[str, bool]:
    """Which tabs and sections are shown on this record, of those with a condition."""
    return conditions_of(session, entity, record_id, form.conditions) if form.conditions else {}


def _counted(session: Session, entity: str, record_id: int) -> Session:
    """Counts a look at a record in a pool that limits them; the session to go on with."""
    if not limited(session.app, entity) or not uncounted(session, entity, record_id):
        return session
    with writing() as counting:
        count_view(counting, entity, record_id)
    return reading()


def _header(form: BoundForm) -> dict[str, Any]:
    found = {f.name: f for f in form.header}
    return found | ({form.path.name: form.path} if form.path else {})


def _code(binder: Binder, entity: str, record: Any) -> str:
    """The record's number, where it has one apart from its title."""
    number = binder.app.entities[entity].number
    if number is None or number.field is None or number.field == binder.app.entities[entity].title:
        return ""
    return str(record.values.get(number.field) or "")


def _stamps(binder: Binder, entity: str, record: Any) -> list[tuple[str, str, str]]:
    """(label, when, who) of creation and last change, as far as this user may see them."""
    kit = kit_for(binder)
    found = []
    for label, at, by in ((_("Created"), "created_at", "created_by"), (_("Changed"), "updated_at", "updated_by")):
        moment, person = binder.field(entity, at), binder.field(entity, by)
        if moment is None or record.values.get(at) is None:
            continue
        when = widget(moment.widget).show(moment, kit)(record.values.get(at), None)
        who = widget("user").show(person, kit)(record.values.get(by), record.titles.get(by)) if person else ""
        found.append((label, when, who))
    return found
