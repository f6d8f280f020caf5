"""What a person is told of records that are likely the same: what he may see anyway, else what the rule reveals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from metadata.fields import field_type
from metadata.models.duplicate import Among
from runtime.duplicates import oracle
from runtime.duplicates.find import Twin, by_part, twins, watched
from runtime.duplicates.rule import digest
from runtime.query.select import Query, run
from runtime.records.form import drafted
from runtime.site import Session
from runtime.views.binder import Binder

MOST = 8
MASKED = "＊＊"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One record: `id` None where the person may not open it; `facts` are (label, text)."""

    entity: str
    label: str
    icon: str
    id: int | None
    title: str
    facts: tuple[tuple[str, str], ...]
    same: tuple[str, ...]  # labels of the fields in which the two agree
    sure: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Likely:
    """`digest` stands for all that were found by whole keys; `more` were found and are not listed."""

    told: tuple[Told, ...] = ()
    digest: str = ""
    more: int = 0


def likely(session: Session, entity: str, record_id: int | None, values: Mapping[str, Any]) -> Likely:
    """What a form as typed so far is likely a twin of. Raises `NotFound`, `Forbidden`, `TooManyRequests`."""
    binder = Binder(session)
    binder.entity(entity, "create" if record_id is None else "edit", alone=False)
    draft = drafted(session, entity, record_id, values)
    whole = twins(session, draft.plan, [draft]).get(0, [])
    found = [*whole, *by_part(session, draft.plan, draft, whole)]
    return tell(binder, found) if found else Likely()


def tell(binder: Binder, found: Sequence[Twin]) -> Likely:
    shown = [twin for twin in found if twin.id is not None][:MOST]
    by_entity: dict[str, list[Twin]] = {}
    for twin in shown:
        by_entity.setdefault(twin.among.entity, []).append(twin)
    told = {id(twin): one for entity, several in by_entity.items() for twin, one in _told(binder, entity, several)}
    if any(one.id is None for one in told.values()):
        oracle.count(binder.session)
    ordered = tuple(told[id(twin)] for twin in shown)
    return Likely(told=ordered, digest=digest(binder.session, found), more=len(found) - len(shown))


def _told(binder: Binder, entity: str, several: Sequence[Twin]) -> list[tuple[Twin, Told]]:
    """Two statements: what the person may see, and what is revealed of the rest."""
    described = binder.app.entities[entity]
    ids = tuple(twin.id or 0 for twin in several)
    among = several[0].among
    names = [r.field for r in among.reveal]
    own = [n for n in dict.fromkeys([described.title, *names]) if n != "id" and binder.visible(entity, n)]
    rows: dict[int, Any] = {}
    if binder.can(entity, "read"):
        rows = {row.id: row for row in run(binder.session, Query(entity=entity, select=tuple(own), ids=ids)).rows}
    hidden: dict[int, Any] = {}
    unseen = tuple(i for i in ids if i not in rows)
    if unseen and names:
        system = binder.session.sub(cause="duplicates")
        hidden = {row.id: row for row in run(system, Query(entity=entity, select=tuple(names), ids=unseen)).rows}
    return [(twin, _one(binder, twin, among, rows.get(twin.id or 0), hidden.get(twin.id or 0))) for twin in several]


def _one(binder: Binder, twin: Twin, among: Among, row: Any, hidden: Any) -> Told:
    entity = binder.app.entities[among.entity]
    label = entity.label.of(binder.language)
    facts = []
    title = ""
    kept_back = binder.access.hidden(entity.name)
    for reveal in among.reveal:
        if reveal.field in kept_back or (row is not None and reveal.field not in row.values):
            continue
        text = _text(binder, entity.name, reveal.field, row if row is not None else hidden)
        if text and reveal.masked and row is None:
            text = text[:1] + MASKED
        if reveal.field == entity.title:
            title = text
        elif text:
            facts.append((binder.label(entity.name, reveal.field), text))
    if row is not None:
        title = title or _text(binder, entity.name, entity.title, row) or f"#{row.id}"
    fields = twin.rule.own.fields_of(twin.match) if twin.match is not None else None
    same = tuple(binder.label(twin.rule.entity, key.field) for key in fields or ())
    return Told(
        entity=entity.name,
        label=label,
        icon=entity.icon or "folder",
        id=row.id if row is not None else None,
        title=title,
        facts=tuple(facts),
        same=same,
        sure=twin.sure,
    )


def _text(binder: Binder, entity: str, name: str, row: Any) -> str:
    if row is None or name == "id":
        return ""
    field = binder.app.entities[entity].fields[name]
    if field.storage == "link":
        return str(row.titles.get(name) or "")
    value = row.values.get(name)
    shown = binder.shown_field(binder.app.entities[entity], field)
    return "" if value is None else field_type(shown.type).to_text(value, shown, binder.coercion())


def twins_of(binder: Binder, entity: str, record_id: int) -> tuple[Told, ...]:
    """What a stored record is likely a twin of, of its own entity and as far as the person may see it."""
    draft = drafted(binder.session, entity, record_id, {})
    draft.changed = set(watched(binder.session, entity))
    whole = [t for t in twins(binder.session, draft.plan, [draft]).get(0, []) if t.among.entity == entity]
    return tuple(one for one in tell(binder, whole).told if one.id is not None)
