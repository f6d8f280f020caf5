"""Records: list, create, read, change, recycle."""

from __future__ import annotations

from typing import Any, Literal

from flask import Response, request

from metadata.fields.base import Rejection
from metadata.fields.datetime import read_datetime
from metadata.model import Entity
from runtime import records
from runtime.decisions.pool_views import count_view, limited, uncounted
from runtime.digits import number_in
from runtime.errors import BadQuery, NotFound
from runtime.messages import say_problem
from runtime.query.select import Page, Query, parse_sort, parse_where, run
from runtime.security.access import Access
from runtime.site import Session
from web.api import context, idempotent
from web.api.present import Presenter, shown_fields
from web.api.problem import dump
from web.api.strict_json import printable

LIMIT = 50
MOST_ROWS = 1000
MOST_PATHS = 100
MOST_SORTS = 10
LIST_PARAMETERS = ("where", "select", "sort", "limit", "cursor", "count", "q")


def answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(dump(value), status, headers, mimetype="application/json")


# --- list ----------------------------------------------------------------------------------------------------------


def list_records(entity: str) -> Response:
    given = context.parameters(*LIST_PARAMETERS)
    with context.reading() as session:
        described = context.entity_of(session, entity)
        return answer(list_page(session, described, given))


def list_page(session: Session, entity: Entity, given: dict[str, str], **more: Any) -> dict[str, Any]:
    """One page of records as JSON, by the parameters of the query string."""
    access = Access(session)
    select = _paths(given["select"], "select") if "select" in given else shown_fields(entity, access.visible)
    if given.get("sort"):
        if given["sort"].count(",") >= MOST_SORTS:
            raise BadQuery("request.bad_parameter", name="sort", expected=f"a, -b … (1…{MOST_SORTS})")
        more["sort"] = parse_sort(session, entity.name, given["sort"])
    query = Query(
        entity=entity.name,
        select=tuple(_with_currencies(session, access, entity, select)),
        where=(parse_where(session, entity.name, given["where"]),) if given.get("where") else (),
        limit=context.whole(given, "limit", LIMIT, 1, MOST_ROWS),
        cursor=given.get("cursor") or None,
        count=_count(given),
        q=given.get("q") or None,
        **more,
    )
    page = run(session, query)
    return page_json(session, entity.name, select, page)


def page_json(session: Session, entity: str, select: list[str], page: Page) -> dict[str, Any]:
    presenter = Presenter(session, entity, select)
    rows = []
    for row in page.rows:
        record: dict[str, Any] = {"id": str(row.id)}
        record.update(presenter.row(row.values, row.titles))
        rows.append(record)
    return {"records": rows, "next": page.next, "count": page.count}


def _paths(text: str, name: str) -> list[str]:
    paths = [part.strip() for part in text.split(",") if part.strip()]
    if not paths or len(paths) > MOST_PATHS:
        raise BadQuery("request.bad_parameter", name=name, expected=f"a, b.c … (1…{MOST_PATHS})")
    return list(dict.fromkeys(paths))


def _count(given: dict[str, str]) -> Literal["exact"] | None:
    wanted = given.get("count", "none")
    if wanted not in ("exact", "none"):
        raise BadQuery("request.bad_parameter", name="count", expected="exact, none")
    return "exact" if wanted == "exact" else None


def _with_currencies(session: Session, access: Access, entity: Entity, select: list[str]) -> list[str]:
    """The currency of a record is read along with its money; also by one who did not ask for it."""
    extra: list[str] = []
    for path in select:
        try:
            extra += Presenter(session, entity.name, [path]).currencies
        except KeyError:
            continue  # an unknown name: the query answers for it, with its position
    return list(dict.fromkeys([*select, *(p for p in extra if access.visible(entity.name, p.split(".")[0]))]))


# --- one record ----------------------------------------------------------------------------------------------------


def read_record(entity: str, identity: str) -> Response:
    given = context.parameters("at", "select")
    with context.reading() as session:
        described = context.entity_of(session, entity)
        number = context.record_id(identity)
        if "at" in given:
            return answer(_at(session, described, number, given["at"]))
        if limited(session.app, entity) and uncounted(session, entity, number):
            with context.writing() as counting:
                count_view(counting, entity, number)
        record = records.read(session, entity, number, _fields(session, described, given))
        tag = etag(record.version)
        if request.headers.get("If-None-Match") == tag:
            return Response(status=304, headers={"ETag": tag})
        return answer(record_json(session, described, record), headers={"ETag": tag})


