"""Internal tables of imports: how far each has come, what it did to which record, and the rows it could not take."""

from __future__ import annotations

import sqlalchemy as sa

from runtime.schema.internal import internal_table
from runtime.schema.types import Json, Key, Text

import_state = internal_table(
    "octavo_import",
    sa.Column("import_id", Key(), primary_key=True, autoincrement=False),
    sa.Column("fingerprint", Text(), nullable=False),  # of content, target, mapping, match and person
    sa.Column("settings", Json(), nullable=False),  # how the file is read: sheet, encoding, header, columns, blank
    sa.Column("position", Key(), nullable=False),  # number of the last row dealt with
)
sa.Index("ix_octavo_import_fingerprint", import_state.c.fingerprint)

import_row = internal_table(
    "octavo_import_row",  # what undoing the import would have to take back; forgotten after a day
    sa.Column("import_id", Key(), primary_key=True, autoincrement=False),
    sa.Column("row", Key(), primary_key=True, autoincrement=False),
    sa.Column("record_id", Key(), nullable=False),
    sa.Column("version", sa.Integer(), nullable=False),  # after the import
    sa.Column("before", Json()),  # values of an updated record before; nothing for a new one
)

import_member = internal_table(
    "octavo_import_member",  # the same of related records that came in the rows of their record
    sa.Column("import_id", Key(), primary_key=True, autoincrement=False),
    sa.Column(
        "step", sa.Integer(), primary_key=True, autoincrement=False
    ),  # the place of their list: later ones go first
    sa.Column("row", Key(), primary_key=True, autoincrement=False),
    sa.Column("entity", Text(), nullable=False),
    sa.Column("record_id", Key(), nullable=False),
    sa.Column("owner_id", Key(), nullable=False),  # the record of the import that it belongs to
    sa.Column("version", sa.Integer(), nullable=False),
    sa.Column("before", Json()),
)

import_reject = internal_table(
    "octavo_import_reject",
    sa.Column("import_id", Key(), primary_key=True, autoincrement=False),
    sa.Column("row", Key(), primary_key=True, autoincrement=False),
    sa.Column("cells", Json(), nullable=False),
    sa.Column("problems", Json(), nullable=False),  # [{column, field, code, params, message}]
)
