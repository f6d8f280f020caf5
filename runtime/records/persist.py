"""Drafts that were found good, written: what refuses them only now goes whole, and the rows beside it stay."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from runtime.errors import Answer, Busy, DiskFull, RecordProblem, Refused
from runtime.query import search
from runtime.records import rulebook, store
from runtime.records.attached import FILE, take_files
from runtime.records.changes import after_save, finish_lines
from runtime.records.compute import base_amounts, compute_formulas, give_numbers, lines_differ, tree_of
from runtime.records.plan import EntityPlan, plan_of
from runtime.security.secrets import seal_drafts

if TYPE_CHECKING:
    from runtime.records.values import Draft
    from runtime.site import Session


def persist(
    session: Session, plan: EntityPlan, drafts: list[Draft], *, creating: bool, atomic: bool
) -> dict[int, Answer]:
    """Writes the drafts. With `atomic` it raises what refuses one; else the answers of those refused, by draft.

    Refused while being written: a unique value taken meanwhile, a rule that acts on what stands in the database.
    """
    if not drafts:
        return {}
    guard = _guard(session, plan, drafts, atomic)
    return _persist(session, plan, drafts, creating=creating, atomic=atomic, guarded=guard)


def _persist(
    session: Session, plan: EntityPlan, drafts: list[Draft], *, creating: bool, atomic: bool, guarded: bool
) -> dict[int, Answer]:
    numbered = plan.numbered
    unnumbered = [d for d in drafts if creating and numbered is not None and d.values.get(numbered) is None]
    held: AbstractContextManager[Any] = session.connection.begin_nested() if guarded else nullcontext()
    try:
        with held:
            _store(session, plan, drafts, creating=creating)
        return {}
    except sa.exc.IntegrityError as error:
        answer = _collision(session, plan, error)
        if answer is None:
            raise
        answer.__cause__ = error
    except (Busy, DiskFull):
        raise
    except Answer as refusal:
        answer = refusal
    if atomic or not guarded:  # nothing to go back to: all of the transaction goes
        raise answer
    for draft in unnumbered:  # the counter went back as well
        draft.values[numbered or ""] = None
    for _, members in tree_of(drafts):
        for draft in members:
            draft.new_id = None
    if len(drafts) == 1:
        return {id(drafts[0]): answer}
    lost: dict[int, Answer] = {}
    for draft in drafts:
        lost.update(_persist(session, plan, [draft], creating=creating, atomic=False, guarded=True))
    return lost


def _guard(session: Session, plan: EntityPlan, drafts: Sequence[Draft], atomic: bool) -> bool:
    """Whether what is written has to be able to go back by itself, which costs a savepoint.

    SQLite's writer is alone, what was checked a moment ago still holds; elsewhere this is so where nothing has to be
    unique and no file is taken: link targets are held. Pairs and some rules write after the record, and may be refused
    by rules of their own: where all is or is not written together, that ends the transaction anyway.
    """
    memo = session.tables.memo
    found: tuple[bool, tuple[EntityPlan, ...]] | None = memo.get(("guard", plan.name))
    if found is None:
        family = tuple(_family(session, plan, {}).values())
        taken = any(p.uniques or any(f.to == FILE for f in p.links) for p in family)
        always = any(p.paired for p in family) or (taken and session.site.dialect != "sqlite")
        found = memo["guard", plan.name] = always, family
    always, family = found
    return always or (not atomic and any(rule.late(p, len(drafts)) for p in family for rule in p.rules))


def _family(session: Session, plan: EntityPlan, known: dict[str, EntityPlan]) -> dict[str, EntityPlan]:
    """The entity and its lines, and theirs."""
    known[plan.name] = plan
    for child, _ in plan.children:
        if child.name not in known:
            _family(session, plan_of(session, child.name), known)
    return known


def _collision(session: Session, plan: EntityPlan, error: sa.exc.IntegrityError) -> Answer | None:
    """The refusal for a unique value that another transaction was faster to take, or a target just removed."""
    text = str(error.orig)
    if "FOREIGN KEY" in text or getattr(error.orig, "sqlstate", None) == "23503":
        return Refused(problems=[RecordProblem(code="no_such_record")])
    for candidate in (plan, *(plan_of(session, e.name) for e, _ in plan.children)):
        for unique in candidate.uniques:
            columns = [candidate.fields[n].column or n for n in unique.fields]
            named = all(f"{candidate.table.name}.{c}" in text for c in columns)
            if named or "_".join([f"ux_{candidate.table.name}", *columns])[:54] in text:
                code = "unique" if len(columns) == 1 else "unique_together"
                params = {"fields": ", ".join(unique.fields)} if len(columns) > 1 else {}
                return Refused(problems=[RecordProblem(code=code, field=unique.fields[0], params=params)])
    if "UNIQUE" in text or getattr(error.orig, "sqlstate", None) == "23505":
        return Refused(problems=[RecordProblem(code="unique")])
    return None


def _store(session: Session, plan: EntityPlan, drafts: list[Draft], *, creating: bool) -> None:
    if creating:
        give_numbers(session, plan, drafts)
        if plan.numbered:
            late = frozenset({(plan.name, plan.numbered)})
            compute_formulas(session, drafts, only=late)
    for group, members in tree_of(drafts):
        base_amounts(session, group, members)
        if group.secrets:
            for draft in members:
                seal_drafts(session.site, group.secrets, draft)
    if creating:
        store.insert(session, plan, drafts)
        written = drafts
    else:
        written = [d for d in drafts if d.changed or any(lines_differ(d, n) for n in d.lines)]
        store.update(session, plan, written)
        for draft in written:
            draft.values["version"] = (draft.before or draft.values)["version"] + 1
    finish_lines(session, written)
    take_files(session, written)
    after_save(session, plan, written)
    rulebook.saved(session, written)
    search.index(session, plan, written)
    session.touch(plan.name)
