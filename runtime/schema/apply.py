"""Runs a plan inside the transaction of the connection it is given."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from runtime.schema.plan import Plan
from runtime.schema.steps import RebuildTable, Step


def apply(connection: sa.Connection, plan: Plan, progress: Callable[[Step], None] | None = None) -> None:
    """Runs every step and writes the registry. `progress` is told each step before it runs; what it raises ends it all.

    On SQLite foreign keys must have been switched off before the transaction began (see `runtime.publishing`): a table
    that is rebuilt would take its lines along. They are checked here, before anything can be committed.
    """
    from alembic.migration import MigrationContext  # late: only a publish needs Alembic, 8 MB of it
    from alembic.operations import Operations

    operations = Operations(MigrationContext.configure(connection, opts={"transactional_ddl": True}))
    for step in plan.steps:
        if progress is not None:
            progress(step)
        step.run(operations)
    plan.registry.save(connection)
    if connection.dialect.name == "sqlite":
        _check_keys(connection, {step.table for step in plan.steps if isinstance(step, RebuildTable)})


def _check_keys(connection: sa.Connection, tables: set[str]) -> None:
    """Only rebuilding can break a reference; checking every table would read the whole database."""
    for table in sorted(tables):
        quoted = connection.dialect.identifier_preparer.quote(table)
        broken = connection.exec_driver_sql(f"PRAGMA foreign_key_check({quoted})").first()
        if broken is not None:
            raise RuntimeError(f"the plan would break references of {table}: {tuple(broken)}")
