"""What was changed: values of the record and of those beside it, and their moves from stage to stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from runtime.decisions.ownership import logs_moves, owner_field
from runtime.files.kept import ADDED, REMOVED
from runtime.query.titles import titles_of
from runtime.records.past import changes_told
from runtime.records.plan import plan_of
from runtime.views.binder import Binder
from runtime.views.history import Change, name_links
from runtime.views.timeline.entries import About, Entry
from runtime.views.timeline.legs import Asked, Leg, Scope, of_log

CHANGES, STAGES = "changes", "stages"
_NEVER_SHOWN = ("lines", "secret", "related")


def legs(scope: Scope, asked: Asked) -> list[Leg]:
    session = scope.binder.session
    audit, log = session.table("audit"), session.table("stage_log")

    def tell(told: Scope, ids: Sequence[int]) -> dict[int, Entry]:
        return _changes(told, ids, asked)

    own = asked.own
    changed = _about(scope, audit, own, "at", "person", "action")
    found = [of_log(scope, CHANGES, changed, "at", "person", tell, changed.c.action != ADDED)]
    tracked = {e: names for e in _entities(scope, own) if (names := _tracked(scope, e))}
    if tracked:
        moves = _about(scope, log, own, "entity", "field", "from_value", "moved_at", "person")
        fields = [sa.and_(moves.c.entity == e, moves.c.field.in_(names)) for e, names in tracked.items()]
        wheres = (sa.or_(*fields), moves.c.from_value.is_not(None))
        found.append(of_log(scope, STAGES, moves, "moved_at", "person", _moves, *wheres))
    return found


def _entities(scope: Scope, own: bool) -> list[str]:
    """The record's own entity and those beside it; what happens to an activity is told by the activity itself."""
    others = [] if own else [p.entity.name for p in scope.parts if p.entity.activity is None]
    return list(dict.fromkeys([scope.entity.name, *others]))


def _about(scope: Scope, table: sa.Table, own: bool, *names: str) -> sa.Subquery:
    """The rows of a log that are about the record or a related one this reader may see; the id and `names` of each.

    A part of its own for each entity: one condition with "or" would make both databases read the whole log.
    """
    columns = [table.c.id, *(table.c[name] for name in names)]
    about = [(scope.entity.name, table.c.record == scope.record)]
    for part in () if own else scope.parts:
        if part.entity.activity is None:
            about.append((part.entity.name, table.c.record.in_(part.ids)))
    rows = [
        sa.select(*columns).where(table.c.entity == entity, which, table.c.deleted_at.is_(None))
        for entity, which in about
    ]
    return (sa.union_all(*rows) if len(rows) > 1 else rows[0]).subquery()


def _tracked(scope: Scope, entity: str) -> list[str]:
    fields = scope.binder.app.entities[entity].own_fields
    return [f.name for f in fields if f.tracked and not f.retired and scope.binder.visible(entity, f.name)]


# --- changes -------------------------------------------------------------------------------------------------------


def _changes(scope: Scope, ids: Sequence[int], asked: Asked) -> dict[int, Entry]:
    session, binder = scope.binder.session, scope.binder
    audit = session.table("audit")
    rows = session.connection.execute(sa.select(audit).where(audit.c.id.in_(list(ids)))).mappings().all()
    masked = _masked(scope, [(row["entity"], row["record"]) for row in rows])
    told_elsewhere = _elsewhere(scope, asked)
    entries, made = {}, []
    for row in rows:
        entity = row["entity"]
        known = changes_told(session, binder.access, entity, row["changes"] or {}, masked[entity, row["record"]])
        skipped = told_elsewhere.get(entity, frozenset()) if row["action"] == "update" else frozenset()
        changes = _shown(binder, entity, {n: c for n, c in known.items() if n not in skipped})
        if row["action"] == "update" and not changes:
            continue  # nothing in it is for this reader, or it is told as a move
        entry = Entry(
            word=CHANGES,
            leg=CHANGES,
            id=row["id"],
            at=row["at"],
            person=row["person"],
            icon="pencil" if row["action"] == "update" else "history",
            entity=entity,
            operation=row["action"],
            audit=row["id"],
            changes=changes,
        )
        if row["action"] == REMOVED:
            entry.text = ", ".join(str(pair[0]) for pair in (row["changes"] or {}).values())
        entries[row["id"]] = entry
        made.append((row, entry))
    by_entity: dict[str, list[Entry]] = {}
    for row, entry in made:
        by_entity.setdefault(row["entity"], []).append(entry)
    for entity, listed in by_entity.items():
        name_links(binder, entity, listed)
    _name_records(scope, [(row["entity"], row["record"], entry) for row, entry in made])
    return entries


