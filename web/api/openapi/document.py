"""The whole OpenAPI document for one user."""

from __future__ import annotations

from typing import Any

from runtime.security.access import Access
from runtime.site import Session
from web.api.openapi.paths import Paths
from web.api.openapi.schemas import Schemas

ABOUT = {
    "zh": "由元数据生成的接口。id 与精确数值均为字符串；时间为带时区的 RFC 3339；金额为 {amount, currency}。",
    "en": "Generated from the metadata. Ids and exact numbers are strings; times are RFC 3339 with offset; money is "
    "{amount, currency}, on input also a number or text.",
}


def build(session: Session, server: str) -> dict[str, Any]:
    """OpenAPI 3.1 of what the session's user may do. Two users with the same roles get the same."""
    language = session.language if session.language in ABOUT else "en"
    access = Access(session)
    schemas = Schemas(session.app, access, language)
    paths = Paths(schemas, access, language)
    entities = [e for e in session.app.entities.values() if not e.retired and e.parent is None]
    for entity in entities:
        paths.entity(entity)
    for report in session.app.reports.values():
        if access.can(report.entity, "read"):
            paths.report(report)
    paths.fixed()
    usable = [e for e in entities if f"/{e.name}" in paths.built or f"/{e.name}/{{id}}" in paths.built]
    return {
        "openapi": "3.1.0",
        "info": {"title": "Octavo", "version": str(session.version), "description": ABOUT[language]},
        "servers": [{"url": server}],
        "security": [{"token": []}],
        "tags": [{"name": e.name, "description": e.label.of(language)} for e in usable],
        "paths": dict(sorted(paths.built.items())),
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": dict(sorted(schemas.built.items())),
        },
    }
