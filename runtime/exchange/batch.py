"""Doing what was planned for a batch of rows, through the record layer; what it refuses becomes a refused row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from runtime import records
from runtime.errors import Answer, Busy, DiskFull, RecordProblem
from runtime.exchange.rows import RowPlan
from runtime.messages import say_problem

if TYPE_CHECKING:
    from runtime.site import Session


class TurnedAway(Exception):  # noqa: N818 - the way out of a transaction in which nothing can be saved together
    """The batch as a whole was refused: its transaction is to be taken back, and its rows saved one by one."""


def apply(session: Session, entity: str, batch: Sequence[RowPlan], *, singly: bool = False) -> None:
    """Creates and updates. Afterwards every plan has its record's id and version, or problems and action `error`.

    All at once, in the transaction alone and without a savepoint, which would cost a copy of every page. Raises
    `TurnedAway` where that does not go; `singly` saves row by row.
    """
    creates = [plan for plan in batch if plan.action == "create"]
    updates = [plan for plan in batch if plan.action == "update"]
    if creates:
        rows = [plan.values for plan in creates]
        _save(session, creates, None if singly else lambda: records.create_many(session, entity, rows, atomic=False),
              lambda plan: records.create(session, entity, plan.values))  # fmt: skip
    if updates:
        changes = [(plan.record_id or 0, plan.values, _version(plan)) for plan in updates]
        _save(session, updates, None if singly else lambda: records.update_many(session, entity, changes, atomic=False),
              lambda p: records.update(session, entity, p.record_id or 0, p.values, version=_version(p)))  # fmt: skip


def _version(plan: RowPlan) -> int | None:
    """Lines are written as a whole: nobody may have changed them since they were read."""
    return plan.version if plan.guarded else None


def _save(
    session: Session,
    plans: Sequence[RowPlan],
    together: Callable[[], Sequence[Any]] | None,
    alone: Callable[[RowPlan], Any],
) -> None:
    if together is None:
        results: Sequence[Any] = [_alone(session, plan, alone) for plan in plans]
    else:
        try:
            results = together()
        except (Busy, DiskFull):
            raise
        except (Answer, sa.exc.IntegrityError, sa.exc.DataError) as error:
            raise TurnedAway from error
    for plan, result in zip(plans, results, strict=True):
        if isinstance(result, Answer):
            _refused(plan, result)
        else:
            plan.record_id, plan.version = result.id, result.version


def _alone(session: Session, plan: RowPlan, save: Callable[[RowPlan], Any]) -> Any:
    try:
        with session.connection.begin_nested():
            return save(plan)
    except (Busy, DiskFull):
        raise
    except Answer as answer:
        return answer
    except (sa.exc.IntegrityError, sa.exc.DataError):
        return Answer("refused")


def _refused(plan: RowPlan, answer: Answer) -> None:
    plan.action = "error"
    plan.problems += _distinct(answer.problems) or [RecordProblem(code=answer.code, params=answer.params)]


def _distinct(problems: Sequence[RecordProblem]) -> list[RecordProblem]:
    """Without what is said of the whole record and of a field as well."""
    said_of_field = {(p.code, p.message) for p in problems if p.field}
    return [p for p in problems if p.field or (p.code, p.message) not in said_of_field]


def said(problems: Sequence[Mapping[str, Any]], language: str) -> str:
    """The reasons of a refused row in one text: `电话：“1391234”不是有效的电话号码`."""
    colon, semicolon = ("：", "；") if language == "zh" else (": ", "; ")
    parts = []
    for problem in problems:
        text = say_problem(
            RecordProblem(code=problem["code"], params=problem["params"], message=problem["message"]), language
        )
        label = problem.get("label") or {}
        where = problem["column"] or label.get(language) or problem["field"]
        parts.append(f"{where}{colon}{text}" if where else text)
    return semicolon.join(part.rstrip("。.") for part in parts)
