"""Many records in one call: all or nothing, or row by row; a result for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Response

from runtime import records
from runtime.errors import Answer, BadQuery, RecordProblem, Refused
from runtime.messages import say_answer, say_problem
from runtime.site import Session
from web.api import context, idempotent
from web.api.records import answer

MOST = 10_000
OPERATIONS = ("create", "update", "delete")
_RIGHT = {"create": "create", "update": "edit", "delete": "delete"}


def batch(entity: str) -> Response:
    context.parameters()

    def work(session: Session) -> Response:
        operation, rows, atomic = _shape(context.body_object())
        context.entity_of(session, entity, _RIGHT[operation])
        results = _WORK[operation](session, entity, rows, atomic)
        return answer({"results": [_result(row, session.language) for row in results]})

    return idempotent.run(work)


def _shape(body: Mapping[str, Any]) -> tuple[str, list[Any], bool]:
    given = [name for name in OPERATIONS if name in body]
    atomic = body.get("atomic", True)
    if len(given) != 1 or set(body) - {"atomic", given[0]} or not isinstance(atomic, bool):
        raise BadQuery("request.batch_shape")
    rows = body[given[0]]
    if not isinstance(rows, list):
        raise BadQuery("request.batch_shape")
    if len(rows) > MOST:
        raise BadQuery("request.batch_too_large", max=MOST)
    return given[0], rows, atomic


def _create(session: Session, entity: str, rows: Sequence[Any], atomic: bool) -> list[Any]:
    return _in_order(rows, atomic, _is_object, lambda good: records.create_many(session, entity, good, atomic=atomic))


def _update(session: Session, entity: str, rows: Sequence[Any], atomic: bool) -> list[Any]:
    def change(good: Sequence[Any]) -> list[Any]:
        return records.update_many(session, entity, [_change(row) for row in good], atomic=atomic)

    return _in_order(rows, atomic, _names_a_record, change)


def _delete(session: Session, entity: str, rows: Sequence[Any], atomic: bool) -> list[Any]:
    def recycle(good: Sequence[Any]) -> list[Any]:
        results: list[Any] = []
        for number, row in enumerate(good):
            identity, version = (row, None) if isinstance(row, str | int) else (row["id"], row.get("version"))
            try:
                with session.connection.begin_nested():
                    records.delete(session, entity, _id(identity), version=version)
                results.append(_id(identity))
            except Answer as refusal:
                if atomic:
                    raise _at_row(refusal, number) from refusal
                results.append(refusal)
        return results

    return _in_order(rows, atomic, _names_a_record, recycle)


_WORK: dict[str, Callable[[Session, str, Sequence[Any], bool], list[Any]]] = {
    "create": _create,
    "update": _update,
    "delete": _delete,
}


def _in_order(
    rows: Sequence[Any],
    atomic: bool,
    problem_of: Callable[[Any], str | None],
    work: Callable[[Sequence[Any]], list[Any]],
) -> list[Any]:
    """Does the well-formed rows, and puts what is wrong with the others at their places."""
    bad = {n: code for n, row in enumerate(rows) if (code := problem_of(row)) is not None}
    refused = {n: Refused(problems=[RecordProblem(code=code)]) for n, code in bad.items()}
    if refused and atomic:
        first = next(iter(refused))
        raise _at_row(refused[first], first)
    done = iter(work([row for n, row in enumerate(rows) if n not in bad]))
    return [refused[n] if n in refused else next(done) for n in range(len(rows))]


def _at_row(refusal: Answer, number: int) -> Answer:
    """The refusal of one row as the refusal of the whole: its problems say which row."""
    problems = refusal.problems or [RecordProblem(code=refusal.code, params=refusal.params)]
    refusal.problems = [
        RecordProblem(
            code=p.code,
            field=f"rows.{number}.{p.field}" if p.field else f"rows.{number}",
            params=p.params,
            message=p.message,
        )
        for p in problems
    ]
    return refusal


def _is_object(row: Any) -> str | None:
    return None if isinstance(row, Mapping) else "batch.item_not_an_object"


def _names_a_record(row: Any) -> str | None:
    if isinstance(row, Mapping):
        version = row.get("version")
        if version is not None and (isinstance(version, bool) or not isinstance(version, int)):
            return "batch.item_without_id"
        row = row.get("id")
    return None if _is_id(row) else "batch.item_without_id"


def _is_id(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, str):
        return value.isascii() and value.isdigit() and 0 < len(value) <= 16
    return isinstance(value, int) and 0 < value < 10**16


def _id(value: Any) -> int:
    return int(value)


def _change(row: Mapping[str, Any]) -> tuple[int, dict[str, Any], int | None]:
    values = {name: value for name, value in row.items() if name not in ("id", "version")}
    return _id(row["id"]), values, row.get("version")


def _result(result: Any, language: str) -> dict[str, Any]:
    if isinstance(result, Answer):
        return {
            "status": result.status,
            "code": result.code,
            "detail": say_answer(result, language),
            "problems": [
                {"field": p.field, "code": p.code, "message": say_problem(p, language)} for p in result.problems
            ],
        }
    if isinstance(result, int):
        return {"id": str(result), "status": 204}
    return {"id": str(result.id), "version": result.version, "status": 201 if result.version == 1 else 200}
