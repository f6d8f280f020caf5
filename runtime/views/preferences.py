"""Language and theme of the person signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from runtime.site import Session


def remember(session: Session, *, language: str | None = None, theme: str | None = None) -> None:
    """Keeps what is given with the person. No rights are asked: everybody may choose how their pages look."""
    values = {name: value for name, value in (("language", language), ("theme", theme)) if value is not None}
    if values and session.user.id is not None:
        person = session.table("user")
        session.connection.execute(sa.update(person).where(person.c.id == session.user.id).values(**values))
        session.touch("user")
