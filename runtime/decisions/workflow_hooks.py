"""Workflows that another program or a form sets off: what it sends is read by the types the workflow declares."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from metadata.fields import field_type
from metadata.fields.base import Rejection
from metadata.frozen import FrozenMap
from metadata.model import Parameter, Text
from metadata.models.workflow import Workflow
from runtime.decisions.workflow_store import Start, known_keys, start, told
from runtime.errors import Forbidden, NotFound, RecordProblem, Refused
from runtime.messaging.calling import is_signed, signing_key
from runtime.records.input import coercion
from runtime.reports.parameters import as_field

if TYPE_CHECKING:
    from runtime.site import Session

MOST_BYTES = 256 * 1024  # of what is sent
MOST_A_MINUTE = 60  # calls of one hook from one address
TRAP = "website_url"  # a field people do not see: who fills it in is no person


def hook_of(session: Session, name: str) -> Workflow:
    """The workflow a hook sets off. Raises `NotFound`."""
    found: Workflow | None = session.app.of("workflow").get(name)
    if found is None or not found.enabled or not any(t.event == "hook" for t in found.triggers):
        raise NotFound()
    return found


def prove(session: Session, workflow: Workflow, body: str, signature: str, token: str) -> None:
    """Raises `Forbidden` for a caller that cannot prove itself in the way the workflow asks for."""
    wanted = {t.hook for t in workflow.triggers if t.event == "hook"}
    if "open" in wanted:
        return
    secret = signing_key(session.site, workflow.name)
    if "signature" in wanted and is_signed(secret, signature, body, int(session.now.timestamp())):
        return
    if "token" in wanted and hmac.compare_digest(token.encode(), secret.encode()):
        return
    raise Forbidden("hook.not_proved")


def receive(session: Session, workflow: Workflow, given: Mapping[str, Any], key: str | None) -> int | None:
    """Starts a run for what was sent; its id. The same key again answers the run it started the first time.

    None where a trap was stepped into. Raises `Refused` with the fields that cannot be read.
    """
    if given.get(TRAP):
        return None
    values = {name: value for name, value in given.items() if name != TRAP}
    read = taken(session, workflow, values)
    event_key = None
    if key:
        event_key = f"{workflow.name}:" + hashlib.sha256(key.encode()).hexdigest()
        known = known_keys(session, [event_key])
        if event_key in known:
            return known[event_key]
    kept = {name: told(value) for name, value in read.items()}
    return start(session, [Start(workflow=workflow.name, event="hook", given=kept, key=event_key)])[0]


def taken(session: Session, workflow: Workflow, given: Mapping[str, Any]) -> dict[str, Any]:
    """What was sent, by the declared types; what was left out is nothing. Raises `Refused`."""
    problems: list[RecordProblem] = []
    found: dict[str, Any] = dict.fromkeys(workflow.takes)
    for name in sorted(set(given) - set(workflow.takes)):
        problems.append(RecordProblem(code="unknown_field", field=name[:60], params={"field": name[:60]}))
    for name, kind in workflow.takes.items():
        if given.get(name) is None:
            continue
        try:
            found[name] = field_type(kind).coerce(given[name], as_field(_parameter(name, kind)), coercion(session))
        except Rejection as rejection:
            problems.append(RecordProblem(code=rejection.code, field=name, params=rejection.params))
    if problems:
        raise Refused(problems=problems)
    return found


def _parameter(name: str, kind: str) -> Parameter:
    label = Text(values=FrozenMap({"en": name}))
    return Parameter(name=name, type=field_type(kind).value_type({}), field_type=kind, label=label, optional=True)
