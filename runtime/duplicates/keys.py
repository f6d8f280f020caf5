"""The keys that records are compared by: made of their values, kept beside them, built where they are missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from metadata.model import Application
from metadata.models.duplicate import Among, Duplicate, Key, Match
from rules.likeness import similar
from runtime.records.plan import EntityPlan, plan_of
from runtime.records.values import CHUNK
from runtime.schema.internal import state
from runtime.schema.internal_duplicates import duplicate_key
from runtime.schema.tables import column_name

if TYPE_CHECKING:
    from runtime.site import Session

BATCH = 2000
_CUT = "\x1f"  # between the parts of a key; no key holds it
_MADE = "made"  # the marker of an entity whose keys are all there begins with it


class Source(NamedTuple):
    """What one kind of key of an entity is made of: pairs of (way, field)."""

    name: str
    parts: tuple[tuple[str, str], ...]

    def key(self, value: Callable[[str], Any]) -> str | None:
        """The key of a record whose fields `value` gives; None where a part has nothing."""
        found = [similar(way, value(field)) for way, field in self.parts]
        if any(part is None for part in found):
            return None
        return "+".join(way for way, _ in self.parts) + _CUT + _CUT.join(str(part) for part in found)


def source_of(keys: Sequence[Key]) -> Source:
    ways, fields = "+".join(k.by for k in keys), "+".join(k.field for k in keys)
    return Source(f"{ways}:{fields}", tuple((k.by, k.field) for k in keys))


def rules_of(app: Application, entity: str) -> tuple[Duplicate, ...]:
    """The rules that compare new records of the entity."""
    found: tuple[Duplicate, ...] = app.rules_of(entity, "duplicate")
    return found


def sources_of(session: Session, entity: str) -> tuple[Source, ...]:
    """Every kind of key that some rule looks records of this entity up by; worked out once a version."""
    memo = session.tables.memo
    found: tuple[Source, ...] | None = memo.get(("duplicate sources", entity))
    if found is None:
        rules: Iterable[Duplicate] = session.app.of("duplicate").values()
        made = (source_of(keys) for among, match in _matched(rules, entity) if (keys := among.fields_of(match)))
        found = memo["duplicate sources", entity] = tuple(dict.fromkeys(made))
    return found


def _matched(rules: Iterable[Duplicate], entity: str) -> Iterable[tuple[Among, Match]]:
    for rule in rules:
        for among in rule.among:
            if among.entity == entity:
                yield from ((among, match) for match in rule.matches)


# --- kept ------------------------------------------------------------------------------------------------------------


def keep(session: Session, plan: EntityPlan, rows: Sequence[tuple[int, Callable[[str], Any]]], *, known: bool) -> None:
    """Writes the keys of records; `known`: they may have some already."""
    sources = sources_of(session, plan.name)
    if not rows or not sources:
        return
    if known:
        forget(session, plan.name, [record_id for record_id, _ in rows])
    wanted = [
        {"key": key, "entity": plan.name, "source": source.name, "record_id": record_id}
        for record_id, value in rows
        for source in sources
        if (key := source.key(value)) is not None
    ]
    if wanted:
        session.connection.execute(_insert(session), wanted)


def _insert(session: Session) -> Any:
    from sqlalchemy.dialects import postgresql, sqlite

    insert = sqlite.insert if session.site.dialect == "sqlite" else postgresql.insert
    return insert(duplicate_key).on_conflict_do_nothing()


def forget(session: Session, entity: str, ids: Sequence[int]) -> None:
    for start in range(0, len(ids), CHUNK):
        part = duplicate_key.c.record_id.in_(ids[start : start + CHUNK])
        session.connection.execute(sa.delete(duplicate_key).where(duplicate_key.c.entity == entity, part))


# --- built -----------------------------------------------------------------------------------------------------------


def _marker(entity: str) -> str:
    return f"duplicates:{entity}"


def _wanted(session: Session, entity: str) -> str:
    return ";".join([_MADE, *sorted(source.name for source in sources_of(session, entity))])


def ready(session: Session, entity: str) -> bool:
    """Whether the keys of all records of the entity are there, as the rules of this version make them."""
    memo, key = session.tables.memo, ("duplicates ready", entity)
    if key not in memo and key not in session.cache:
        marked = session.connection.scalar(sa.select(state.c.value).where(state.c.name == _marker(entity)))
        if marked != _wanted(session, entity):
            return False
        session.cache[key] = True
    return True


def prepare(session: Session, entity: str) -> None:
    """Makes the keys of every record at once, where they are not there."""
    if not sources_of(session, entity) or ready(session, entity):
        return
    clear(session, entity)
    last: int | None = 0
    while last is not None:
        last = build(session, entity, last)
    finish(session, entity)


def clear(session: Session, entity: str) -> None:
    session.connection.execute(sa.delete(state).where(state.c.name == _marker(entity)))
    session.connection.execute(sa.delete(duplicate_key).where(duplicate_key.c.entity == entity))


def build(session: Session, entity: str, after: int) -> int | None:
    """Makes the keys of one batch of records above `after`; the last id, None where there are no more."""
    plan = plan_of(session, entity)
    fields = list(dict.fromkeys(field for source in sources_of(session, entity) for _, field in source.parts))
    columns = [plan.table.c[column_name(plan.fields[name])] for name in fields]
    wanted = sa.select(plan.table.c.id, plan.table.c.deleted_at, *columns).where(plan.table.c.id > after)
    rows = session.connection.execute(wanted.order_by(plan.table.c.id).limit(BATCH)).all()
    living = [(row[0], dict(zip(fields, row[2:])).get) for row in rows if row[1] is None]
    keep(session, plan, living, known=True)
    return rows[-1][0] if rows else None


def finish(session: Session, entity: str) -> None:
    """From now on the keys count as complete."""
    session.connection.execute(sa.delete(state).where(state.c.name == _marker(entity)))
    row = {"name": _marker(entity), "value": _wanted(session, entity)}
    session.connection.execute(sa.insert(state), [row])
    memo, key = session.tables.memo, ("duplicates ready", entity)
    session.cache[key] = True
    session.after_commit(lambda: memo.__setitem__(key, True))
