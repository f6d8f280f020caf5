"""What has to be filled in existing records after a version was published: stored formulas, sort keys, search."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from metadata.model import Application
from runtime.schema.plan import Plan


def after_publish(site: Any, connection: sa.Connection, plan: Plan, old: Application | None, new: Application) -> None:
    """Enqueues, in the publishing transaction, the jobs that fill what existing records lack."""
