"""What may be done with a record besides changing it: now, or why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Response, request

from metadata.model import Entity
from runtime import actions as registry
from runtime import records
from runtime.errors import Conflict, Forbidden, NotFound, Stale
from runtime.messages import say
from runtime.security import audit
from runtime.security.access import Access
from runtime.site import Session
from web.api import context, idempotent
from web.api.records import answer, expected_version, record_json
from web.api.strict_json import printable


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """`needs` names the operation it takes; `deleted` whether it works on what is in the recycle bin."""

    name: str
    needs: str
    deleted: bool
    run: Callable[[Session, Entity, int, dict[str, Any]], Any]


def _recycle(session: Session, entity: Entity, identity: int, given: dict[str, Any]) -> None:
    records.delete(session, entity.name, identity, version=expected_version())


def _restore(session: Session, entity: Entity, identity: int, given: dict[str, Any]) -> Any:
    records.restore(session, entity.name, identity)
    return record_json(session, entity, records.read(session, entity.name, identity))


def _purge(session: Session, entity: Entity, identity: int, given: dict[str, Any]) -> None:
    if not session.user.admin:
        raise Forbidden
    records.purge(session, entity.name, identity)


ACTIONS: dict[str, Action] = {
    a.name: a
    for a in (
        Action(name="delete", needs="delete", deleted=False, run=_recycle),
        Action(name="restore", needs="delete", deleted=True, run=_restore),
        Action(name="purge", needs="delete", deleted=True, run=_purge),
    )
}


def list_actions(entity: str, identity: str) -> Response:
    context.parameters()
    with context.reading() as session:
        number = context.record_id(identity)
        described = _described(session, entity, number)
        if registry.entrusted(session, described.name, number) and not _seen(session, described, number):
            offers = registry.offers(session, described.name, number)
            return answer({"actions": [registry.plain_offer(offer) for offer in offers]})
        deleted = _is_deleted(session, described, number)
        listed = [_state(session, described, a, deleted) for a in ACTIONS.values()]
        if not deleted:
            listed += [registry.plain_offer(offer) for offer in registry.offers(session, described.name, number)]
        return answer({"actions": listed})


def _run_declared(session: Session, entity: Entity, number: int, name: str, given: dict[str, Any]) -> Response:
    """An action that the metadata offer. `If-Match` holds for these, too."""
    version = expected_version()
    if version is not None:
        registry.lock(session, entity.name, number)
        current = records.read(session, entity.name, number, ["id"]).version
        if current != version:
            raise Stale(current_version=current)
    outcome = registry.run(session, entity.name, number, name, given)
    goto = outcome.goto
    return answer(
        {
            "message": outcome.message,
            "goto": None if goto is None else {"entity": goto[0], "id": str(goto[1])},
            **audit.plain(dict(outcome.data)),
        }
    )


def _described(session: Session, name: str, identity: int) -> Entity:
    """The entity, for who may do anything with its records or is asked about this one."""
    try:
        return context.entity_of(session, name)
    except (NotFound, Forbidden):
        found = session.app.entities.get(name)
        if found is None or found.retired or not registry.entrusted(session, name, identity):
            raise
        return found


def _seen(session: Session, entity: Entity, identity: int) -> bool:
    try:
        records.read(session, entity.name, identity, ["id"])
    except (NotFound, Forbidden):
        return False
    return True


def _is_deleted(session: Session, entity: Entity, identity: int) -> bool:
    try:
        records.read(session, entity.name, identity, ["id"])
    except NotFound:
        records.read(session, entity.name, identity, ["id"], deleted=True)
        return True
    return False


def _state(session: Session, entity: Entity, action: Action, deleted: bool) -> dict[str, Any]:
    why = None
    if not Access(session).can(entity.name, action.needs) or (action.name == "purge" and not session.user.admin):
        why = "forbidden"
    elif action.deleted != deleted:
        why = "action.deleted_already" if deleted else "action.not_deleted"
    return {
        "name": action.name,
        "open": why is None,
        "code": why,
        "why": None if why is None else say(why, session.language),
    }


def run_action(entity: str, identity: str, action: str) -> Response:
    context.parameters()

    def work(session: Session) -> Response:
        found = ACTIONS.get(action)
        number = context.record_id(identity)
        described = _described(session, entity, number) if found is None else context.entity_of(session, entity)
        given = context.body_object() if request.content_length else {}
        if found is None:
            return _run_declared(session, described, number, printable(action), given)
        if _is_deleted(session, described, number) != found.deleted:
            raise Conflict("action.not_deleted" if found.deleted else "action.deleted_already")
        context.entity_of(session, entity, found.needs)
        result = found.run(session, described, number, given)
        return Response(status=204) if result is None else answer(result)

    return idempotent.run(work)
