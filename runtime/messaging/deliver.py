"""The job that hands messages over to the outside: to the mail server, or to the program a webhook names."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import sqlalchemy as sa

from runtime.jobs.context import JobContext
from runtime.jobs.queue import enqueue
from runtime.jobs.registry import Payload, job, long_job, schedule
from runtime.messaging.calling import NotAllowed, call
from runtime.messaging.outbox import EMAIL, FAILED, SENDING, SENT, UNKNOWN, WAITING

if TYPE_CHECKING:
    from runtime.site import Session, Site

TIMEOUT = 20  # seconds for each answer of the other side
SWEEP = 500  # waiting messages looked at in one go


class Later(Exception):  # noqa: N818 - not an error of the program
    """The other side cannot take it now."""


class Never(Exception):  # noqa: N818
    """The other side will not take it."""


class FateUnknown(Exception):  # noqa: N818
    """It was handed over, and no answer came."""


@long_job("deliver")
def deliver(context: JobContext) -> dict[str, Any]:
    """Sends one message. What happened to it stands in the message itself."""
    row = _begin(context)
    if row is None:
        return {"state": "settled"}
    state, error = SENT, None
    try:
        _hand_over(context.site, row)
    except Never as refusal:
        state, error = FAILED, str(refusal)
    except FateUnknown as doubt:
        state, error = UNKNOWN, str(doubt)
    except Later as delay:
        last = context.claimed.tries >= context.site.settings.job_tries
        _settle(context, row["id"], FAILED if last else WAITING, str(delay))
        raise
    _settle(context, row["id"], state, error)
    return {"state": state}


def _begin(context: JobContext) -> dict[str, Any] | None:
    """The message, marked as being sent; None where its fate is settled."""
    with context.transaction() as session:
        table = session.table("message")
        wanted = sa.select(table).where(table.c.id == context.payload["id"], table.c.deleted_at.is_(None))
        found = session.connection.execute(wanted).mappings().first()
        if found is None or found["state"] in (SENT, FAILED, UNKNOWN):
            return None
        if found["state"] == SENDING and found["channel"] == EMAIL:
            _note(session, found["id"], UNKNOWN, "the worker stopped while it was being sent")
            return None
        _note(session, found["id"], SENDING, None)
        return dict(found)


def _hand_over(site: Site, row: dict[str, Any]) -> None:
    if row["channel"] == EMAIL:
        send_mail(site, row)
        return
    try:
        status = call(site, row["recipient"], row["subject"], row["message_id"], row["body"])
    except NotAllowed as refusal:
        raise Never(str(refusal)) from refusal
    except OSError as trouble:
        raise Later(f"{type(trouble).__name__}: {trouble}") from trouble
    if status in (408, 425, 429) or status >= 500 or 300 <= status < 400:
        raise Later(f"HTTP {status}")
    if status >= 400:
        raise Never(f"HTTP {status}")


def _settle(context: JobContext, message_id: int, state: str, error: str | None) -> None:
    with context.transaction() as session:
        _note(session, message_id, state, error)


def _note(session: Session, message_id: int, state: str, error: str | None) -> None:
    table = session.table("message")
    values: dict[str, Any] = {"state": state, "error": error, "updated_at": session.now}
    if state == SENT:
        values["sent_at"] = session.now
    session.connection.execute(sa.update(table).where(table.c.id == message_id).values(values))
    session.touch("message")


# --- mail ----------------------------------------------------------------------------------------------------------


def send_mail(site: Site, row: dict[str, Any]) -> None:
    """Hands one mail to the server of `smtp_url`. Raises `Later`, `Never`, `FateUnknown`."""
    where = urlsplit(site.settings.smtp_url)
    host = where.hostname or "localhost"
    try:
        with _connected(where.scheme, host, where.port) as server:
            if where.scheme != "smtps" and server.has_extn("starttls"):
                server.starttls(context=ssl.create_default_context())
                server.ehlo()
            if where.username:
                server.login(unquote(where.username), unquote(where.password or ""))
            _transfer(server, site, row)
    except smtplib.SMTPAuthenticationError as error:
        raise Later(f"SMTP {error.smtp_code}") from error
    except (OSError, smtplib.SMTPException) as trouble:
        raise Later(f"{type(trouble).__name__}: {trouble}") from trouble


def _connected(scheme: str, host: str, port: int | None) -> smtplib.SMTP:
    if scheme == "smtps":
        return smtplib.SMTP_SSL(host, port or 465, timeout=TIMEOUT, context=ssl.create_default_context())
    found = smtplib.SMTP(host, port or 25, timeout=TIMEOUT)
    found.ehlo()
    return found


def _transfer(server: smtplib.SMTP, site: Site, row: dict[str, Any]) -> None:
    sender = sender_of(site)
    _answer(*server.mail(sender))
    _answer(*server.rcpt(row["recipient"]))
    try:
        _answer(*server.data(_composed(site, sender, row).as_bytes(policy=SMTP)))
    except smtplib.SMTPDataError as error:
        _answer(error.smtp_code, error.smtp_error)
    except (OSError, smtplib.SMTPServerDisconnected) as broken:
        raise FateUnknown(f"{type(broken).__name__}: the line broke while it was handed over") from broken


def _answer(code: int, text: bytes | str) -> None:
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    if 400 <= code < 500:
        raise Later(f"SMTP {code} {said}"[:300])
    if code >= 500:
        raise Never(f"SMTP {code} {said}"[:300])


def sender_of(site: Site) -> str:
    """The address mails come from: `?from=` of the URL, its user where that is an address, else octavo@host."""
    where = urlsplit(site.settings.smtp_url)
    given = dict(part.partition("=")[::2] for part in where.query.split("&") if part).get("from")
    user = unquote(where.username or "")
    return unquote(given) if given else user if "@" in user else f"octavo@{where.hostname or 'localhost'}"


def _composed(site: Site, sender: str, row: dict[str, Any]) -> EmailMessage:
    """The mail; line ends in addresses and subject cannot make headers of their own."""
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = " ".join(str(row["recipient"]).split())
    mail["Subject"] = " ".join(str(row["subject"] or "").split())
    mail["Message-ID"] = f"<{row['message_id']}@{sender.rpartition('@')[2]}>"
    mail.set_content(row["body"] or "")
    return mail


@job("send_waiting")
def send_waiting(session: Session, _payload: Payload) -> dict[str, int]:
    """Takes up messages that were written while there was no way to send them."""
    if not session.site.settings.smtp_url:
        return {"taken": 0}
    table = session.table("message")
    waiting = sa.select(table.c.id).where(table.c.state == WAITING, table.c.channel == EMAIL, _idle(session, table))
    ids = list(session.connection.scalars(waiting.order_by(table.c.id).limit(SWEEP)))
    taken = [enqueue(session, "deliver", {"id": i}, unique_key=f"deliver:{i}") for i in ids]
    return {"taken": sum(1 for found in taken if found is not None)}


def _idle(session: Session, message: sa.Table) -> sa.ColumnElement[bool]:
    """No job is at it."""
    jobs = session.table("job")
    key = sa.literal("deliver:") + sa.cast(message.c.id, sa.String)
    busy = sa.select(sa.literal(1)).where(jobs.c.unique_key == key, jobs.c.state.in_(("waiting", "running")))
    return sa.and_(message.c.deleted_at.is_(None), ~sa.exists(busy))


schedule("send_waiting", "*/5 * * * *", "send_waiting")
