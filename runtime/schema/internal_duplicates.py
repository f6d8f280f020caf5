"""Internal tables of duplicates: the keys records are found by, groups found among what is there, merges."""

from __future__ import annotations

import sqlalchemy as sa

from runtime.schema.internal import internal_table
from runtime.schema.types import Json, Key, Text, UtcDateTime

duplicate_key = internal_table(
    "octavo_duplicate_key",  # kept right by every write of a record: looking for twins is a look-up, whatever the size
    sa.Column("key", Text(), primary_key=True),
    sa.Column("entity", Text(), primary_key=True),
    sa.Column("source", Text(), primary_key=True),  # ways and fields the key was made of
    sa.Column("record_id", Key(), primary_key=True, autoincrement=False),
)
sa.Index("ix_octavo_duplicate_key_record", duplicate_key.c.entity, duplicate_key.c.record_id)

duplicate_group = internal_table(
    "octavo_duplicate_group",  # records found to be alike by the last search over all of them
    sa.Column("id", Key(), primary_key=True),
    sa.Column("rule", Text(), nullable=False),
    sa.Column("entity", Text(), nullable=False),
    sa.Column("records", Json(), nullable=False),  # ids, ascending
    sa.Column("members", Text(), nullable=False),  # the same as text: tells groups that somebody has put aside
    sa.Column("found_at", UtcDateTime(), nullable=False),
    sa.Column("aside_by", Key()),  # who said that these are no duplicates
)
sa.Index("ix_octavo_duplicate_group_entity", duplicate_group.c.entity)

merge = internal_table(
    "octavo_merge",
    sa.Column("id", Key(), primary_key=True),
    sa.Column("entity", Text(), nullable=False),
    sa.Column("kept", Key(), nullable=False),
    sa.Column("gone", Json(), nullable=False),  # ids of the records that went to the recycle bin
    sa.Column("values", Json(), nullable=False),  # {field: [before, after]} of the kept record, as JSON
    sa.Column("moved", Json(), nullable=False),  # [entity, field, record, from whom]
    sa.Column("merged_at", UtcDateTime(), nullable=False),
    sa.Column("merged_by", Key()),
    sa.Column("undone_at", UtcDateTime()),
)
sa.Index("ix_octavo_merge_kept", merge.c.entity, merge.c.kept)
