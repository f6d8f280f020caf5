"""book_hours, ring_workshop: what steps of workflows, approvals and reminders may call."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from metadata.effect_functions import effect_function
from rules.typing import TEXT, decimal
from runtime import records

if TYPE_CHECKING:
    from runtime.site import Session, Site


@effect_function("book_hours", takes={"hours": decimal(1)})
def book_hours(session: Session, record: Any, hours: Decimal | None) -> dict[str, Any]:
    """Books time of the technician, in the transaction of the step: exactly once, whatever happens to the worker."""
    values = {"job": record.record_id, "hours": hours or Decimal(1)}
    return {"booking": records.create(session, "service_booking", values).id}


@effect_function("ring_workshop", takes={"text": TEXT}, outside=True)
def ring_workshop(site: Site, event: str, text: str | None) -> None:
    """Tells the workshop after the commit, at least once; the event id lets it see what it was told before.

    Here the workshop is a file; a pager or a chat would be called instead.
    """
    board = site.folder / "workshop.txt"
    told = board.read_text(encoding="utf-8").splitlines() if board.exists() else []
    if not any(line.startswith(f"{event} ") for line in told):
        with board.open("a", encoding="utf-8") as target:
            target.write(f"{event} {text or ''}\n")
