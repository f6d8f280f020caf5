"""Which rows of a list stand out: the first declared highlight whose condition holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.model import Highlight
from runtime.query.expressions import condition
from runtime.security.access import sql_context

if TYPE_CHECKING:
    from runtime.site import Session


def styles(session: Session, entity: str, highlights: Sequence[Highlight], rows: Sequence[Any]) -> list[str]:
    """The style of each row ("" for none), in one statement; the rows are those the person was shown."""
    ids = [row.id for row in rows]
    table = session.table(entity)
    context = sql_context(session)
    first = sa.case(*((condition(h.when, table, context), sa.literal(n)) for n, h in enumerate(highlights)), else_=-1)
    judged = session.connection.execute(sa.select(table.c.id, first).where(table.c.id.in_(ids)))
    found = {row[0]: row[1] for row in judged}
    return [highlights[n].style if (n := found.get(i, -1)) >= 0 else "" for i in ids]
