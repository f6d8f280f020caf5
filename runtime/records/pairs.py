"""Links with `through:` written by the field itself: a record of the pair for each new member, none for one that left.

Pairs that stay are not touched, so what they hold beside their two links stays; those that leave go to the recycle bin.
All of it passes the record layer: the rights, rules and required fields of the pair's own entity hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import sqlalchemy as sa

from metadata.model import Application, Entity, Field
from runtime.errors import Answer, RecordProblem, Refused
from runtime.records.plan import EntityPlan
from runtime.records.rulebook import RecordRule, register
from runtime.records.values import CHUNK, Draft
from runtime.schema.tables import column_name, pair_links
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session


class PairRule(RecordRule):
    name = "pairs"

    def applies(self, app: Application, entity: Entity) -> bool:
        return any(field.through and not field.retired for field in entity.fields.values())

    def judging(self, session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
        """Members are added and removed by those who may create and delete the pairs."""
        access = Access(session)
        for draft, field, gone, new in _changed(plan, drafts):
            pair = field.through or ""
            may = (not new or access.can(pair, "create")) and (not gone or access.can(pair, "delete"))
            if not may or (gone and not _may_remove(session, plan, field, draft, gone, access)):
                draft.refuse("readonly", field.name)

    def late(self, plan: EntityPlan, count: int) -> bool:
        return bool(plan.paired)

    def saved(self, session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
        """Raises `Refused` where the pair's entity does not take the pair; the records just written go back then."""
        for draft, field, gone, new in _changed(plan, drafts):
            try:
                _write(session, plan, field, draft, gone, new)
            except Refused as answer:
                raise Refused(problems=[_of_field(p, draft, field) for p in answer.problems]) from answer
            except Answer as answer:
                raise Refused(problems=[_problem(draft, field, "readonly")]) from answer
            pair = session.app.entities[field.through or ""]
            if pair.parent is not None and pair.parent[0] == plan.name:  # writing lines has raised the version
                wanted = sa.select(plan.table.c.version).where(plan.table.c.id == draft.record_id)
                draft.values["version"] = session.connection.execute(wanted).scalar_one()


register(PairRule())


def _changed(
    plan: EntityPlan, drafts: Sequence[Draft]
) -> Iterator[tuple[Draft, Field, tuple[int, ...], tuple[int, ...]]]:
    """(draft, field, members that leave, members that are new)."""
    for draft in drafts:
        for field in plan.paired:
            if field.name not in draft.changed:
                continue
            before = () if draft.creating else draft.joins.get(field.name, ())
            after = tuple(dict.fromkeys(draft.values.get(field.name) or ()))
            yield (
                draft,
                field,
                tuple(i for i in before if i not in after),
                tuple(i for i in after if i not in before),
            )


def _pairs_of(
    session: Session, plan: EntityPlan, field: Field, draft: Draft, members: Sequence[int]
) -> tuple[sa.Table, sa.ColumnElement[bool]]:
    near, far = pair_links(session.app, plan.name, field)
    table = session.table(field.through or "")
    same = table.c[column_name(near)] == draft.record_id
    return table, sa.and_(same, table.c[column_name(far)].in_(members), table.c.deleted_at.is_(None))


def _may_remove(
    session: Session, plan: EntityPlan, field: Field, draft: Draft, gone: Sequence[int], access: Access
) -> bool:
    """Whether every pair of these members is in sight and in the scope of deleting."""
    for start in range(0, len(gone), CHUNK):
        table, wanted = _pairs_of(session, plan, field, draft, gone[start : start + CHUNK])
        rights = [access.predicate(field.through or "", operation, table) for operation in ("read", "delete")]
        allowed = sa.and_(sa.true(), *(right for right in rights if right is not None))
        outside = sa.select(table.c.id).where(wanted, sa.not_(allowed)).limit(1)
        if session.connection.scalar(outside) is not None:
            return False
    return True


def _write(
    session: Session, plan: EntityPlan, field: Field, draft: Draft, gone: Sequence[int], new: Sequence[int]
) -> None:
    from runtime.records.remove import delete  # late: both stand on the rules
    from runtime.records.save import create_many

    pair = field.through or ""
    for start in range(0, len(gone), CHUNK):
        table, wanted = _pairs_of(session, plan, field, draft, gone[start : start + CHUNK])
        for record_id in session.connection.scalars(sa.select(table.c.id).where(wanted).order_by(table.c.id)).all():
            delete(session, pair, record_id)
    if new:
        near, far = pair_links(session.app, plan.name, field)
        rows = [{near.name: draft.record_id, far.name: member} for member in new]
        for answer in create_many(session, pair, rows, atomic=False):
            if isinstance(answer, Answer):
                raise answer


def _of_field(problem: RecordProblem, draft: Draft, field: Field) -> RecordProblem:
    """A problem of the pair, told at the field that asked for it: `students.since`."""
    place = f"{draft.path}{field.name}"
    return replace(problem, field=f"{place}.{problem.field}" if problem.field else place)


def _problem(draft: Draft, field: Field, code: str) -> RecordProblem:
    return RecordProblem(code=code, field=f"{draft.path}{field.name}")
