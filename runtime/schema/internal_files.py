"""Internal table of files: since when nothing holds a file that a field once held."""

from __future__ import annotations

import sqlalchemy as sa

from runtime.schema.internal import internal_table
from runtime.schema.types import Key, UtcDateTime

file_left = internal_table(
    "octavo_file_left",
    sa.Column("file_id", Key(), primary_key=True, autoincrement=False),
    sa.Column("left_at", UtcDateTime(), nullable=False),
)
