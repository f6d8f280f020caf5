"""Finding what a record being written is likely a twin of: one look-up of keys, then one statement an entity."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from metadata.models.duplicate import Among, Duplicate, Match
from rules.evaluate import evaluate
from rules.expression import Expression
from runtime.decisions.matching import matching
from runtime.duplicates.keys import rules_of, source_of
from runtime.query import search
from runtime.records.plan import EntityPlan, plan_of
from runtime.records.values import CHUNK, Draft
from runtime.schema.internal_duplicates import duplicate_key
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session

MOST_OF_A_KEY = 20  # records of one key that are looked at: more are no help to anybody
MOST_BY_PART = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """A stored record that is alike; `id` None: another of the records written together. `sure` refuses the save."""

    rule: Duplicate
    among: Among
    id: int | None
    match: Match | None  # None: found by a piece of what was typed
    row: int | None = None

    @property
    def sure(self) -> bool:
        return self.match is not None and self.match.action == "refuse"


@dataclass(slots=True)
class _Wanted:
    """A draft looks for records with this key."""

    draft: int
    rule: Duplicate
    match: Match


def watched(session: Session, entity: str) -> tuple[str, ...]:
    """The fields whose values decide whether a record has a twin."""
    found = (key.field for rule in rules_of(session.app, entity) for key in rule.own.keys)
    return tuple(dict.fromkeys(found))


def twins(session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> dict[int, list[Twin]]:
    """By position of the draft what it is alike to, first those that refuse. Drafts without a twin are left out."""
    wanted: dict[str, list[_Wanted]] = {}
    hidden = Access(session).hidden(plan.name)
    for rule in rules_of(session.app, plan.name):
        for number, draft in enumerate(drafts):
            if not _compared(rule, draft):
                continue
            for match in rule.matches:
                key = _key_of(rule, match, draft, hidden)
                if key is not None:
                    wanted.setdefault(key, []).append(_Wanted(number, rule, match))
    found = _found(session, plan, wanted, drafts)
    for number, among in _together(wanted, drafts).items():
        found.setdefault(number, []).extend(among)
    return {number: _distinct(several) for number, several in found.items()}


def _compared(rule: Duplicate, draft: Draft) -> bool:
    return rule.when is None or evaluate(rule.when, draft, draft.environment()) is True


def _key_of(rule: Duplicate, match: Match, draft: Draft, hidden: frozenset[str]) -> str | None:
    """The key of a match. A stored record is compared again only where it changes; by hidden fields nobody is."""
    keys = rule.own.fields_of(match)
    if keys is None or any(key.field in hidden for key in keys):
        return None
    if not draft.creating and not any(key.field in draft.changed for key in keys):
        return None
    return source_of(keys).key(draft.raw)


def _found(
    session: Session, plan: EntityPlan, wanted: dict[str, list[_Wanted]], drafts: Sequence[Draft]
) -> dict[int, list[Twin]]:
    candidates: dict[tuple[str, str], dict[int, list[tuple[_Wanted, Among]]]] = {}
    for key, entity, source, record_id in _look_up(session, wanted):
        for one in wanted[key]:
            for among in one.rule.among:
                keys = among.fields_of(one.match)
                itself = entity == plan.name and record_id == drafts[one.draft].record_id
                if among.entity == entity and keys is not None and source_of(keys).name == source and not itself:
                    by_id = candidates.setdefault((one.rule.name, entity), {})
                    by_id.setdefault(record_id, []).append((one, among))
    found: dict[int, list[Twin]] = {}
    for (_, entity), by_id in candidates.items():
        where = next(iter(by_id.values()))[0][1].where
        for record_id in _living(session, entity, where, sorted(by_id)):
            for one, among in by_id[record_id]:
                twin = Twin(rule=one.rule, among=among, id=record_id, match=one.match)
                found.setdefault(one.draft, []).append(twin)
    return found


def _look_up(session: Session, keys: Iterable[str]) -> list[tuple[str, str, str, int]]:
    """(key, entity, source, record) of the first records of each key."""
    t, found = duplicate_key, []
    ordered = sorted(keys)
    for start in range(0, len(ordered), CHUNK):
        place = sa.func.row_number().over(partition_by=(t.c.key, t.c.entity, t.c.source), order_by=t.c.record_id)
        part = t.c.key.in_(ordered[start : start + CHUNK])
        ranked = sa.select(t.c.key, t.c.entity, t.c.source, t.c.record_id, place.label("place")).where(part).subquery()
        columns = (ranked.c.key, ranked.c.entity, ranked.c.source, ranked.c.record_id)
        rows = session.connection.execute(sa.select(*columns).where(ranked.c.place <= MOST_OF_A_KEY))
        found += [(row[0], row[1], row[2], row[3]) for row in rows]
    return found


def _living(session: Session, entity: str, where: Expression | None, ids: Sequence[int]) -> list[int]:
    table = plan_of(session, entity).table
    found: list[int] = []
    for start in range(0, len(ids), CHUNK):
        part = table.c.id.in_(ids[start : start + CHUNK])
        found += matching(session, entity, [where] if where is not None else [], part)
    return found


def _together(wanted: dict[str, list[_Wanted]], drafts: Sequence[Draft]) -> dict[int, list[Twin]]:
    """Records written together that are alike: the later one is the twin of the first that is not refused."""
    found: dict[int, list[Twin]] = {}
    for several in wanted.values():
        first: _Wanted | None = None
        for one in sorted(several, key=lambda w: w.draft):
            if first is None or first.rule is not one.rule or first.draft == one.draft:
                first = one if not drafts[one.draft].problems else first
                continue
            twin = Twin(rule=one.rule, among=one.rule.own, id=None, match=one.match, row=first.draft)
            found.setdefault(one.draft, []).append(twin)
    return found


def _distinct(several: list[Twin]) -> list[Twin]:
    """Each record once, by what says most of it."""
    kept: dict[tuple[str, int | None, int | None], Twin] = {}
    for twin in sorted(several, key=lambda t: (not t.sure, t.id or 0)):
        kept.setdefault((twin.among.entity, twin.id, twin.row), twin)
    return list(kept.values())


def by_part(session: Session, plan: EntityPlan, draft: Draft, known: Iterable[Twin]) -> list[Twin]:
    """Records whose name contains what was typed so far, where a key allows that: for a form being filled in."""
    seen = {(twin.among.entity, twin.id) for twin in known}
    hidden = Access(session).hidden(plan.name)
    found: list[Twin] = []
    for rule in rules_of(session.app, plan.name):
        if not _compared(rule, draft):
            continue
        for own in rule.own.keys:
            typed = draft.raw(own.field)
            whole = isinstance(typed, str) and own.part is not None and len(typed.strip()) >= own.part
            if not whole or own.field in hidden or not _is_new(draft, own.field):
                continue
            for among in rule.among:
                theirs = next((key for key in among.keys if key.name == own.name), None)
                if theirs is not None:
                    found += _containing(session, rule, among, theirs.field, typed, draft, seen)
    return found


def _is_new(draft: Draft, field: str) -> bool:
    return draft.creating or field in draft.changed


def _containing(
    session: Session,
    rule: Duplicate,
    among: Among,
    field: str,
    typed: str,
    draft: Draft,
    seen: set[tuple[str, int | None]],
) -> list[Twin]:
    plan = plan_of(session, among.entity)
    others = frozenset(f.name for f in plan.search_fields if f.name != field)
    wanted = search.matches(session, plan, typed, others) if field in {f.name for f in plan.search_fields} else None
    if wanted is None:
        return []
    ids = matching(
        session,
        among.entity,
        [among.where] if among.where is not None else [],
        plan.table.c.id.in_(wanted.limit(MOST_OF_A_KEY)),
    )
    found = []
    for record_id in ids[:MOST_BY_PART]:
        itself = among.entity == draft.plan.name and record_id == draft.record_id
        if not itself and (among.entity, record_id) not in seen:
            seen.add((among.entity, record_id))
            found.append(Twin(rule=rule, among=among, id=record_id, match=None))
    return found
