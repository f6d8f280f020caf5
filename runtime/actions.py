"""What can be done with a record besides changing it: one registry for the pages, the API and the command palette.

Kinds of metadata bring sources of actions. A source answers, for one record and person, which of its actions are open
and why the others are not; running one asks it again, so that nothing closed is ever carried out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from metadata.fields import field_type
from metadata.fields.base import Rejection
from metadata.frozen import FrozenMap
from metadata.model import Application, Entity, Field, Origin, Text
from rules.typing import TEXT, decimal
from runtime import records
from runtime.digits import number_in
from runtime.errors import Answer, BadQuery, Conflict, Forbidden, NotFound, RecordProblem, Refused
from runtime.records.input import coercion
from runtime.records.values import Loader, Stored
from runtime.security import audit

if TYPE_CHECKING:
    from runtime.site import Session

# modules that register sources of actions; imported when the first action is asked for
MODULES: tuple[str, ...] = (
    "runtime.ledgers.acting",
    "runtime.pricing.acting",
    "runtime.granting",
    "runtime.decisions.handing",
    "runtime.decisions.approval_actions",
    "runtime.decisions.qualification_actions",
    "runtime.conversions.acting",
    "runtime.decisions.run_actions",
    "runtime.activities.complete",
    "runtime.duplicates.acting",
)
MENTION, MOST_MENTIONED = "mention", 20  # what names the people chosen for a text with mentions, and how many
NAMED = frozenset({"delete", "restore", "purge"})  # actions of the platform that no source may take over
_NOWHERE = Origin(layer="", file="", line=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A value an action wants to know. `type` is the word of a field type that needs no entity of its own.

    `choices` are (name, sentence) pairs of a select; `to` the entity of a link; `default` a plain value.
    In a text with `mentions` people are named by "@": the ids of those chosen may be given beside it, as `MENTION`.
    """

    name: str
    label: str
    type: str = "text"
    required: bool = False
    to: str | None = None
    choices: tuple[tuple[str, str], ...] = ()
    default: Any = None
    help: str = ""
    scale: int = 0
    mentions: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An action on one record, in the reader's language. `why` says what closes it; None: it is open.

    `hidden` keeps it off the pages while it is closed; `tone` is primary, success, danger or "". `word` is the kind it
    comes from.
    """

    name: str
    label: str
    word: str
    icon: str = "player-play"
    why: str | None = None
    asks: tuple[Ask, ...] = ()
    tone: str = ""
    confirm: str = ""
    hidden: bool = False
    page: str = ""  # the address of a page where it is done with more to see; pages lead there instead of asking
    detail: bool = False  # the source has something to show before it is run: `ActionSource.detail`

    @property
    def open(self) -> bool:
        return self.why is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of it: a sentence, the record to go on with, and data for programs (JSON)."""

    message: str = ""
    goto: tuple[str, int] | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


class ActionSource:
    """Brings actions of a kind of metadata, its `word`; `desk` is the page where what is entrusted is done."""

    word: str = ""
    desk: str = ""

    def applies(self, app: Application, entity: Entity) -> bool:
        """Whether records of this entity can have any; asked once per published version."""
        raise NotImplementedError

    def offers(self, session: Session, entity: Entity, record: Stored) -> Iterable[Offer]:
        """The actions for the person of the session, closed ones with the reason. The record is visible to them."""
        raise NotImplementedError

    def run(self, session: Session, entity: Entity, record: Stored, name: str, given: Mapping[str, Any]) -> Outcome:
        """Carries out an open action, in the transaction of the session; `given` holds typed values by ask."""
        raise NotImplementedError

    def entrusted(self, session: Session, entity: Entity, record: Stored) -> Iterable[Offer]:
        """The actions a rule asks of this very person, who may do them although the record is out of their sight."""
        return ()

    def missing(self, session: Session, entity: Entity, record_id: int, name: str) -> Answer | None:
        """What to say instead of “not found” of a record the person cannot see any more, such as one just taken."""
        return None

    def detail(self, session: Session, entity: Entity, record: Stored, name: str) -> Mapping[str, Any]:
        """What is shown before the action is run, as data."""
        return {}


