"""Which rows of a list stand out: the first declared highlight whose condition holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from metadata.model import Highlight
from runtime.query.select import Query, run

if TYPE_CHECKING:
    from runtime.site import Session


def styles(session: Session, entity: str, highlights: Sequence[Highlight], rows: Sequence[Any]) -> list[str]:
    """The style of each row ("" for none): one statement per highlight, over the rows of the page alone."""
    ids = tuple(row.id for row in rows)
    found: dict[int, str] = {}
    for highlight in highlights:
        for row in run(session, Query(entity=entity, rules=(highlight.when,), ids=ids, limit=len(ids))).rows:
            found.setdefault(row.id, highlight.style)
    return [found.get(i, "") for i in ids]
