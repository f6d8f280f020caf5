"""The versions of a record as data: what each says, and what the newest one changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from runtime import revisions
from runtime.decisions.people import names
from runtime.explain import explainer
from runtime.messages import say
from runtime.records import snapshots
from runtime.security.access import Access
from runtime.views.binder import Binder
from runtime.views.snapshots import changes

if TYPE_CHECKING:
    from runtime.site import Session


@explainer("versions")
def explain(session: Session, entity: str, record_id: int) -> dict[str, Any]:
    """Every version, the newest first, with its content as this person may see it; `steps` compare the newest two."""
    rows = revisions.versions(session, entity, record_id) if session.app.entities[entity].revisions else []
    known = names(session, [row["author"] for row in rows if row["author"]])
    contents = {row["number"]: revisions.content_of(session, entity, record_id, row["number"]) for row in rows}
    listed = [
        {
            "number": row["number"],
            "state": row["state"],
            "author": known.get(row["author"] or 0, "Octavo"),
            "at": (row["applied_at"] or row["made_at"]).isoformat(),
            "reason": row["reason"],
            "content": seen(session, entity, contents[row["number"]]),
        }
        for row in rows
    ]
    numbers = sorted(contents, reverse=True)
    steps: list[Any] = []
    if len(numbers) > 1:
        difference = snapshots.difference(contents[numbers[1]], contents[numbers[0]])
        steps = [asdict(change) for change in changes(Binder(session), entity, difference)]
    return {
        "decision": "versions",
        "summary": say("revision.said", session.language, count=len(numbers)),
        "versions": listed,
        "steps": steps,
    }


def seen(session: Session, entity: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """A snapshot without what this person may not see, in the record and its lines."""
    access = Access(session)
    fields = session.app.entities[entity].fields
    found: dict[str, Any] = {}
    for name, value in content.items():
        if name == "id":
            found[name] = value
        elif name in fields and access.visible(entity, name):
            member = fields[name]
            lines = member.storage == "children" and isinstance(value, list)
            found[name] = [seen(session, member.entity or "", line) for line in value] if lines else value
    return found
