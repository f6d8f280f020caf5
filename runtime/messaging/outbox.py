"""What leaves the program: e-mails and calls of other programs, as rows of the entity `message`, sent by jobs.

A row is written in the transaction that wants it sent, so it exists exactly if that commits. It leaves at least once
under one id. A mail whose fate is not known (the worker died or the line broke while it was handed over) is listed as
unknown and not sent again by itself; a webhook is called again under the same event id, by which the other side knows.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from runtime.jobs.queue import enqueue

if TYPE_CHECKING:
    from runtime.site import Session

WAITING, SENDING, SENT, FAILED, UNKNOWN = "waiting", "sending", "sent", "failed", "unknown"
EMAIL, WEBHOOK = "email", "webhook"
LONGEST_SUBJECT = 300


def post_mail(
    session: Session,
    recipients: Iterable[str],
    subject: str,
    body: str,
    *,
    entity: str | None = None,
    record: int | None = None,
) -> list[int]:
    """Writes one e-mail for each address; the ids of the messages. Without `smtp_url` they stay visible as not sent."""
    found = dict.fromkeys(address.strip() for address in recipients if address and address.strip())
    rows = [_row(EMAIL, address, subject, body, entity, record) for address in found]
    return [_put(session, row) for row in rows]


def post_webhook(
    session: Session,
    url: str,
    key: str,
    payload: Mapping[str, Any],
    *,
    entity: str | None = None,
    record: int | None = None,
) -> tuple[int, str]:
    """Writes a call of `url`, signed with the secret named `key`; the id of the message and the event id sent along."""
    row = _row(WEBHOOK, url, key, "", entity, record)
    event = {"event_id": row["message_id"], "occurred_at": session.now.isoformat(), **payload}
    row["body"] = json.dumps(event, ensure_ascii=False, default=str)
    return _put(session, row), row["message_id"]


def _row(
    channel: str, recipient: str, subject: str, body: str, entity: str | None, record: int | None
) -> dict[str, Any]:
    return {
        "channel": channel,
        "recipient": recipient,
        "subject": subject[:LONGEST_SUBJECT],
        "body": body,
        "state": WAITING,
        "message_id": secrets.token_hex(16),
        "entity": entity,
        "record": record,
    }


def _put(session: Session, row: dict[str, Any]) -> int:
    table = session.table("message")
    common = {
        "created_at": session.now,
        "created_on": session.today,
        "created_by": session.user.id,
        "updated_at": session.now,
        "updated_by": session.user.id,
        "version": 1,
    }
    found = int(
        session.connection.execute(sa.insert(table).values({**row, **common}).returning(table.c.id)).scalar_one()
    )
    session.touch("message")
    if row["channel"] == WEBHOOK or session.site.settings.smtp_url:
        enqueue(session, "deliver", {"id": found}, unique_key=f"deliver:{found}")
    return found


def send_again(session: Session, message_id: int) -> bool:
    """Lets a message that failed, or whose fate is unknown, leave once more. False where it is neither."""
    table = session.table("message")
    change = (
        sa.update(table)
        .where(table.c.id == message_id, table.c.state.in_((FAILED, UNKNOWN, WAITING)))
        .values(state=WAITING, error=None, updated_at=session.now)
    )
    if session.connection.execute(change).rowcount != 1:
        return False
    enqueue(session, "deliver", {"id": message_id}, unique_key=f"deliver:{message_id}")
    return True