_SOURCES: dict[str, ActionSource] = {}


def register(source: ActionSource) -> None:
    """Adds a source; code packages may, too. Raises `ValueError` where another class has its word."""
    known = _SOURCES.get(source.word)
    if known is not None and type(known) is not type(source):
        raise ValueError(f"the actions of {source.word!r} are registered twice")
    _SOURCES[source.word] = source


def sources(session: Session, entity: Entity) -> tuple[ActionSource, ...]:
    """The sources that have something to say about an entity."""
    memo = session.tables.memo
    found: tuple[ActionSource, ...] | None = memo.get(("actions", entity.name))
    if found is None:
        for module in MODULES:
            import_module(module)
        fitting = [s for s in _SOURCES.values() if s.applies(session.app, entity)]
        found = memo["actions", entity.name] = tuple(fitting)
    return found


def offers(session: Session, entity: str, record_id: int, *, seen: bool = False) -> list[Offer]:
    """Every action on a record for the person of the session; of one they may not see, what is entrusted to them.

    `seen`: the caller has just read the record for this person. Raises `NotFound` where there is neither.
    """
    described = session.app.entities[entity]
    fitting = sources(session, described)
    if not fitting:
        return []
    try:
        record = (stored if seen else visible)(session, entity, record_id)
    except (NotFound, Forbidden):
        if found := entrusted(session, entity, record_id):
            return [offer for offer, _source, _record in found]
        raise
    return [offer for source in fitting for offer in source.offers(session, described, record)]


def entrusted(session: Session, entity: str, record_id: int) -> list[tuple[Offer, ActionSource, Stored]]:
    """What rules ask of the person of the session about a record, whether or not they may see it."""
    described = session.app.entities[entity]
    fitting = sources(session, described)
    record = Loader(session).record(entity, record_id) if fitting else None
    if record is None or record.row.get("deleted_at") is not None:
        return []
    return [(offer, source, record) for source in fitting for offer in source.entrusted(session, described, record)]


def find(session: Session, entity: str, record_id: int, name: str) -> tuple[Offer, ActionSource, Stored]:
    """One action by name, with its source and record. Raises `NotFound`."""
    described = session.app.entities[entity]
    fitting = sources(session, described)
    try:
        record = visible(session, entity, record_id)
    except (NotFound, Forbidden) as unseen:
        if asked := [one for one in entrusted(session, entity, record_id) if one[0].name == name]:
            return asked[0]
        if isinstance(unseen, Forbidden):
            raise
        said = (source.missing(session, described, record_id, name) for source in fitting)
        raise next((answer for answer in said if answer is not None), NotFound()) from None
    for source in fitting:
        for offer in source.offers(session, described, record):
            if offer.name == name:
                return offer, source, record
    raise NotFound("action.unknown", name=name[:80])


def run(session: Session, entity: str, record_id: int, name: str, given: Mapping[str, Any]) -> Outcome:
    """Carries out an action, if it is open. `given` are values as typed or sent.

    Raises `NotFound`, `Conflict("action.closed")` with the reason, `Refused` with each value that cannot be used, and
    what the action itself answers. The audit names the action.
    """
    lock(session, entity, record_id)
    offer, source, record = find(session, entity, record_id, name)
    if offer.why is not None:
        raise Conflict("action.closed", why=offer.why)
    values = read_asks(session, offer.asks, given)
    outcome = source.run(session, session.app.entities[entity], record, name, values)
    said = {key: [None, value] for key, value in values.items() if value is not None and key != MENTION}
    audit.write(session, [audit.Entry(entity, record_id, f"action:{name}"[:40], said)])
    return outcome


def lock(session: Session, entity: str, record_id: int) -> None:
    """Two people who act on one record do so one after the other. SQLite's writer is alone anyway."""
    if session.site.dialect == "sqlite":
        return
    table = session.table(entity)
    session.connection.execute(table.select().where(table.c.id == record_id).with_for_update())


def as_person(session: Session, cause: str) -> Session:
    """A session for what a rule writes: under the name of the person, with the rights of the system."""
    writing = session.sub(cause=cause)
    writing.user = replace(session.user, superuser=True)
    return writing


