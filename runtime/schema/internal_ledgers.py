"""Internal tables of ledgers and numbers: which lots an entry used up, and which reserved numbers were granted."""

from __future__ import annotations

import sqlalchemy as sa

from runtime.schema.internal import internal_table
from runtime.schema.types import Key, Text, UtcDateTime

lot_use = internal_table(
    "octavo_lot_use",
    sa.Column("entity", Text(), primary_key=True),
    sa.Column("entry_id", Key(), primary_key=True, autoincrement=False),
    sa.Column("lot_id", Key(), primary_key=True, autoincrement=False),
    sa.Column("amount", Text(), nullable=False),  # exact: the decimal as text
)

number_grant = internal_table(
    "octavo_number_grant",  # a reserved number is granted once, for ever
    sa.Column("name", Text(), primary_key=True),
    sa.Column("prefix", Text(), primary_key=True),
    sa.Column("digits", Text(), primary_key=True),
    sa.Column("record_id", Key(), nullable=False),
    sa.Column("granted_by", Key()),
    sa.Column("granted_at", UtcDateTime(), nullable=False),
)