def _shown(binder: Binder, entity: str, known: Mapping[str, tuple[Any, Any]]) -> list[Change]:
    found = []
    for name, (old, new) in known.items():
        field = binder.app.entities[entity].field(name)
        if field is None or not binder.visible(entity, name) or field.type in _NEVER_SHOWN or old == new:
            continue
        found.append(Change(name=name, label=field.label.of(binder.language), old=old, new=new))
    return found


def _elsewhere(scope: Scope, asked: Asked) -> dict[str, frozenset[str]]:
    """Fields whose changes another leg tells in the same timeline."""
    found: dict[str, frozenset[str]] = {}
    for entity in _entities(scope, asked.own):
        names = set(_tracked(scope, entity)) if asked.wants(STAGES) else set()
        described = scope.binder.app.entities[entity]
        if entity == scope.entity.name and asked.wants("ownership") and logs_moves(scope.binder.app, described):
            names.add(owner_field(scope.binder.app, described) or "")
        found[entity] = frozenset(names)
    return found


def _masked(scope: Scope, records: list[tuple[str, int]]) -> dict[tuple[str, int], frozenset[str]]:
    """What pools mask of each record as it lies now: its past is masked with it."""
    session, masks = scope.binder.session, scope.binder.access.masks
    found: dict[tuple[str, int], frozenset[str]] = dict.fromkeys(records, frozenset())
    own = (scope.entity.name, scope.record)
    if own in found:
        found[own] = scope.masked
    for entity in {e for e, _ in records}:
        ids = [i for e, i in records if e == entity and (e, i) != own]
        if not ids or not masks.of(entity):
            continue
        plan = plan_of(session, entity)
        for values in session.connection.execute(plan.select_rows.where(plan.table.c.id.in_(ids))):
            row = plan.row(values)
            found[entity, row["id"]] = masks.hidden_in(entity, row)
    return found


def _name_records(scope: Scope, told: Sequence[tuple[str, int, Entry]]) -> None:
    """Says which record an entry is about where it is another one."""
    others: dict[str, set[int]] = {}
    for entity, record, _ in told:
        if (entity, record) != (scope.entity.name, scope.record):
            others.setdefault(entity, set()).add(record)
    titles = {entity: titles_of(scope.binder.session, entity, sorted(ids)) for entity, ids in others.items()}
    for entity, record, entry in told:
        if entity in titles and (entity, record) != (scope.entity.name, scope.record):
            label = scope.binder.app.entities[entity].label.of(scope.binder.language)
            entry.about = [About(entity, record, label, titles[entity].get(record))]


# --- moves ---------------------------------------------------------------------------------------------------------


def _moves(scope: Scope, ids: Sequence[int]) -> dict[int, Entry]:
    session, binder = scope.binder.session, scope.binder
    log = session.table("stage_log")
    rows = session.connection.execute(sa.select(log).where(log.c.id.in_(list(ids)))).mappings().all()
    masked = _masked(scope, [(row["entity"], row["record"]) for row in rows])
    entries, told = {}, []
    for row in rows:
        bound = binder.field(row["entity"], row["field"])
        if bound is None or row["field"] in masked[row["entity"], row["record"]]:
            continue
        entry = Entry(
            word=STAGES,
            leg=STAGES,
            id=row["id"],
            at=row["moved_at"],
            person=row["person"],
            said=bound.label,
            icon="arrow-right",
            entity=row["entity"],
            before=bound.choice(row["from_value"] or ""),
            after=bound.choice(row["to_value"] or ""),
            seconds=row["seconds"],
        )
        entries[row["id"]] = entry
        told.append((row["entity"], row["record"], entry))
    _name_records(scope, told)
    return entries
