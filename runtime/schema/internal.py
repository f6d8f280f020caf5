"""Tables of the platform outside the metadata language: nothing here can be addressed by an expression or the API.

Other parts of the runtime add theirs with `internal_table`; all are created and upgraded together with the site.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from runtime.schema.types import Json, Key, Text, UtcDateTime

INTERNAL = sa.MetaData()


def internal_table(name: str, *columns: Any) -> sa.Table:
    """Declares an internal table; its name begins with `octavo_`. Indexes and constraints are named explicitly."""
    if not name.startswith("octavo_"):
        raise ValueError(f"{name}: the name of an internal table begins with octavo_")
    return sa.Table(name, INTERNAL, *columns)


state = internal_table(
    "octavo_state",  # small facts by name: fingerprint of these tables, when a check last ran, …
    sa.Column("name", Text(), primary_key=True),
    sa.Column("value", Text()),
)

version = internal_table(
    "octavo_version",
    sa.Column("number", Key(), primary_key=True, autoincrement=False),
    sa.Column("created_at", UtcDateTime(), nullable=False),
    sa.Column("created_by", Key()),
    sa.Column("note", Text()),
    sa.Column("documents", sa.LargeBinary(), nullable=False),  # zlib of the JSON of all layers
    sa.Column("storage_fingerprint", Text(), nullable=False),
    sa.Column("display_fingerprint", Text(), nullable=False),
    sa.Column("code", Json()),  # {code package: fingerprint}
    sa.Column("changes", Json()),  # names of the documents that differ from the version before
    sa.Column("rollback_of", Key()),
)

element = internal_table(
    "octavo_element",  # the registry: what was ever declared, and where its data are
    sa.Column("id", Key(), primary_key=True),
    sa.Column("kind", Text(), nullable=False),  # entity, field
    sa.Column("entity", Text(), nullable=False),
    sa.Column("field", Text(), nullable=False),  # "" for the entity itself
    sa.Column("type", Text(), nullable=False),  # the declared type of a field
    sa.Column("storage", Text(), nullable=False),
    sa.Column("signature", Text(), nullable=False),  # decides whether values can stay where they are
    sa.Column("table_name", Text(), nullable=False),
    sa.Column("column_name", Text(), nullable=False),  # "" for an entity; for a join table its own name is table_name
    sa.Column("state", Text(), nullable=False),  # living, retired, archived (values of an earlier type)
    sa.Column("since", Key(), nullable=False),  # version
)
sa.Index("ix_octavo_element_name", element.c.entity, element.c.field)

session = internal_table(
    "octavo_session",
    sa.Column("token_hash", Text(), primary_key=True),
    sa.Column("user_id", Key(), nullable=False),
    sa.Column("created_at", UtcDateTime(), nullable=False),
    sa.Column("seen_at", UtcDateTime(), nullable=False),
    sa.Column("expires_at", UtcDateTime(), nullable=False),
    sa.Column("ip", Text()),
    sa.Column("agent", Text()),
    sa.Column("data", Json()),
)
sa.Index("ix_octavo_session_user", session.c.user_id)

token = internal_table(
    "octavo_token",
    sa.Column("id", Key(), primary_key=True),
    sa.Column("token_hash", Text(), nullable=False),
    sa.Column("user_id", Key(), nullable=False),
    sa.Column("name", Text(), nullable=False),
    sa.Column("created_at", UtcDateTime(), nullable=False),
    sa.Column("used_at", UtcDateTime()),
    sa.Column("expires_at", UtcDateTime()),
    sa.Column("revoked_at", UtcDateTime()),
)
sa.Index("ux_octavo_token_hash", token.c.token_hash, unique=True)
sa.Index("ix_octavo_token_user", token.c.user_id)

password = internal_table(
    "octavo_password",  # apart from the user entity, so that no field can ever show it
    sa.Column("user_id", Key(), primary_key=True, autoincrement=False),
    sa.Column("hash", Text(), nullable=False),
    sa.Column("changed_at", UtcDateTime(), nullable=False),
    sa.Column("must_change", sa.Boolean(), nullable=False),
)

counter = internal_table(
    "octavo_counter",  # numbering
    sa.Column("name", Text(), primary_key=True),
    sa.Column("prefix", Text(), primary_key=True),
    sa.Column("value", sa.BigInteger(), nullable=False),
)

idempotency = internal_table(
    "octavo_idempotency",
    sa.Column("user_id", Key(), primary_key=True, autoincrement=False),
    sa.Column("key", Text(), primary_key=True),
    sa.Column("fingerprint", Text(), nullable=False),  # of method, path and body
    sa.Column("status", sa.Integer()),
    sa.Column("headers", Json()),
    sa.Column("body", Text()),
    sa.Column("created_at", UtcDateTime(), nullable=False),
)
sa.Index("ix_octavo_idempotency_created", idempotency.c.created_at)

lease = internal_table(
    "octavo_lease",  # who may do what only one may do: the scheduler, the sealing of the audit
    sa.Column("name", Text(), primary_key=True),
    sa.Column("holder", Text(), nullable=False),
    sa.Column("until", UtcDateTime(), nullable=False),
)

fire = internal_table(
    "octavo_fire",  # a schedule fires once per due time
    sa.Column("rule", Text(), primary_key=True),
    sa.Column("due_at", UtcDateTime(), primary_key=True),
    sa.Column("fired_at", UtcDateTime(), nullable=False),
)

idempotent_effect = internal_table(
    "octavo_effect",  # what a job has done in the database, in the transaction that did it
    sa.Column("job_id", Key(), primary_key=True, autoincrement=False),
    sa.Column("key", Text(), primary_key=True),
    sa.Column("done_at", UtcDateTime(), nullable=False),
)
