"""Effects carried out: what a rule does with a record once it has decided, in the transaction of the decision.

What is written in the database happens exactly once, with that transaction. What leaves the program is written into
the outbox and goes from there at least once, under an id; see `runtime.messaging.outbox`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from metadata.effect_functions import effect_function as effect_function
from metadata.effect_functions import effect_functions
from metadata.frozen import FrozenMap
from metadata.model import Field
from metadata.models.effects import (
    AddLinks,
    Assign,
    CallFunction,
    CallWebhook,
    Create,
    Effect,
    Notify,
    SendMessage,
    SetFields,
    StartApproval,
    Value,
)
from rules.evaluate import Environment, Values, evaluate, holds
from runtime import records
from runtime.decisions import people
from runtime.environment import working_time
from runtime.errors import Conflict, NotFound, RecordProblem, Refused
from runtime.jobs.queue import enqueue
from runtime.messaging.filling import fill, reader_of, title_of
from runtime.messaging.notify import notify
from runtime.messaging.outbox import post_mail, post_webhook
from runtime.records.input import coercion
from runtime.records.plan import plan_of
from runtime.records.values import Loader, Stored

if TYPE_CHECKING:
    from runtime.site import Session

DEEPEST = 10  # rules that cause each other, one after the other; further is a ring
Result = dict[str, Any]


@dataclass
class Acting:
    """What an effect may know: the session of the system it writes with, its record, who and what caused it."""

    session: Session
    entity: str | None
    record_id: int | None
    cause: str
    person: int | None = None
    old: Mapping[str, Any] | None = None
    changed: frozenset[str] = frozenset()
    params: Mapping[str, Any] = field(default_factory=dict)
    label: str | None = None

    def record(self) -> Stored | None:
        """The record as it is now, after the effects before."""
        if self.entity is None or self.record_id is None:
            return None
        return Loader(self.session).record(self.entity, self.record_id)

    def environment(self) -> Environment:
        loader = Loader(self.session)
        user = loader.record("user", self.person) if self.person is not None else None
        old: Values | None = None
        if self.old is not None and self.entity is not None:
            old = Stored(loader, plan_of(self.session, self.entity), dict(self.old))
        return self.session.environment(user=user, old=old, changed=self.changed, parameters=dict(self.params))


def carry_out(
    session: Session,
    effects: Sequence[Effect],
    entity: str | None,
    record_id: int | None,
    cause: str,
    *,
    person: int | None = None,
    old: Mapping[str, Any] | None = None,
    changed: frozenset[str] = frozenset(),
    params: Mapping[str, Any] | None = None,
    label: str | None = None,
) -> list[Result]:
    """Carries the effects out on a record, in the transaction of the session; what each did, as JSON.

    `cause` names the rule (`approval:discount`) and goes into audit, stage log and notices; `person` is `user` in its
    expressions; `old` the row before the change. Raises `Conflict` where rules have gone round in a ring, and whatever
    a refused write answers: then nothing of it may be committed.
    """
    if not effects:
        return []
    if session.depth >= DEEPEST:
        raise Conflict("rule.loop", cause=cause, depth=str(session.depth), entity=entity or "", record=record_id or "")
    acting = Acting(
        session=session.sub(cause=cause),
        entity=entity,
        record_id=record_id,
        cause=cause,
        person=person,
        old=old,
        changed=changed,
        params=dict(params or {}),
        label=label,
    )
    return [carry_out_one(acting, effect) for effect in effects]


def carry_out_one(acting: Acting, effect: Effect) -> Result:
    """One effect; skipped where its condition does not hold."""
    about = {"name": effect.name, "effect": effect.word}
    if effect.when is not None and not holds(effect.when, acting.record(), acting.environment()):
        return {**about, "state": "skipped"}
    return {**about, "state": "done", **_CARRIERS[type(effect)](acting, effect)}


# --- values ------------------------------------------------------------------------------------------------------


def given_values(acting: Acting, entity: str | None, values: Sequence[Value]) -> dict[str, Any]:
    """Name → value, as the record layer takes it."""
    return given_values_of(acting, entity, values, acting.record(), acting.environment())


def given_values_of(
    acting: Acting, entity: str | None, values: Sequence[Value], record: Values | None, environment: Environment
) -> dict[str, Any]:
    """The same, seen from a record that is perhaps only being written."""
    fields = plan_of(acting.session, entity).fields if entity is not None else {}
    return {v.field: _value(acting, v, fields.get(v.field), record, environment) for v in values}


def _value(acting: Acting, value: Value, target: Field | None, record: Any, env: Environment) -> Any:
    session = acting.session
    if value.expression is not None:
        return _plain(evaluate(value.expression, record, env))
    if value.text is not None:
        return fill(value.text, record, reader_of(session, language=session.site.settings.language))
    if value.who is not None:
        found = people.resolve(session, value.who, record, env)
        if target is not None and target.storage == "links":
            return found
        return next(iter(people.present(session, found) or found), None)
    if value.within is not None:
        due = working_time(session).add(session.now, value.within)
        if due is not None and target is not None and target.value_type.kind == "date":
            return due.astimezone(session.zone).date()
        return due
    return thawed(value.constant)


def _plain(value: Any) -> Any:
    """Records as their ids."""
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.get("id") if hasattr(value, "members") else value


def thawed(value: Any) -> Any:
    """Immutable data as plain data."""
    if isinstance(value, FrozenMap | Mapping):
        return {key: thawed(part) for key, part in value.items()}
    return [thawed(part) for part in value] if isinstance(value, tuple) else value


def _target(acting: Acting, path: tuple[str, ...]) -> tuple[str, int] | None:
    """The entity and id of the record at a path; None where a link on the way is empty."""
    here: Any = acting.record()
    for name in path:
        here = here.get(name) if here is not None else None
    return None if here is None else (here.plan.name, here.record_id)


_NO_RECORD = {"state": "skipped", "why": "no_record"}


# --- one function per word ---------------------------------------------------------------------------------------


def _set(acting: Acting, effect: SetFields) -> Result:
    target = _target(acting, effect.on)
    if target is None:
        return _NO_RECORD
    entity, record_id = target
    values = given_values(acting, entity, effect.values)
    records.update(acting.session, entity, record_id, values)
    return {"entity": entity, "record": record_id, "fields": sorted(values)}


def _create(acting: Acting, effect: Create) -> Result:
    values = given_values(acting, effect.entity, effect.values)
    saved = records.create(acting.session, effect.entity, values)
    return {"entity": effect.entity, "record": saved.id}


def _link(acting: Acting, effect: AddLinks) -> Result:
    target = _target(acting, effect.on)
    if target is None:
        return _NO_RECORD
    entity, record_id = target
    record = Loader(acting.session).record(entity, record_id)
    if record is None:
        return _NO_RECORD
    values: dict[str, Any] = {}
    for name, value in given_values(acting, entity, effect.values).items():
        present = list(record.loader.joined(record.plan, record.plan.fields[name], record_id))
        more = value if isinstance(value, list) else [] if value is None else [value]
        if any(one not in present for one in more):
            values[name] = list(dict.fromkeys([*present, *more]))
    if values:
        records.update(acting.session, entity, record_id, values)
    return {"entity": entity, "record": record_id, "fields": sorted(values)}


def _assign(acting: Acting, effect: Assign) -> Result:
    target = _target(acting, effect.on)
    if target is None:
        return _NO_RECORD
    entity, record_id = target
    owner = acting.session.app.entities[entity].owner
    found = people.resolve(acting.session, effect.to, acting.record(), acting.environment())
    person = next(iter(people.present(acting.session, found) or found), None)
    if owner is None or person is None:
        raise Refused(problems=[RecordProblem(code="rule.nobody", params={"step": effect.name})])
    records.update(acting.session, entity, record_id, {owner: person})
    return {"entity": entity, "record": record_id, "person": person}


def _notify(acting: Acting, effect: Notify) -> Result:
    session, record = acting.session, acting.record()
    told = people.resolve_all(session, effect.to, record, acting.environment())
    word, _, rule = acting.cause.partition(":")
    for person in told:
        reader = reader_of(session, person)
        subject = fill(effect.subject, record, reader)
        if not subject:
            subject = " · ".join(part for part in (acting.label, record and title_of(record, reader)) if part)
        body = fill(effect.body, record, reader) or None
        notify(
            session,
            [person],
            subject or acting.cause,
            body,
            entity=acting.entity,
            record=acting.record_id,
            word=word,
            rule=rule[:41] or None,
        )
    return {"people": told}


def _message(acting: Acting, effect: SendMessage) -> Result:
    session, record = acting.session, acting.record()
    about: dict[str, Any] = {"entity": acting.entity, "record": acting.record_id}
    made: list[int] = []
    person = session.table("user")
    for user in people.resolve_all(session, effect.to, record, acting.environment()):
        address = session.connection.scalar(
            person.select().with_only_columns(person.c.email).where(person.c.id == user)
        )
        if address:
            reader = reader_of(session, user)
            subject, body = fill(effect.subject, record, reader), fill(effect.body, record, reader)
            made += post_mail(session, [address], subject, body, **about)
    address = _at(record, effect.address) if effect.address else None
    if isinstance(address, str):
        reader = reader_of(session, language=session.site.settings.language)
        made += post_mail(
            session, [address], fill(effect.subject, record, reader), fill(effect.body, record, reader), **about
        )
    return {"state": "queued" if made else "skipped", "messages": made}


def _at(record: Any, path: Sequence[str]) -> Any:
    for name in path:
        record = record.get(name) if record is not None else None
    return record


def _webhook(acting: Acting, effect: CallWebhook) -> Result:
    record = acting.record()
    payload: dict[str, Any] = {"cause": acting.cause, "entity": acting.entity, "id": str(acting.record_id or "")}
    payload["record"] = {".".join(path): _json(acting.session, record, path) for path in effect.fields}
    message, event = post_webhook(
        acting.session, effect.url, effect.key, payload, entity=acting.entity, record=acting.record_id
    )
    return {"state": "queued", "messages": [message], "event": event}


def _json(session: Session, record: Any, path: Sequence[str]) -> Any:
    """A value as the API writes it."""
    owner = _at(record, path[:-1])
    if owner is None:
        return None
    value = owner.get(path[-1])
    if value is None:
        return None
    if hasattr(value, "plan"):
        return str(value.record_id)
    target = owner.plan.fields[path[-1]]
    return owner.plan.types[path[-1]].to_json(value, target, coercion(session))


_STARTERS: dict[str, Callable[..., Result]] = {}


def starts(word: str) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """Registers who starts a thing of a kind: `starter(session, entity, record_id, name, cause, person) -> JSON`."""

    def register(starter: Callable[..., Result]) -> Callable[..., Result]:
        _STARTERS[word] = starter
        return starter

    return register


def _approval(acting: Acting, effect: StartApproval) -> Result:
    starter = _STARTERS.get("approval")
    if starter is None or acting.entity is None or acting.record_id is None:
        raise NotFound()
    return starter(acting.session, acting.entity, acting.record_id, effect.approval, acting.cause, acting.person)


def _function(acting: Acting, effect: CallFunction) -> Result:
    found = effect_functions().get(effect.function)
    if found is None:
        raise NotFound("rule.no_function", name=effect.function)
    given = dict.fromkeys(found.takes) | given_values(acting, None, effect.values)
    if not found.outside:
        return {"result": found.call(acting.session, acting.record(), **given)}
    event = secrets.token_hex(16)
    payload = {"function": effect.function, "event": event, "given": _jsonable(given)}
    return {"state": "queued", "event": event, "job": enqueue(acting.session, "effect_function", payload)}


def _jsonable(given: Mapping[str, Any]) -> dict[str, Any]:
    """Values a job can keep: exact numbers and moments as text."""
    return {k: v if v is None or isinstance(v, bool | int | str | list | dict) else str(v) for k, v in given.items()}


_CARRIERS: dict[type[Effect], Callable[..., Result]] = {
    SetFields: _set,
    Create: _create,
    AddLinks: _link,
    Assign: _assign,
    Notify: _notify,
    SendMessage: _message,
    CallWebhook: _webhook,
    StartApproval: _approval,
    CallFunction: _function,
}
