"""Creating and updating records: the one way in, for one record and for many, every step set by set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from runtime.collector import at_rest
from runtime.errors import Answer, Conflict, Forbidden, NotFound, RecordProblem, Refused, Stale
from runtime.records import rulebook
from runtime.records.compute import (
    apply_defaults,
    compute_formulas,
    freeze_rates,
    lines_differ,
    tree_of,
)
from runtime.records.input import announce, fill, fill_new
from runtime.records.living import living_of
from runtime.records.persist import persist
from runtime.records.plan import EntityPlan, plan_of
from runtime.records.validate import (
    check_links,
    check_required,
    check_tree,
    check_unique,
    enforce_conditions,
    run_checks,
)
from runtime.records.values import CHUNK, Draft, Loader
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session

PROTECTED = frozenset(  # written by the platform alone; nobody edits what has happened
    {
        "audit", "stage_log", "score_result", "qualification_check", "qualification_line",
        "approval_case", "approval_step", "approval_task", "approval_entry",
        "revision", "assignment_decision", "assignment_turn", "ownership_log", "pool_view", "pool_claim",
        "workflow_run", "workflow_step", "rule_run", "reminder_match", "reminder_notice",
    }
)  # fmt: skip
BATCH = 500  # records carried through the steps at a time: memory stays flat


class Saved(NamedTuple):
    """What became of a record. `visible` is False where its writer has given it away."""

    id: int
    version: int
    number: str | None = None
    warnings: tuple[RecordProblem, ...] = ()
    visible: bool = True


def create(session: Session, entity: str, values: Mapping[str, Any]) -> Saved:
    """Creates a record with its lines. Raises `Refused` with every problem found, `Forbidden`, `NotFound`."""
    return _only(create_many(session, entity, [values], atomic=False))


def create_many(
    session: Session, entity: str, rows: Sequence[Mapping[str, Any]], atomic: bool = True
) -> list[Saved | Answer]:
    """Creates many records. `atomic`: all or none, problems named `rows.N.field`; else an answer for each row."""
    _may_write(session, entity)
    access = Access(session)
    if not access.can(entity, "create"):
        raise Forbidden() if access.can(entity, "read") else NotFound()
    plan = plan_of(session, entity)
    answers: list[Saved | Answer] = []
    with _together(session, atomic, len(rows)):
        for start in range(0, len(rows), BATCH):
            drafts = _new_drafts(session, plan, access, rows[start : start + BATCH])
            answers.extend(_write(session, plan, access, drafts, creating=True, atomic=atomic, before=answers))
        _all_or_none(answers, atomic)
    return answers


def update(
    session: Session, entity: str, record_id: int, values: Mapping[str, Any], *, version: int | None = None
) -> Saved:
    """Changes what is given, and nothing else. Raises also `Stale` where `version` is not the present one."""
    return _only(update_many(session, entity, [(record_id, values, version)], atomic=False))


def update_many(
    session: Session,
    entity: str,
    changes: Sequence[tuple[int, Mapping[str, Any], int | None]],
    atomic: bool = True,
) -> list[Saved | Answer]:
    """Changes many records: (id, values, expected version or None) each."""
    _may_write(session, entity)
    access = Access(session)
    if not access.can(entity, "read"):
        raise NotFound()
    plan = plan_of(session, entity)
    answers: list[Saved | Answer] = []
    with _together(session, atomic, len(changes)):
        for start in range(0, len(changes), BATCH):
            drafts = _changed_drafts(session, plan, access, changes[start : start + BATCH])
            answers.extend(_write(session, plan, access, drafts, creating=False, atomic=atomic, before=answers))
        _all_or_none(answers, atomic)
    return answers


@contextmanager
def _together(session: Session, atomic: bool, count: int) -> Iterator[None]:
    """Several batches that are one: what earlier ones wrote goes when a later one is refused."""
    if count <= BATCH:
        yield
        return
    with at_rest(), session.connection.begin_nested() if atomic else nullcontext():
        yield


def _may_write(session: Session, entity: str) -> None:
    if not session.write:
        raise RuntimeError("this session was opened for reading")
    if entity not in session.app.entities or session.app.entities[entity].retired:
        raise NotFound()
    if entity in PROTECTED:
        raise Forbidden()


def _only(answers: list[Saved | Answer]) -> Saved:
    answer = answers[0]
    if isinstance(answer, Answer):
        raise answer
    return answer


def _all_or_none(answers: list[Saved | Answer], atomic: bool) -> None:
    """Raises what refuses the whole, each problem with the number of its row."""
    if not atomic:
        return
    refused = [(n, a) for n, a in enumerate(answers) if isinstance(a, Answer)]
    other = next((a for _, a in refused if not isinstance(a, Refused)), None)
    if other is not None:
        raise other
    if refused:
        raise Refused(problems=[replace(p, field=_row_path(n, p.field)) for n, a in refused for p in a.problems])


def _row_path(number: int, field: str | None) -> str:
    return f"rows.{number}.{field}" if field else f"rows.{number}"


# --- drafts --------------------------------------------------------------------------------------------------------


def _new_drafts(
    session: Session, plan: EntityPlan, access: Access, rows: Sequence[Mapping[str, Any]]
) -> list[Draft | Answer]:
    loader = Loader(session)
    drafts = [Draft(loader, plan, None) for _ in rows]
    if len(drafts) == 1:
        fill(drafts[0], rows[0], session, access)
    else:
        fill_new(drafts, rows, session, access)
    return list(drafts)


def _changed_drafts(
    session: Session, plan: EntityPlan, access: Access, changes: Sequence[tuple[int, Mapping[str, Any], int | None]]
) -> list[Draft | Answer]:
    stored = _before_images(session, plan, access, [i for i, _, _ in changes])
    loader = Loader(session)
    loader.own(plan.name, stored)
    drafts: list[Draft | Answer] = []
    seen: set[int] = set()
    for record_id, values, version in changes:
        found = stored.get(record_id)
        if found is None:
            drafts.append(NotFound())
            continue
        row, may_edit, may_assign = found
        if record_id in seen:
            drafts.append(Conflict("already_done"))
            continue
        seen.add(record_id)
        draft = Draft(loader, plan, row)
        fill(draft, values, session, access)
        note_changes(draft)
        drafts.append(_allowed(draft, may_edit, may_assign) or _fresh(draft, version) or draft)
    return drafts


def _before_images(
    session: Session, plan: EntityPlan, access: Access, ids: Sequence[int]
) -> dict[int, tuple[dict[str, Any], bool, bool]]:
    """The visible living records with whether they may be edited and assigned; elsewhere than SQLite locked."""
    ordered = sorted({i for i in ids if isinstance(i, int) and 0 < i < 2**63})
    if session.site.dialect == "sqlite" and all(access.unlimited(plan.name, o) for o in ("read", "edit", "assign")):
        living = living_of(session, plan)
        parts = (ordered[start : start + CHUNK] for start in range(0, len(ordered), CHUNK))
        records = (plan.row(row) for part in parts for row in living.rows(session.connection, part))
        return {record["id"]: (record, True, True) for record in records}
    table = plan.table
    readable = access.predicate(plan.name, "read", table)
    rights = [access.predicate(plan.name, operation, table) for operation in ("edit", "assign")]
    flags = [sa.true() if right is None else right for right in rights]
    flags = [sa.case((flag, 1), else_=0) for flag in flags]
    statement = sa.select(*table.c, *flags).where(table.c.deleted_at.is_(None)).order_by(table.c.id)
    if readable is not None:
        statement = statement.where(readable)
    if session.site.dialect != "sqlite":
        statement = statement.with_for_update(of=table, key_share=True)
    found: dict[int, tuple[dict[str, Any], bool, bool]] = {}
    for start in range(0, len(ordered), CHUNK):
        for row in session.connection.execute(statement.where(table.c.id.in_(ordered[start : start + CHUNK]))):
            record = plan.row(row[:-2])
            found[record["id"]] = (record, bool(row[-2]), bool(row[-1]))
    return found


def note_changes(draft: Draft) -> None:
    """Which of the given fields differ from what is stored, in the record and its lines."""
    before = draft.before
    for name in draft.given:
        field = draft.plan.fields[name]
        if field.storage == "children":
            for line in draft.lines[name]:
                note_changes(line)
            continue
        if before is None or field.storage in ("choices", "links"):
            same = before is not None and set(draft.joins.get(name, ())) == set(draft.values.get(name) or ())
        else:
            same = before.get(name) == draft.values.get(name)
        if not same:
            draft.changed.add(name)
    if before is not None and draft.position is not None and before.get("position") != draft.position:
        draft.changed.add("position")


def _allowed(draft: Draft, may_edit: bool, may_assign: bool) -> Answer | None:
    """Editing takes the record in the scope of edit; handing it over takes `assign` and nothing else."""
    handed = draft.changed & draft.plan.scope_fields
    rest = (draft.changed | {name for name in draft.lines if lines_differ(draft, name)}) - handed
    if (handed and not may_assign) or (rest and not may_edit):
        return Forbidden()
    if not handed and not rest and not may_edit and not draft.problems and not may_assign:
        return Forbidden()
    if draft.problems and not may_edit and not may_assign:
        return Forbidden()
    return None


def _fresh(draft: Draft, version: int | None) -> Answer | None:
    assert draft.before is not None
    current = draft.before["version"]
    if version is None or version == current:
        return None
    return Stale(current_version=current, differing={n: draft.before.get(n) for n in sorted(draft.changed)})


# --- the steps -----------------------------------------------------------------------------------------------------


def _write(
    session: Session,
    plan: EntityPlan,
    access: Access,
    drafts: Sequence[Draft | Answer],
    *,
    creating: bool,
    atomic: bool,
    before: Sequence[Saved | Answer],
) -> list[Saved | Answer]:
    """Checks every draft and writes the good ones; with `atomic` none where one is bad."""
    judged = _judge(session, plan, access, [d for d in drafts if isinstance(d, Draft)])
    verdicts = {id(draft): answer for draft, answer in judged}
    answers = [d if isinstance(d, Answer) else verdicts[id(d)] for d in drafts]
    good = [d for d, answer in zip(drafts, answers) if isinstance(d, Draft) and answer is None]
    failed = atomic and any(isinstance(a, Answer) for a in (*answers, *before))
    if not failed:
        lost = persist(session, plan, good, creating=creating, atomic=atomic)
        answers = [lost.get(id(d), a) if isinstance(d, Draft) else a for d, a in zip(drafts, answers)]
    open_to_all = access.unlimited(plan.name, "read")
    return [
        a if isinstance(a, Answer) else _saved(plan, access, d, open_to_all)
        for d, a in zip(drafts, answers)
        if isinstance(a, Answer) or isinstance(d, Draft)
    ]


def _saved(plan: EntityPlan, access: Access, draft: Answer | Draft, open_to_all: bool) -> Saved:
    assert isinstance(draft, Draft)
    number = draft.values.get(plan.numbered) if plan.numbered else None
    seen = open_to_all or access.allows(plan.name, "read", draft, draft.loader.environment)
    version = draft.values.get("version") or 1
    return Saved(draft.record_id or 0, version, number, tuple(draft.warnings), seen)


def _judge(session: Session, plan: EntityPlan, access: Access, roots: list[Draft]) -> list[tuple[Draft, Answer | None]]:
    if not roots:
        return []
    rulebook.gathering(session, plan, roots)
    groups = tree_of(roots)
    for _, drafts in groups:
        announce(drafts, roots[0].loader)
    apply_defaults(session, groups)
    rulebook.deciding(session, groups)
    for _, drafts in groups:
        for draft in drafts:
            if draft.creating:
                draft.changed |= {n for n, v in draft.values.items() if v is not None}
    freeze_rates(session, groups)
    compute_formulas(session, roots)
    for group, drafts in groups:
        for draft in drafts:
            if group.conditional:
                enforce_conditions(session, draft)
            check_required(draft)
    check_links(session, groups, access)
    for group, drafts in groups:
        check_unique(session, group, drafts)
        check_tree(session, group, drafts)
        if group.entity.checks:
            for draft in drafts:
                run_checks(session, draft)
    rulebook.judging(session, groups)
    open_to_all = plan.back is None and all(access.unlimited(plan.name, o) for o in ("create", "edit"))
    return [(root, _verdict(access, plan, root, open_to_all)) for root in roots]


def _verdict(access: Access, plan: EntityPlan, root: Draft, open_to_all: bool) -> Answer | None:
    problems = root.problems
    if root.verdict is not None:
        return root.verdict
    if root.lines:
        family = [draft for _, drafts in tree_of([root]) for draft in drafts]
        verdict = next((draft.verdict for draft in family if draft.verdict is not None), None)
        if verdict is not None:
            return verdict
        problems = [p for draft in family for p in draft.problems]
    if problems:
        return Refused(problems=problems)
    return None if open_to_all or _within_reach(access, plan, root) else Forbidden()


def _within_reach(access: Access, plan: EntityPlan, root: Draft) -> bool:
    """The record as it will be lies in the scope it is written under, unless it is being handed over."""
    if access.superuser or (not root.creating and root.changed & plan.scope_fields):
        return True
    if plan.back is not None and plan.entity.parent is not None:
        owner = root.get(plan.back)
        return owner is not None and access.allows(plan.entity.parent[0], "edit", owner, root.loader.environment)
    return access.allows(plan.name, "create" if root.creating else "edit", root, root.loader.environment)
