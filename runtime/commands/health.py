"""Is the site able to serve, and its figures."""

from __future__ import annotations

import os
from typing import Any

import sqlalchemy as sa

from runtime.errors import Answer
from runtime.settings import SettingsError
from runtime.site import Site


def ready(site: Site) -> dict[str, Any]:
    """`{"ready", "version", "database"}`: whether a request would be served now."""
    try:
        with site.session() as session:
            session.connection.execute(sa.select(sa.literal(1)))
            return {"ready": True, "version": session.version, "database": site.dialect}
    except (Answer, SettingsError) as error:
        return {"ready": False, "version": None, "database": site.dialect, "code": getattr(error, "code", "settings")}


def figures(site: Site) -> dict[str, tuple[str, dict[str, float]]]:
    """Name → (help, {label: value}); the label "" where there is one value alone. Nothing when the database is away."""
    found: dict[str, tuple[str, dict[str, float]]] = {
        "octavo_ready": ("Whether the site can serve", {"": 0.0}),
        "octavo_resident_bytes": ("Memory of this process", {"": float(resident_bytes())}),
    }
    try:
        with site.session() as session:
            job = session.table("job")
            counted = session.connection.execute(sa.select(job.c.state, sa.func.count()).group_by(job.c.state)).all()
            waiting = session.connection.scalar(sa.select(sa.func.min(job.c.run_at)).where(job.c.state == "waiting"))
            found["octavo_version"] = ("The published version", {"": float(session.version)})
            found["octavo_jobs"] = ("Background jobs", {str(state): float(count) for state, count in counted})
            late = max(0.0, (session.now - waiting).total_seconds()) if waiting else 0.0
            found["octavo_job_lag_seconds"] = ("How long the oldest waiting job is overdue", {"": late})
    except (Answer, SettingsError):
        return found
    found["octavo_ready"] = ("Whether the site can serve", {"": 1.0})
    return found


def resident_bytes() -> int:
    """Memory of this process; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0
