"""The page of one record, and the forms that create and change it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, jsonify, make_response, render_template, request
from markupsafe import Markup

from rules.expression import Expression
from runtime import revisions
from runtime.activities.complete import open_ids
from runtime.activities.mention import text_of
from runtime.digits import number_in
from runtime.duplicates.find import watched
from runtime.duplicates.rule import REFUSED, WARNED
from runtime.errors import Answer, Conflict, NotFound, RecordProblem, Refused, Stale
from runtime.messages import say_answer, say_problem
from runtime.records import Saved, create, delete, evaluate_form, read, restore, update
from runtime.records.form import stored_state
from runtime.views.binder import Binder, BoundField
from runtime.views.forms import BoundForm, Input, bind_form, read_form, read_lines
from runtime.views.records import currency_of, inputs, plain_line, title_of
from runtime.views.titles import titles_for, titles_of
from web import htmx
from web.device import device
from web.fields import written_fields
from web.form_session import form_token
from web.i18n import _, plural
from web.mentioning import tell_mentioned
from web.next_step import ask_on_next_page
from web.notes import note
from web.pages.duplicates import found_for
from web.prepared import Prepared, mark
from web.rows import kit_for
from web.state import reading, state, writing
from web.templating import framed
from web.why import why_text
from web.widgets import Kit, widget

blueprint = Blueprint("records", __name__)


def open_form(binder: Binder, entity: str, operation: str = "read") -> BoundForm:
    binder.entity(entity, operation)
    return bind_form(binder, entity)


def readable(binder: Binder, entity: str, names: Iterable[str]) -> list[str]:
    """What a page reads: the fields of its form, and what its head needs; a secret is never read."""
    fields = binder.app.entities[entity].fields
    wanted = dict.fromkeys([*names, *title_fields(binder, entity)])
    return [n for n in wanted if fields[n].type not in ("secret", "related")]


def title_fields(binder: Binder, entity: str) -> list[str]:
    described = binder.app.entities[entity]
    wanted = [described.title, described.number.field if described.number else None, described.currency]
    wanted += ["created_at", "created_by", "updated_at", "updated_by"]
    return [name for name in wanted if name and name != "id" and binder.visible(entity, name)]


# --- forms -------------------------------------------------------------------------------------------------------


@blueprint.get("/e/<entity>/new")
def new(entity: str) -> Response:
    """An empty form with its defaults; parameters of the address prefill fields."""
    session = reading()
    binder = Binder(session, device())
    form = open_form(binder, entity, "create")
    given = {name: values for name, values in request.args.to_dict(flat=False).items() if name in form.fields}
    started = evaluate_form(session, entity, None, read_form(form, given), form.conditions)
    return _form_page(binder, form, None, started.values, started=started)


@blueprint.get("/e/<entity>/<int:record_id>/edit")
def edit(entity: str, record_id: int) -> Response:
    session = reading()
    binder = Binder(session, device())
    form = open_form(binder, entity, "edit")
    record = read(session, entity, record_id, fields=readable(binder, entity, form.fields))
    draft = revisions.draft_of(session, entity, record_id)
    if draft is not None:
        return _draft_page(binder, form, record, draft)
    started = stored_state(session, entity, record_id, form.conditions)
    return _form_page(binder, form, record, record.values, started=started)


def _draft_page(binder: Binder, form: BoundForm, record: Any, draft: Mapping[str, Any]) -> Response:
    """The form of a change that was begun before: it goes on from there."""
    given = {n: v for n, v in (draft["changes"] or {}).items() if n in form.fields}
    now = evaluate_form(binder.session, form.entity, record.id, given, form.conditions)
    values = {**record.values, **{n: v for n, v in now.values.items() if n in form.fields}}
    titles = {**record.titles, **titles_for(binder, form, values, None)}
    return _form_page(binder, form, record, values, titles=titles, started=now, draft=draft)


@blueprint.get("/e/<entity>/<int:record_id>/copy")
def copy(entity: str, record_id: int) -> Response:
    """A form for a new record with the values of this one, except those that are not copied."""
    session = reading()
    binder = Binder(session, device())
    form = open_form(binder, entity, "create")
    copied = [n for n, f in form.fields.items() if f.field.copy and not f.readonly and f.widget != "secret"]
    record = read(session, entity, record_id, fields=copied)
    values = {name: record.values.get(name) for name in copied}
    for name, bound in form.fields.items():
        lines = values.get(name)
        if bound.widget == "lines" and lines:
            values[name] = [plain_line(line, with_id=False) for line in lines]
    started = evaluate_form(session, entity, None, values, form.conditions)
    return _form_page(binder, form, None, {**started.values, **values}, titles=record.titles, changed=True)


def _place(made: Mapping[str, Input], field: str | None, sentence: str) -> tuple[str, str, str]:
    """(id of the element, label, sentence) of a problem; a problem in a line names its line."""
    parts = (field or "").split(".")
    if parts[0] not in made:
        return "", "", sentence
    one = made[parts[0]]
    line = number_in(parts[1]) if len(parts) > 2 else None
    if line is not None:
        return f"f-{'-'.join(parts)}", f"{one.field.label}, {_('Line {n}', n=line + 1)}", sentence
    return one.id, one.field.label, sentence


def _form_page(
    binder: Binder,
    form: BoundForm,
    record: Any,
    values: Mapping[str, Any],
    *,
    titles: Mapping[str, Any] | None = None,
    raw: Mapping[str, Any] | None = None,
    started: Any = None,
    problems: Sequence[tuple[str | None, str]] = (),
    status: int = 200,
    conflict: Any = None,
    version: str | None = None,
    changed: bool = False,
    draft: Mapping[str, Any] | None = None,
    duplicates: str = "",
) -> Response:
    by_field: dict[str, list[str]] = {}
    for field, sentence in problems:
        if field is not None:
            by_field.setdefault(field, []).append(sentence)
    named = titles if titles is not None else (record.titles if record is not None else {})
    if raw is not None or record is None:
        named = {**named, **titles_for(binder, form, values, raw)}
    made = inputs(binder, form, values, named, raw=raw, state=started, problems=by_field)
    kit = kit_for(binder, currency_of(binder, form.entity, values))
    for one in made.values():
        one.reason = why_text(binder, form.entity, one.why)
        for cell in [one, *(c for row in one.rows for c in row)]:
            if cell.readonly or cell.field.readonly:
                cell.text = widget(cell.field.widget).show(cell.field, kit)(cell.value, cell.title)
    summary = [_place(made, field, sentence) for field, sentence in problems]
    currency = currency_of(binder, form.entity, values) or binder.session.site.settings.currency
    filled: dict[str, Any] = {
        **written_fields(binder, form, made, currency),
        "@title": title_of(binder, form.entity, record) if record is not None else "",
        "@version": version if version is not None else (record.version if record is not None else ""),
        "@id": record.id if record is not None else "",
        "@next": request.values.get("next", ""),
        "@token": form_token(),
        "@draft": _draft_note(binder, draft),
        **{f"@part:{key}": _HIDDEN if not _holds(started, key) else "" for key in form.conditions},
        "@duplicates": duplicates,
    }
    changed = changed or raw is not None
    if summary or conflict is not None:
        body = _form_body(form, filled, record is not None, changed, summary, conflict)
    else:
        bind = lambda: Prepared(_form_body(form, _Marks(), record is not None, changed))  # noqa: E731 - handed on once
        body = binder.keep("form page", form.entity, record is not None, changed, bind=bind).fill(filled)
    if htmx.wanted():
        return make_response(body, status)
    title = filled["@title"] or _("New {name}", name=form.label)
    return make_response(framed(str(title), body), status)


def _draft_note(binder: Binder, draft: Mapping[str, Any] | None) -> Markup:
    """Above the form: which change goes on here, whose it is, and its id for the way back."""
    number = number_in(request.form.get("draft", "")) if draft is None else draft["id"]
    if number is None:
        return Markup("")
    about = None
    if draft is not None:
        author = (
            titles_of(binder.session, "user", [draft["author"]]).get(draft["author"], "") if draft["author"] else ""
        )
        about = {"number": draft["number"], "author": author}
    return Markup(render_template("records/draft_note.html", id=number, about=about))  # noqa: S704 - escaped there


_HIDDEN = Markup(" hidden")


def _holds(started: Any, key: str) -> bool:
    return started is None or started.holds.get(key, True)


class _Marks(dict[str, Markup]):
    """A gap for whatever is asked for."""

    def __missing__(self, name: str) -> Markup:
        return mark(name)


def _form_body(
    form: BoundForm,
    filled: Mapping[str, Any],
    stored: bool,
    changed: bool,
    summary: Sequence[tuple[str, str, str]] = (),
    conflict: Any = None,
) -> Markup:
    """The form around its fields; `filled` has the fields by name, and `@` before what else belongs to a record."""
    html = render_template(
        "records/form_body.html",
        form=form,
        fields=filled,
        stored=stored,
        id=filled["@id"],
        title=filled["@title"],
        version=filled["@version"],
        next=filled["@next"],
        token=filled["@token"],
        draft=filled["@draft"],
        changed=changed,
        summary=summary,
        conflict=conflict,
        watched=watched(reading(), form.entity),
        duplicates=filled["@duplicates"],
    )
    return Markup(html)  # noqa: S704 - escaped by the template


@blueprint.post("/e/<entity>/new")
def save_new(entity: str) -> Response:
    return _save(entity, None)


@blueprint.post("/e/<entity>/<int:record_id>/edit")
def save(entity: str, record_id: int) -> Response:
    return _save(entity, record_id)


def _save(entity: str, record_id: int | None) -> Response:
    """Creates or changes; a refusal gives the form back with everything that was typed."""
    binder = Binder(reading(), device())
    form = open_form(binder, entity, "create" if record_id is None else "edit")
    given = read_form(form, request.form.to_dict(flat=False))
    version = request.form.get("version", "")
    closing: frozenset[int] = frozenset()
    said = ""  # in the text of an activity, before
    try:
        given = _with_files(form, given)
        with writing() as session:
            if record_id is None:
                saved = create(session, entity, given)
            else:
                asked = number_in(version)
                said = text_of(session, entity, record_id)
                closing = open_ids(session, entity, [record_id])
                session.cache[revisions.STARTED] = number_in(request.form.get("draft", ""))
                saved = update(session, entity, record_id, given, version=asked)
                closing -= open_ids(session, entity, [record_id]) if closing else closing
            tell_mentioned(session, entity, saved.id, said)
            look_first(saved, request.form.getlist("duplicates_seen"))
    except Likely as error:
        told = [(p.field, say_problem(p, state().language)) for p in error.problems]
        return _again(entity, record_id, given, told, 422, duplicates=_twins(entity, record_id))
    except Refused as error:
        alike = any(p.code == REFUSED for p in error.problems)
        shown = _twins(entity, record_id) if alike else Markup()
        return _again(entity, record_id, given, sentences(error), 422, duplicates=shown)
    except Stale as error:
        return _again(entity, record_id, given, [], 412, conflict=error)
    except Conflict as error:
        return _again(entity, record_id, given, [(None, say_answer(error, state().language))], 409)
    for warning in saved.warnings:
        if warning.code != WARNED:  # what is likely the same was looked at before
            note(say_problem(warning, state().language), "warning")
    note(_("Saved"))
    if request.form.get("then") == "new":
        return htmx.go(f"/e/{entity}/new")
    from web.account.sign_in import own_address  # late: pages do not otherwise need the account pages

    wanted = own_address(request.form.get("next"))
    to = wanted if wanted != "/" else f"/e/{entity}/{saved.id}"
    ask_on_next_page(entity, closing, to)
    return htmx.go(to)


class Likely(Exception):  # noqa: N818 - the way out of a transaction: its writer is asked first
    """The record is likely a twin of others that the person has not been shown yet; nothing is saved."""

    def __init__(self, problems: Sequence[RecordProblem]) -> None:
        super().__init__()
        self.problems = problems


def _twins(entity: str, record_id: int | None) -> Markup:
    """Those that are likely the same, as the form shows them."""
    return Markup(found_for(entity, record_id))  # noqa: S704 - escaped by its template


def look_first(saved: Saved, seen: Sequence[str]) -> None:
    found = [w for w in saved.warnings if w.code == WARNED and w.params.get("digest") not in seen]
    if found:
        raise Likely(found)


def _with_files(form: BoundForm, given: dict[str, Any]) -> dict[str, Any]:
    """Stages uploaded files; the record then links to them in its own transaction."""
    uploads = {name: file for name, file in request.files.items() if file and file.filename and name in form.fields}
    if not uploads:
        return given
    from web.pages.uploads import stage  # late: needs the file store only where something is uploaded

    return {**given, **{name: stage(form.fields[name], file) for name, file in uploads.items()}}


def sentences(error: Answer) -> list[tuple[str | None, str]]:
    language = state().language
    return [(p.field, say_problem(p, language)) for p in error.problems] or [(None, say_answer(error, language))]


def _again(
    entity: str,
    record_id: int | None,
    given: Mapping[str, Any],
    problems: list[tuple[str | None, str]],
    status: int,
    *,
    conflict: Stale | None = None,
    duplicates: str = "",
) -> Response:
    """The form as it was sent. After a conflict it shows what differs, and saves over the newer one if sent again."""
    session = reading()
    binder = Binder(session, device())
    form = open_form(binder, entity, "create" if record_id is None else "edit")
    record = None
    if record_id is not None:
        record = read(session, entity, record_id, fields=readable(binder, entity, form.fields))
    started = evaluate_form(session, entity, record_id, dict(given), form.conditions)
    values = record.values if record is not None else started.values
    differing = None
    version = request.form.get("version", "")
    if conflict is not None and record is not None:
        differing = _differences(binder, form, record, given, conflict)
        version = str(conflict.current_version)
    return _form_page(
        binder, form, record, values, raw=given, started=started, problems=problems, status=status, conflict=differing,
        version=version, duplicates=duplicates,
    )  # fmt: skip


def _differences(binder: Binder, form: BoundForm, record: Any, given: Mapping[str, Any], stale: Stale) -> list[Any]:
    """(label, what is stored now, what was typed) of the fields in which the two differ."""
    kit = kit_for(binder, currency_of(binder, form.entity, record.values))
    coercion = kit.coercion
    titles = titles_for(binder, form, record.values, given)
    found = []
    for name, bound in form.fields.items():
        if bound.readonly or name not in given or bound.widget in ("lines", "secret"):
            continue
        now = record.values.get(name)
        try:
            typed = bound.type.coerce(given[name], bound.field, coercion)
        except Exception:  # what cannot be read is shown as typed
            typed = given[name]
        same = typed == now or (not typed and not now)
        if same and name not in stale.differing:
            continue
        show_ = widget(bound.widget).show(bound, kit)
        try:
            mine = show_(typed, titles.get(name))
        except (TypeError, ValueError, AttributeError):
            mine = str(given[name] or "")
        if not same:
            found.append((bound.label, show_(now, record.titles.get(name)), mine))
    return found


@blueprint.post("/e/<entity>/evaluate")
@blueprint.post("/e/<entity>/<int:record_id>/evaluate")
def evaluate(entity: str, record_id: int | None = None) -> Response:
    """What the rules say of the form as it stands: computed values, what shows, what is required or locked."""
    session = reading()
    binder = Binder(session, device())
    form = open_form(binder, entity, "create" if record_id is None else "edit")
    sent = request.form.to_dict(flat=False)
    given = read_form(form, sent)
    now = evaluate_form(session, entity, record_id, given, form.conditions)
    kit = kit_for(binder, currency_of(binder, entity, now.values))
    made = inputs(binder, form, now.values, {}, state=now)
    fields: dict[str, Any] = {}
    for name, one in made.items():
        fields[name] = {"visible": one.visible, "required": one.required}
        if not one.field.readonly:
            fields[name]["readonly"] = one.readonly
        fields[name]["why"] = why_text(binder, entity, one.why)
        if one.field.field.computed != "no" and one.field.widget != "lines" and one.field.field.storage != "link":
            fields[name]["html"] = str(widget(one.field.widget).show(one.field, kit)(now.values.get(name), None))
        if one.field.widget == "lines":
            numbers = [number for number, _ in read_lines(one.field, sent)]
            fields.update(_line_cells(one.field, numbers, now.values.get(name) or (), kit))
    return jsonify({"fields": fields, "parts": now.holds})


def _line_cells(bound: BoundField, numbers: Sequence[str], lines: Sequence[Any], kit: Kit) -> dict[str, Any]:
    """What is computed in each line, and what an element left empty takes as its default."""
    found: dict[str, Any] = {}
    for number, line in zip(numbers, lines):
        values = plain_line(line)
        for member in bound.members:
            value, key = values.get(member.name), f"{bound.name}.{number}.{member.name}"
            if member.field.storage == "link":
                continue
            if member.field.computed != "no":
                found[key] = {"html": str(widget(member.widget).show(member, kit)(value, None))}
            elif isinstance(member.field.default, Expression) and value is not None and not member.readonly:
                found[key] = {"input": member.type.to_input(value, member.field, kit.coercion)}
    return found


# --- delete and restore ------------------------------------------------------------------------------------------


@blueprint.post("/e/<entity>/<int:record_id>/delete")
def remove(entity: str, record_id: int) -> Response:
    with writing() as session:
        if entity not in session.app.entities:
            raise NotFound
        delete(session, entity, record_id)
    text = str(plural(1, "{n} record moved to the recycle bin", "{n} records moved to the recycle bin"))
    note(text, undo=f"/e/{entity}/restore?id={record_id}")
    return htmx.go(f"/e/{entity}")


@blueprint.post("/e/<entity>/restore")
def bring_back(entity: str) -> Response:
    """Restores the records named by `id` in the address or the form: undo, and the button of the recycle bin."""
    named = (number_in(v) for v in [*request.args.getlist("id"), *request.form.getlist("id")])
    ids = [number for number in named if number is not None][:500]
    with writing() as session:
        if entity not in session.app.entities:
            raise NotFound
        for record_id in ids:
            restore(session, entity, record_id)
    note(plural(len(ids), "{n} record restored", "{n} records restored"))
    if "id" in request.args:
        return make_response("", 200)
    return htmx.go("/recycle-bin")


@blueprint.post("/e/<entity>/<int:record_id>/stage")
def move(entity: str, record_id: int) -> Response:
    """Moves the record along its path by a click; a refusal is told, nothing changes."""
    binder = Binder(reading(), device())
    form = open_form(binder, entity, "edit")
    if form.path is None or form.path.readonly:
        raise NotFound
    version = request.form.get("version", "")
    with writing() as session:
        asked = number_in(version)
        update(session, entity, record_id, {form.path.name: request.form.get("to", "")}, version=asked)
    return htmx.go(f"/e/{entity}/{record_id}")
