"""Internal tables of the record layer and of security: seals of the audit, sign-in attempts, the recycle bin.

Times are integers, milliseconds of UTC: what is hashed and compared must read the same on every database.
"""

from __future__ import annotations

import sqlalchemy as sa

from runtime.schema.internal import internal_table
from runtime.schema.types import Key, Text

audit_seal = internal_table(
    "octavo_audit_seal",
    sa.Column("id", Key(), primary_key=True, autoincrement=False),
    sa.Column("first_id", Key(), nullable=False),
    sa.Column("last_id", Key(), nullable=False),
    sa.Column("sealed_at", sa.BigInteger(), nullable=False),
    sa.Column("digests", sa.LargeBinary(), nullable=False),  # per row: id (8 bytes), digest (16 bytes)
    sa.Column("chain", Text(), nullable=False),  # sha256 of the chain before, the range and the digests
)

login_attempt = internal_table(
    "octavo_login_attempt",
    sa.Column("key", Text(), primary_key=True),  # account and address, or the address alone
    sa.Column("failures", sa.Integer(), nullable=False),
    sa.Column("first_at", sa.BigInteger(), nullable=False),
    sa.Column("blocked_until", sa.BigInteger(), nullable=False),
)

deleted = internal_table(
    "octavo_deleted",  # which recycling took a record along: restoring brings back exactly those
    sa.Column("entity", Text(), primary_key=True),
    sa.Column("record_id", Key(), primary_key=True, autoincrement=False),
    sa.Column("root_entity", Text(), nullable=False),
    sa.Column("root_id", Key(), nullable=False),
)
sa.Index("ix_octavo_deleted_root", deleted.c.root_entity, deleted.c.root_id)
