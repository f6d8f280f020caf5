"""Who is calling, and what he may do."""

from __future__ import annotations

from flask import Response

from runtime.security.access import Access
from web.api import context
from web.api.records import answer


def me() -> Response:
    context.parameters()
    with context.reading() as session:
        user, access = session.user, Access(session)
        entities = {
            name: [op for op in ("read", "create", "edit", "delete", "export", "import") if access.can(name, op)]
            for name, entity in session.app.entities.items()
            if not entity.retired and entity.parent is None
        }
        return answer(
            {
                "id": str(user.id),
                "login": user.login,
                "name": user.name,
                "language": session.language,
                "roles": sorted(user.roles),
                "unit": None if user.unit is None else str(user.unit),
                "teams": [str(t) for t in sorted(user.team_ids)],
                "admin": user.admin,
                "timezone": session.site.settings.timezone,
                "currency": session.site.settings.currency,
                "now": session.now.astimezone(session.zone),
                "version": session.version,
                "entities": {name: operations for name, operations in entities.items() if operations},
            }
        )
