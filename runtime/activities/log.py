"""The quick log: one line says what happened with a record, and whom it concerns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metadata.model import Activity, Application, Choice, Entity, Field
from runtime import records
from runtime.activities.mention import tell
from runtime.errors import NotFound, RecordProblem, Refused
from runtime.files.kept import keep_with_new

if TYPE_CHECKING:
    from runtime.site import Session

LONGEST = 20_000  # characters of one entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where the quick log of an entity writes: records of `entity` whose field `by` points to the record."""

    part: str
    entity: Entity
    activity: Activity
    by: str
    label: str

    @property
    def kind(self) -> Field | None:
        return self.entity.fields.get(self.activity.kind or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """The new activity, and the names of those mentioned who may not see the record and were not told."""

    id: int
    untold: tuple[str, ...] = ()


def target_of(app: Application, entity: str, language: str = "en") -> Target | None:
    """None where the entity declares no quick log."""
    described = app.entities[entity]
    for part in described.timeline:
        field = described.fields[part.field]
        found = app.entities.get(field.entity or "") if part.log else None
        if found is not None and found.activity is not None and field.by is not None:
            label = field.label.of(language)
            return Target(part=part.field, entity=found, activity=found.activity, by=field.by, label=label)
    return None


def log(
    session: Session,
    entity: str,
    record_id: int,
    *,
    text: str,
    kind: str | None = None,
    mentions: Sequence[int] = (),
    uploads: Sequence[int] = (),
) -> Logged:
    """Writes down what happened with a record this person may see.

    The first line is the title, the whole goes where the activity keeps its text. Raises `NotFound`, `Forbidden`, and
    `Refused` with problems of the activity's own fields.
    """
    if entity not in session.app.entities:
        raise NotFound()
    records.read(session, entity, record_id, ["id"])
    target = target_of(session.app, entity, session.language)
    if target is None:
        raise NotFound()
    if len(text) > LONGEST:
        raise Refused(problems=[RecordProblem(code="value.too_long", params={"max": str(LONGEST)})])
    values = _values(session, target, record_id, text.strip(), kind, bool(uploads))
    made = records.create(session, target.entity.name, values)
    if uploads:
        keep_with_new(session, target.entity.name, made.id, uploads)
    untold = tell(session, (entity, record_id), (target.entity.name, made.id), mentions, text.strip())
    return Logged(id=made.id, untold=untold)


def _values(
    session: Session, target: Target, record_id: int, text: str, kind: str | None, with_files: bool
) -> dict[str, Any]:
    values: dict[str, Any] = {target.by: record_id}
    chosen = _choice(session, target, kind)
    if chosen is not None and target.activity.kind is not None:
        values[target.activity.kind] = chosen.name
    title = target.entity.fields.get(target.entity.title)
    line = text.splitlines()[0].strip() if text else ""
    if not line and with_files:  # a picture alone says what it is by its kind
        label = chosen.label if chosen is not None else target.entity.label
        line = label.of(session.language)
    if title is not None and title.writable:
        longest = int(title.max or 200)
        values[title.name] = line[:longest]
        rest = target.activity.text
        if rest is not None and rest != title.name and text != line[:longest] and text:
            values[rest] = text
    elif target.activity.text is not None:
        values[target.activity.text] = text
    return values


def _choice(session: Session, target: Target, kind: str | None) -> Choice | None:
    """The choice of that name; the record layer answers for one that does not exist."""
    field = target.kind
    if field is None or field.options is None:
        return None
    options = session.app.options[field.options]
    if kind:
        found = options.choice(kind)
        if found is None or found.retired:
            label = field.label.of(session.language)
            raise Refused(
                problems=[RecordProblem(code="value.unknown_choice", params={"label": label, "value": kind[:80]})]
            )
        return found
    return options.choice(field.default) if isinstance(field.default, str) else None
