"""Running approvals when their rule changes: they keep the chain they began with.

Where a step they wait at is gone, the new rule says by `moved:` where they go on; publishing asks otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.model import Application
from runtime.schema.tables import Tables

if TYPE_CHECKING:
    from metadata.models.approval import Approval
    from runtime.site import Session

WAITING = ("open", "parked")
SAMPLE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranded:
    """Cases that wait at a step the new rule does not have. `to`: where it moves them; None: it does not say.

    `rule_gone`: the approval itself is gone.
    """

    approval: str
    entity: str
    step: str
    to: str | None
    count: int
    sample: tuple[int, ...]
    rule_gone: bool = False


def stranded(connection: sa.Connection, tables: Tables, new: Application) -> Iterator[Stranded]:
    """What publishing `new` means for the cases running now; `tables` are those of the version served."""
    rules: Mapping[str, Any] = new.of("approval")
    found: dict[tuple[str, str, str], list[int]] = {}
    for row in connection.execute(_waiting(tables)):
        rule = rules.get(row.approval)
        if rule is None or rule.step(row.name) is None:
            found.setdefault((row.approval, row.entity, row.name), []).append(row.id)
    for (approval, entity, step), cases in sorted(found.items()):
        rule = rules.get(approval)
        yield Stranded(
            approval=approval,
            entity=entity,
            step=step,
            to=dict(rule.moved).get(step) if rule is not None else None,
            count=len(cases),
            sample=tuple(cases[:SAMPLE]),
            rule_gone=rule is None,
        )


def _waiting(tables: Tables) -> sa.Select[Any]:
    case, step = tables.table("approval_case"), tables.table("approval_step")
    wanted = sa.select(case.c.id, case.c.approval, case.c.entity, step.c.name).join(step, step.c.case == case.c.id)
    running = wanted.where(case.c.state.in_(("waiting", "parked")), step.c.state.in_(WAITING))
    return running.where(case.c.deleted_at.is_(None)).order_by(case.c.id)


def move_cases(session: Session) -> int:
    """Moves the cases that wait at a step their rule has moved; the number of cases. Part of publishing."""
    moving: dict[int, str] = {}
    rules = session.app.of("approval")
    if not any(rule.moved for rule in rules.values()):
        return 0
    for row in session.connection.execute(_waiting(session.tables)).all():
        rule = rules.get(row.approval)
        target = dict(rule.moved).get(row.name) if rule is not None else None
        if rule is not None and target is not None and rule.step(row.name) is None:
            moving.setdefault(row.id, target)
    for case_id, target in moving.items():
        _move(session, case_id, target)
    return len(moving)


def _move(session: Session, case_id: int, target: str) -> None:
    from rules.approving import relocate
    from runtime.decisions import approval_store as store
    from runtime.decisions import approvals  # late: decisions stand on what is published

    held = store.load(session, case_id, lock=True)
    rule: Approval = session.app.of("approval")[held.rule.name]
    people = approvals.directory(session, held)
    people = approvals.People(session, rule, people.record, people.submitter)
    environment = approvals.environment_of(session, people.record)
    after = relocate(held.case, approvals.chain(rule, people.record, environment), target, people)
    table = session.table(store.CASE)
    session.connection.execute(
        sa.update(table).where(table.c.id == case_id).values(published=session.version, fingerprint=rule.fingerprint)
    )
    store.write_steps(session, case_id, after.steps, rule)
    coming = tuple(replace(step, state="coming", why="") for step in after.steps)
    moved = replace(held, rule=rule, case=replace(held.case, steps=coming))
    approvals.follow(session, moved, after, [])
