"""Internal table of bulk changes: each record chosen, and what came of it."""

from __future__ import annotations

import sqlalchemy as sa

from runtime.schema.internal import internal_table
from runtime.schema.types import Json, Key, Text

mass_target = internal_table(
    "octavo_mass_target",
    sa.Column("mass_id", Key(), primary_key=True, autoincrement=False),
    sa.Column("position", Key(), primary_key=True, autoincrement=False),
    sa.Column("record_id", Key(), nullable=False),
    sa.Column("state", Text(), nullable=False),  # waiting, done, refused
    sa.Column("version", sa.Integer()),  # after the change
    sa.Column("before", Json()),  # values before it, for taking it back
    sa.Column("reason", Json()),  # of a refusal: {code, params} of the answer and its problems
)
