"""Forms for people outside: what they send becomes a record, written with the rights of the form's own role.

Nobody signs in, so nothing of a person's rights can be borrowed: no cookie counts. What stands against machines: a
token that says when the form was opened and serves once, a field no person sees, and counts of posts in the database,
by address and in all.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from metadata.models.web_form import WebForm
from runtime import idempotency, records
from runtime.decisions.effects import Acting, given_values
from runtime.errors import NotFound, RecordProblem, Refused
from runtime.messaging.calling import signing_key
from runtime.security.ratelimit import count_call

if TYPE_CHECKING:
    from runtime.site import Session, Site

MOST_BYTES = 64 * 1024  # of what is sent
HOUR = 3_600_000  # milliseconds
OLDEST = 24 * 3_600  # seconds: as long as it is known which tokens were used
CHANNEL = "web_form"
TOKEN = "__token"  # noqa: S105 - the name of an element; no field is called so: names have no double underscore
AGREED = "__agreed"  # the element of a consent that no field keeps
OF_THE_PAGE = frozenset({TOKEN, "__lang", "__theme", "__embed"})  # what the page sends along for itself

Verdict = Literal["right", "missing", "early", "late"]


def form_of(session: Session, name: str) -> WebForm:
    """Raises `NotFound` for a form that is not declared or not open."""
    found: WebForm | None = session.app.of("web_form").get(name)
    if found is None or not found.enabled or found.role not in session.app.roles:
        raise NotFound()
    return found


def guest_of(session: Session, form: WebForm) -> Session:
    """The session of somebody outside who fills the form in."""
    name = form.label.of(session.language)
    return session.guest(form.role, name=name, cause=f"web_form:{form.name}", channel=CHANNEL)


def trap_of(form: WebForm) -> str:
    """A field people do not see: who fills it in is no person. Its name is none of the form's own."""
    used = {f.field for f in form.fields} | {field for _, field in form.query}
    return next(name for name in ("website_url", "homepage_url", "web_address_2") if name not in used)


# --- the token -----------------------------------------------------------------------------------------------------


def new_token(session: Session, form: WebForm) -> str:
    """Says when the form was opened; signed, and good for one record."""
    body = f"{int(session.now.timestamp())}.{secrets.token_urlsafe(16)}"
    return f"{body}.{_signature(session.site, form, body)}"


def judge(session: Session, form: WebForm, token: str) -> tuple[Verdict, str]:
    """Whether a token may be used now, and the key under which it is remembered once it was."""
    body, _, given = token.rpartition(".")
    stamp, _, once = body.partition(".")
    ours = hmac.compare_digest(_signature(session.site, form, body).encode(), given.encode())
    if not ours or not stamp.isdigit() or len(stamp) > 12 or not once:
        return "missing", ""
    age = int(session.now.timestamp()) - int(stamp)
    key = f"web_form:{hashlib.sha256(token.encode()).hexdigest()}"
    return ("early" if age < form.seconds else "late" if age > OLDEST else "right"), key


def _signature(site: Site, form: WebForm, body: str) -> str:
    key = signing_key(site, f"web_form:{form.name}")
    return hmac.new(key.encode(), body.encode(), hashlib.sha256).hexdigest()


# --- what is sent --------------------------------------------------------------------------------------------------


def count(session: Session, form: WebForm, address: str) -> None:
    """Counts a post. Raises `TooManyRequests`; who was refused by address does not use up what there is for all."""
    count_call(session, f"web_form:{form.name}|{_neighbourhood(address)}", form.per_address, HOUR)
    count_call(session, f"web_form:{form.name}", form.in_all, HOUR)


def _neighbourhood(address: str) -> str:
    """The address; of IPv6 the network of 64 bits, for that is what one connection is given."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else str(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """`record` is None where a trap was stepped into, and where the same post has been taken before."""

    record: int | None = None
    trapped: bool = False
    again: bool = False


def receive(session: Session, form: WebForm, given: Mapping[str, Any], token: str) -> Received:
    """Makes a record of what was filled in, in this transaction, which is to be undone where this raises.

    `given` holds what was sent by field name, and what is no field of the form as well: it is refused by name.
    Raises `Refused` with every problem; its code is `web_form.token`, `.early` or `.late` where nothing is wrong but
    the token: then the same has only to be sent once more.
    """
    trap = trap_of(form)
    if given.get(trap):
        return Received(trapped=True)
    values = {name: value for name, value in given.items() if name != trap and name not in OF_THE_PAGE}
    problems = _not_asked(form, values) + _not_filled(form, values)
    verdict, key = judge(session, form, token)
    if verdict == "right" and not problems and idempotency.claim(session, key, form.name) is not None:
        return Received(again=True)
    guest = guest_of(session, form)
    asked = {name: value for name, value in values.items() if name in _asked(form) and name != AGREED}
    asked |= given_values(Acting(guest, None, None, guest.cause or ""), form.entity, form.given)
    try:
        saved = records.create(guest, form.entity, asked)
    except Refused as answer:
        named = {p.field for p in problems}
        problems += [p for p in answer.problems if p.field not in named]
        problems = problems or [RecordProblem(code=answer.code, params=answer.params)]
    if verdict != "right":
        raise Refused("web_form.token" if verdict == "missing" else f"web_form.{verdict}", problems=problems)
    if problems:
        raise Refused(problems=problems)
    idempotency.keep(session, key, 303, {}, "")
    return Received(record=saved.id)


def _asked(form: WebForm) -> set[str]:
    asked = {f.field for f in form.fields} | {field for _, field in form.query}
    return asked | ({form.consent.field or AGREED} if form.consent is not None else set())


def _not_asked(form: WebForm, values: Mapping[str, Any]) -> list[RecordProblem]:
    """What no field of the form is, whatever the entity has and the role may write."""
    strange = sorted(set(values) - _asked(form))[:20]
    return [RecordProblem(code="unknown_field", field=name[:60], params={"field": name[:60]}) for name in strange]


def _not_filled(form: WebForm, values: Mapping[str, Any]) -> list[RecordProblem]:
    """What this form requires, whatever the entity does."""
    missing = [f.field for f in form.fields if f.required and not values.get(f.field)]
    found = [RecordProblem(code="required", field=name) for name in missing]
    consent = form.consent
    if consent is not None and values.get(consent.field or AGREED) not in ("true", True):
        found.append(RecordProblem(code="web_form.agree", field=consent.field or AGREED))
    return found


# --- for administrators ----------------------------------------------------------------------------------------------


def received(session: Session, form: WebForm, days: int = 30) -> int:
    """How many records the form made in so many days."""
    audit = session.table("audit")
    mine = (audit.c.entity == form.entity, audit.c.action == "create", audit.c.cause == f"web_form:{form.name}")
    wanted = sa.select(sa.func.count()).where(*mine, audit.c.at >= session.now - timedelta(days=days))
    return int(session.connection.scalar(wanted) or 0)