def visible(session: Session, entity: str, record_id: int) -> Stored:
    """The record as rules see it, if the person may see it. Raises `NotFound`."""
    records.read(session, entity, record_id, ["id"])
    return stored(session, entity, record_id)


def stored(session: Session, entity: str, record_id: int) -> Stored:
    """The record as rules see it, whoever asks. Raises `NotFound` where there is none that lives."""
    if entity not in session.app.entities:
        raise NotFound()
    found = Loader(session).record(entity, record_id)
    if found is None or found.row.get("deleted_at") is not None:
        raise NotFound()
    return found


def read_asks(session: Session, asks: Iterable[Ask], given: Mapping[str, Any]) -> dict[str, Any]:
    """Typed values by name, every ask among them, and the people mentioned where an ask has them.

    Raises `BadQuery` for a name that was not asked, `Refused`.
    """
    known = {ask.name: ask for ask in asks}
    people = any(ask.mentions for ask in known.values())
    if unknown := sorted(set(given) - set(known) - ({MENTION} if people else set())):
        raise BadQuery("action.unknown_value", name=unknown[0][:80])
    values: dict[str, Any] = {}
    if people:
        values[MENTION] = _people(given.get(MENTION))
    problems: list[RecordProblem] = []
    for ask in known.values():
        raw = given.get(ask.name)
        if raw is None or raw == "":
            values[ask.name] = None
            if ask.required:
                problems.append(RecordProblem(code="required", field=ask.name, params={"label": ask.label}))
            continue
        try:
            values[ask.name] = _typed(session, ask, raw)
        except Rejection as rejection:
            problems.append(RecordProblem(code=rejection.code, field=ask.name, params=dict(rejection.params)))
    if problems:
        raise Refused(problems=problems)
    return values


def _people(given: Any) -> tuple[int, ...]:
    """Ids of people as numbers or digits; what is none names nobody."""
    listed = given if isinstance(given, list | tuple) else [given]
    numbers = (number_in(str(one)) for one in listed[:MOST_MENTIONED] if one is not None)
    return tuple(number for number in numbers if number is not None)


def _typed(session: Session, ask: Ask, raw: Any) -> Any:
    if ask.type == "select":
        if str(raw) not in {name for name, _ in ask.choices}:
            raise Rejection("unknown_choice", value=str(raw)[:80])
        return str(raw)
    if ask.type == "json":
        return raw
    value = field_type(ask.type).coerce(raw, as_field(ask), coercion(session))
    if ask.type in ("link", "user") and value is not None and not _may_see(session, ask.to or "user", value):
        raise Rejection("no_such_record")
    return value


def _may_see(session: Session, entity: str, record_id: int) -> bool:
    try:
        records.read(session, entity, record_id, ["id"])
    except NotFound:
        return False
    return True


def as_field(ask: Ask) -> Field:
    """The ask as a field, for its type's own reading and widget."""
    kind = field_type(ask.type)
    return Field(
        name=ask.name,
        type=ask.type,
        label=Text(values=FrozenMap({"zh": ask.label, "en": ask.label})),
        storage=kind.storage,
        value_type=decimal(ask.scale) if ask.type == "decimal" else TEXT,
        required=ask.required,
        to=ask.to or ("user" if ask.type == "user" else None),
        scale=ask.scale,
        digits=18,
        max=4000 if ask.type == "long_text" else None,
        origin=_NOWHERE,
    )


def plain_offer(offer: Offer) -> dict[str, Any]:
    """An offer as JSON, as the API tells it."""
    return {
        "name": offer.name,
        "label": offer.label,
        "kind": offer.word,
        "open": offer.open,
        "code": None if offer.open else "action.closed",
        "why": offer.why,
        "asks": [
            {
                "name": ask.name,
                "label": ask.label,
                "type": ask.type,
                "required": ask.required,
                **({"mentions": MENTION} if ask.mentions else {}),
                **({"to": ask.to} if ask.to else {}),
                **({"choices": [{"name": n, "label": text} for n, text in ask.choices]} if ask.choices else {}),
                **({"default": ask.default} if isinstance(ask.default, str | int | bool) else {}),
            }
            for ask in offer.asks
        ],
    }
