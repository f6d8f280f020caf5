"""Completing what was to be done: one action, which asks for the next step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from metadata.model import Activity, Application, Entity
from rules.evaluate import evaluate
from runtime import records
from runtime.actions import ActionSource, Ask, Offer, Outcome, register
from runtime.errors import RecordProblem, Refused
from runtime.messages import say
from runtime.query.select import Query, run
from runtime.records.values import Stored
from runtime.security.access import Access

if TYPE_CHECKING:
    from runtime.site import Session

COMPLETE = "complete"
NEXT_STEP = "next_step"
NEXT, NEXT_AT = "next", "next_at"
_MORNING = time(9)


class Completing(ActionSource):
    word = "activity"

    def applies(self, app: Application, entity: Entity) -> bool:
        return entity.activity is not None and bool(entity.activity.done) and entity.activity.open is not None

    def offers(self, session: Session, entity: Entity, record: Stored) -> Iterable[Offer]:
        activity, language = _activity(entity), session.language
        environment = record.loader.environment
        assert activity.open is not None
        still = evaluate(activity.open, record, environment) is True
        allowed = Access(session).allows(entity.name, "edit", record, environment)
        plans = may_plan(session, entity)
        yield Offer(
            name=COMPLETE,
            label=say("activity.complete", language),
            word=self.word,
            icon="check",
            tone="success",
            why=_closed(language, allowed, still),
            hidden=True,
            asks=_asks(session, required=False) if plans else (),
        )
        if plans and not still:
            yield Offer(
                name=NEXT_STEP,
                label=say("activity.next_step", language),
                word=self.word,
                icon="arrow-right",
                tone="primary",
                asks=_asks(session, required=True),
            )

    def run(self, session: Session, entity: Entity, record: Stored, name: str, given: Mapping[str, Any]) -> Outcome:
        activity, record_id = _activity(entity), record.row["id"]
        wanted = (given.get(NEXT) or "").strip()
        following = _following(session, entity, activity, record_id, wanted, given.get(NEXT_AT)) if wanted else None
        if name == NEXT_STEP:
            if following is None:
                raise Refused(problems=[RecordProblem(code="required", field=NEXT)])
            planned = records.create(session, entity.name, following).id
            return Outcome(message=say("activity.planned", session.language, title=wanted), data={"next": str(planned)})
        records.update(session, entity.name, record_id, dict(activity.done))
        made = records.create(session, entity.name, following).id if following is not None else None
        title = record.get(entity.title) if entity.title != "id" else None
        word = "activity.completed" if made is None else "activity.completed_next"
        said = say(word, session.language, title=title if isinstance(title, str) else f"#{record_id}")
        return Outcome(message=said, data={} if made is None else {"next": str(made)})


def _closed(language: str, allowed: bool, still: bool) -> str | None:
    if not allowed:
        return say("forbidden", language)
    return None if still else say("activity.done_already", language)


def _activity(entity: Entity) -> Activity:
    assert entity.activity is not None
    return entity.activity


def open_ids(session: Session, entity: str, ids: Sequence[int]) -> frozenset[int]:
    """Which of the records are activities still to be done; none of an entity whose records are no activities."""
    activity = session.app.entities[entity].activity
    if activity is None or activity.open is None or not ids or not may_follow(session, entity):
        return frozenset()
    query = Query(entity=entity, rules=(activity.open,), ids=tuple(ids), limit=len(ids))
    return frozenset(row.id for row in run(session, query).rows)


def may_follow(session: Session, entity: str) -> bool:
    """Whether closing a record of the entity may be followed by another, made by this person."""
    described = session.app.entities[entity]
    return Completing().applies(session.app, described) and may_plan(session, described)


def _asks(session: Session, *, required: bool) -> tuple[Ask, ...]:
    """What comes next, and when: tomorrow morning unless said otherwise."""
    language = session.language
    tomorrow = datetime.combine(session.today + timedelta(days=1), _MORNING, session.zone)
    helped = "" if required else say("activity.next_help", language)
    return (
        Ask(name=NEXT, label=say("activity.next", language), help=helped, required=required),
        Ask(name=NEXT_AT, label=say("activity.next_at", language), type="datetime", default=tomorrow),
    )


def may_plan(session: Session, entity: Entity) -> bool:
    """Whether this person may make another activity of the kind, by its title."""
    title = entity.fields.get(entity.title)
    access = Access(session)
    return title is not None and title.writable and access.can(entity.name, "create")


def _following(
    session: Session, entity: Entity, activity: Activity, record_id: int, title: str, at: datetime | None
) -> dict[str, Any]:
    """The next step: about the same records, for the same person, as far as this person may see and write them."""
    access = Access(session)
    shut = access.read_only(entity.name)
    about = [f.name for f in entity.own_fields if f.storage == "link" and _has_timeline(session.app, f.to)]
    names = [*about, *(n for n in (activity.person, activity.kind) if n)]
    copied = [n for n in names if entity.fields[n].writable and access.visible(entity.name, n) and n not in shut]
    values = records.read(session, entity.name, record_id, copied or ["id"]).values
    found = {name: values[name] for name in copied if values.get(name) is not None}
    return found | {entity.title: title} | ({activity.at: at} if at is not None else {})


def _has_timeline(app: Application, entity: str | None) -> bool:
    found = app.entities.get(entity or "")
    return found is not None and bool(found.timeline)


register(Completing())
