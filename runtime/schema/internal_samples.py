"""Internal table of sample data: each record that loading them made, so that exactly these can be removed again."""

from __future__ import annotations

import sqlalchemy as sa

from runtime.schema.internal import internal_table
from runtime.schema.types import Key, Text

sample = internal_table(
    "octavo_sample",
    sa.Column("entity", Text(), primary_key=True),
    sa.Column("record_id", Key(), primary_key=True, autoincrement=False),
    sa.Column("position", Key(), nullable=False),  # in the order of making: removed the other way round
    sa.Column("request", Text(), nullable=False),  # of the audit: what has another one happened afterwards
)
