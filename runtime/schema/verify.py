"""Is the database what the published version says? Used by `octavo doctor` and by the tests of publishing."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from runtime.schema.inspect import Table, inspect_database, wanted_table
from runtime.schema.internal import INTERNAL
from runtime.schema.registry import Registry
from runtime.schema.tables import Tables


def drift(connection: sa.Connection, tables: Tables) -> list[str]:
    """Every difference between the database and the wanted schema, in words; empty where they agree.

    What retired elements leave behind is no difference, as long as the registry knows it and it guards nothing.
    """
    present = inspect_database(connection)
    kept = {(e.table_name, e.column_name) for e in Registry.load(connection).elements if e.table_name}
    found: list[str] = []
    for definition in (*INTERNAL.tables.values(), *tables.metadata.tables.values()):
        wanted = wanted_table(definition, connection.dialect)
        have = present.get(wanted.name)
        found += [f"table {wanted.name} is missing"] if have is None else _differences(have, wanted, kept)
    ours = {name for name, _ in kept} - set(tables.metadata.tables)
    for name in sorted(ours & set(present)):
        if "record_id" not in present[name].primary_key and (present[name].foreign_keys or present[name].indexes):
            found.append(f"retired table {name} still guards something")
    return found


def _differences(have: Table, want: Table, kept: set[tuple[str, str]]) -> Iterator[str]:
    for column, words in want.columns.items():
        if have.columns.get(column) != words:
            yield f"{want.name}.{column}: {have.columns.get(column)} instead of {words}"
    for column in have.columns.keys() - want.columns.keys():
        if not any((want.name, column.removesuffix(end)) in kept for end in ("", "__base", "__sort", "__entity")):
            yield f"{want.name}.{column} is known to nobody"
    for what, mine, theirs in (
        ("key", have.foreign_keys, want.foreign_keys),
        ("index", have.indexes, want.indexes),
    ):
        for item in mine ^ theirs:
            yield f"{want.name}: {what} {item} is {'surplus' if item in mine else 'missing'}"
    if have.required != want.required or have.primary_key != want.primary_key:
        yield f"{want.name}: keys or nullability differ"
