"""Beside a record: where its approval stands, and its versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runtime import revisions
from runtime.decisions import approval_store as store
from runtime.decisions import approval_view as view
from runtime.records import snapshots
from runtime.site import Session
from runtime.views.binder import Binder
from runtime.views.snapshots import changes
from web.i18n import _
from web.pages.inbox import _when, version_rows
from web.panels import Panel, register


def _approval(session: Session, entity: str, record_id: int) -> Mapping[str, Any] | None:
    row = store.latest(session, entity, record_id)
    if row is None:
        return None
    return {"case": view.case_view(session, row["id"]), "when": lambda at: _when(session, at)}


def _versions(session: Session, entity: str, record_id: int) -> Mapping[str, Any] | None:
    rows = revisions.versions(session, entity, record_id)
    if not rows:
        return None
    binder = Binder(session)
    coming = revisions.open_revision(session, entity, record_id)
    changed: list[Any] = []
    if coming is not None:
        draft = revisions.proposed(session, coming["id"])
        before = draft.old()
        difference = snapshots.difference(snapshots.take(before), snapshots.take(draft)) if before is not None else {}
        changed = changes(binder, entity, difference)
    return {"rows": version_rows(session, rows), "changed": changed, "when": lambda at: _when(session, at)}


register(
    Panel(
        word="approval",
        label=lambda: str(_("Approval")),
        applies=lambda app, entity: bool(app.rules_of(entity.name, "approval")),
        template="approvals/panel.html",
        data=_approval,
    )
)
register(
    Panel(
        word="versions",
        label=lambda: str(_("Versions")),
        applies=lambda app, entity: entity.revisions is not None,
        template="approvals/versions_panel.html",
        data=_versions,
    )
)