def _fields(session: Session, entity: Entity, given: dict[str, str]) -> list[str] | None:
    if "select" not in given:
        return None
    names = _paths(given["select"], "select")
    access = Access(session)
    for name in names:
        if name not in entity.fields or not access.visible(entity.name, name):
            raise BadQuery("bad_query", detail=printable(name))
    return names


def _at(session: Session, entity: Entity, number: int, text: str) -> dict[str, Any]:
    if "T" in text:
        text = text.replace(" ", "+")  # an offset whose + was not escaped
    try:
        moment = read_datetime(text)
    except Rejection as error:
        raise BadQuery("request.bad_parameter", name="at", expected="RFC 3339") from error
    if moment is None:
        raise BadQuery("request.bad_parameter", name="at", expected="RFC 3339")
    moment = moment if moment.tzinfo else moment.replace(tzinfo=session.zone)
    return record_json(session, entity, records.read_at(session, entity.name, number, moment))


def record_json(session: Session, entity: Entity, record: Any) -> dict[str, Any]:
    """A record as JSON: what the user sees of it, lines included."""
    plain, lines = _parts(session, entity, tuple(record.values))
    values = record.values
    result: dict[str, Any] = {"id": str(record.id)}
    result.update(Presenter(session, entity.name, plain).row(values, record.titles))
    result["version"] = record.version
    for name, line in lines:
        result[name] = lines_json(session, line, values[name])
    return result


def _parts(session: Session, entity: Entity, names: tuple[str, ...]) -> tuple[tuple[str, ...], list[tuple[str, str]]]:
    """The fields among `names` that are values, and those that are lines with their entity."""
    memo = session.tables.area("api records")
    key = (entity.name, names)
    if key not in memo:
        fields = [entity.fields[name] for name in names if name in entity.fields]
        lines = [(f.name, f.entity or "") for f in fields if f.storage == "children"]
        memo[key] = (tuple(f.name for f in fields if f.storage != "children"), lines)
    found: tuple[tuple[str, ...], list[tuple[str, str]]] = memo[key]
    return found


def lines_json(session: Session, entity: str, lines: Any) -> list[dict[str, Any]]:
    described = session.app.entities[entity]
    return [record_json(session, described, line) for line in lines or ()]


def create_record(entity: str) -> Response:
    context.parameters()

    def work(session: Session) -> Response:
        described = context.entity_of(session, entity, "create")
        saved = records.create(session, entity, context.body_object())
        headers = {"Location": f"/api/v1/{entity}/{saved.id}", "ETag": etag(saved.version)}
        return answer(_after(session, described, saved), 201, headers)

    return idempotent.run(work)


def change_record(entity: str, identity: str) -> Response:
    context.parameters()

    def work(session: Session) -> Response:
        described = context.entity_of(session, entity, "edit")
        number = context.record_id(identity)
        saved = records.update(session, entity, number, context.body_object(), version=expected_version())
        return answer(_after(session, described, saved), headers={"ETag": etag(saved.version)})

    return idempotent.run(work)


def delete_record(entity: str, identity: str) -> Response:
    context.parameters()

    def work(session: Session) -> Response:
        context.entity_of(session, entity, "delete")
        records.delete(session, entity, context.record_id(identity), version=expected_version())
        return Response(status=204)

    return idempotent.run(work)


def _after(session: Session, entity: Entity, saved: Any) -> dict[str, Any]:
    """The record as it is now; its id alone where the user has given it out of his own sight."""
    try:
        result = record_json(session, entity, records.read(session, entity.name, saved.id))
    except NotFound:
        result = {"id": str(saved.id)}
    if saved.warnings:
        result["_warnings"] = [
            {"field": w.field, "code": w.code, "message": say_problem(w, session.language)} for w in saved.warnings
        ]
    return result


def etag(version: int) -> str:
    return f'"{version}"'


def expected_version() -> int | None:
    """The version the caller has read, by If-Match; None where it is not sent, or is `*`."""
    text = request.headers.get("If-Match")
    if text is None or text.strip() == "*":
        return None
    inner = text.strip().removeprefix("W/").strip('"')
    number = number_in(inner)
    if number is None:
        raise BadQuery("request.bad_if_match")
    return number
