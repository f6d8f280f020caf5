"""Internal table of drafts: documents of the site layer that are written but not yet published."""

from __future__ import annotations

import sqlalchemy as sa

from runtime.schema.internal import internal_table
from runtime.schema.types import Key, Text, UtcDateTime

draft = internal_table(
    "octavo_draft",
    sa.Column("kind", Text(), primary_key=True),
    sa.Column("name", Text(), primary_key=True),
    sa.Column("text", Text(), nullable=False),
    sa.Column("changed_at", UtcDateTime(), nullable=False),
    sa.Column("changed_by", Key()),
)
