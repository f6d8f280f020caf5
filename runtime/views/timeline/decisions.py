"""What was decided about a record: approvals, and the hands it went through."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from metadata.models.approval import Approval
from runtime.decisions import approval_store as store
from runtime.decisions.approval_simulation import why_of
from runtime.decisions.ownership import logs_moves, owner_field, pool_in
from runtime.decisions.people import names
from runtime.messages import say
from runtime.views.timeline.entries import Entry
from runtime.views.timeline.legs import Leg, Scope, of_log

APPROVALS, OWNERSHIP = "approvals", "ownership"
_SILENT = ("asked", "opened")  # steps of the chain itself, no deed of anybody


def legs(scope: Scope) -> list[Leg]:
    session, language = scope.binder.session, scope.binder.language
    entity, app = scope.entity, scope.binder.app
    found = []
    if app.rules_of(entity.name, "approval"):
        entry, case = session.table(store.ENTRY), session.table(store.CASE)
        found.append(
            Leg(
                word=APPROVALS,
                label=say("timeline.approvals", language),
                id=entry.c.id,
                at=entry.c.at,
                person=entry.c.person,
                source=entry.join(case, case.c.id == entry.c.case),
                wheres=(
                    *(case.c.entity == entity.name, case.c.record == scope.record, entry.c.action.not_in(_SILENT)),
                    *(case.c.deleted_at.is_(None), entry.c.deleted_at.is_(None)),  # as their indexes have it
                ),
                tell=_approvals,
            )
        )
    owner = owner_field(app, entity)
    if logs_moves(app, entity) and owner is not None and scope.binder.visible(entity.name, owner):
        log = session.table("ownership_log")
        here = (log.c.entity == entity.name, log.c.record == scope.record)
        wheres = (*here, log.c.reason != "created", log.c.deleted_at.is_(None))  # the last as its index has it
        found.append(of_log(scope, OWNERSHIP, log, "moved_at", "by_person", _hands, *wheres))
    return found


def _approvals(scope: Scope, ids: Sequence[int]) -> dict[int, Entry]:
    session, language = scope.binder.session, scope.binder.language
    entry, case = session.table(store.ENTRY), session.table(store.CASE)
    wanted = sa.select(entry, case.c.approval.label("rule")).join(case, case.c.id == entry.c.case)
    rows = session.connection.execute(wanted.where(entry.c.id.in_(list(ids)))).mappings().all()
    called = names(session, [row["to_person"] for row in rows if row["to_person"]])
    found = {}
    for row in rows:
        rule: Approval | None = session.app.of("approval").get(row["rule"])
        step = rule.step(row["step"]) if rule is not None and row["step"] else None
        about = [step.label.of(language) if step is not None else row["step"]] if row["step"] else []
        about += [f"→ {called[row['to_person']]}"] if row["to_person"] in called else []
        about += [why_of(session, row["why"])] if row["why"] else []
        found[row["id"]] = Entry(
            word=APPROVALS,
            leg=APPROVALS,
            id=row["id"],
            at=row["at"],
            person=row["person"],
            said=say(f"approval.event.{row['action']}", language),
            title=" · ".join(about),
            text=row["comment"] or "",
            icon="rubber-stamp",
        )
    return found


def _hands(scope: Scope, ids: Sequence[int]) -> dict[int, Entry]:
    session, language = scope.binder.session, scope.binder.language
    log = session.table("ownership_log")
    rows = session.connection.execute(sa.select(log).where(log.c.id.in_(list(ids)))).mappings().all()
    called = names(session, [row[k] for row in rows for k in ("from_person", "to_person") if row[k] is not None])
    options = session.app.options["ownership_reason"]

    def place(person: int | None, pool: str | None) -> str:
        found = pool_in(session.app, scope.entity.name, pool)
        if pool:
            return found.label.of(language) if found is not None else pool
        return called.get(person, "") if person is not None else say("pool.nobody", language)

    told = {}
    for row in rows:
        choice = options.choice(row["reason"])
        told[row["id"]] = Entry(
            word=OWNERSHIP,
            leg=OWNERSHIP,
            id=row["id"],
            at=row["moved_at"],
            person=row["by_person"],
            said=choice.label.of(language) if choice else row["reason"],
            tone=(choice.colour or "") if choice else "",
            title=f"{place(row['from_person'], row['from_pool'])} → {place(row['to_person'], row['to_pool'])}",
            text=row["note"] or "",
            icon="exchange",
        )
    return told
