"""Statements kept as text: compiled once, then run without the toolkit's work per call.

SQLAlchemy looks a statement up by its structure, collects its binds and prepares a result each time it runs; for the
few small statements every request sends that is several times what the database needs. What is kept here does that
once. Transactions, connections and the classes of errors stay SQLAlchemy's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

Convert = Callable[[Any], Any]
_MOST_LISTS = 64  # texts kept of one statement, for lists of different lengths


def fetch(connection: sa.Connection, text: str, given: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
    """The rows of a statement in the words and binds of the driver; values as the driver gives them.

    Raises what SQLAlchemy would raise. Begins no transaction: where none was begun, the statement is one by itself.
    """
    return _run(connection, text, given, rows=True)[0]


def fetch_last(connection: sa.Connection, *texts: str) -> list[tuple[Any, ...]]:
    """Statements without binds in one message to PostgreSQL, one seeing what the other did; the last's rows."""
    if _is_watched(connection):
        answers = [_run_heard(connection, text, ())[0] for text in texts]
        return answers[-1]
    cursor: Any = connection.connection.cursor()
    try:
        cursor.execute("; ".join(texts))
        while cursor.nextset():
            pass
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found
    except connection.dialect.loaded_dbapi.Error as error:
        raise _told(connection, "; ".join(texts), (), error) from error
    finally:
        cursor.close()


def send(connection: sa.Connection, text: str, given: Sequence[Any] | Mapping[str, Any] = ()) -> int | None:
    """Runs a statement that answers no rows; the id SQLite gave the row inserted last."""
    return _run(connection, text, given, rows=False)[2]


def send_many(connection: sa.Connection, text: str, rows: Sequence[Any]) -> None:
    """Runs a statement once for each of the rows of binds."""
    if _is_watched(connection):
        connection.exec_driver_sql(text, list(rows))
        return
    cursor = connection.connection.cursor()
    try:
        cursor.executemany(text, rows)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _told(connection, text, rows, error) from error
    finally:
        cursor.close()


def _run(
    connection: sa.Connection, text: str, given: Any, *, rows: bool, said: bool = False
) -> tuple[list[tuple[Any, ...]], Any, int | None]:
    """The rows, if `said` what the driver says of their columns, and the id of the row inserted last.

    The driver of PostgreSQL makes an object of each column when it is asked for them, at every run.
    """
    if _is_watched(connection):
        return _run_heard(connection, text, given)
    cursor = connection.connection.cursor()
    try:
        cursor.execute(text, given)
        found: Any = cursor.fetchall() if rows else []
        return found, cursor.description if said else None, getattr(cursor, "lastrowid", None)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _told(connection, text, given, error) from error
    finally:
        cursor.close()


def _run_heard(connection: sa.Connection, text: str, given: Any) -> tuple[list[tuple[Any, ...]], Any, int | None]:
    result = connection.exec_driver_sql(text, given)
    if not result.returns_rows:
        return [], None, result.lastrowid if connection.dialect.positional else None
    said = result.cursor.description
    return [tuple(row) for row in result], said, None


def _is_watched(connection: sa.Connection) -> bool:
    """Whether somebody listens to the statements of the engine: then they go SQLAlchemy's way and are heard."""
    return bool(connection.engine.dispatch.before_cursor_execute)


def _told(connection: sa.Connection, text: str, given: Any, error: Any) -> BaseException:
    """The error as SQLAlchemy has it. A lost connection is given up, and with it all the pool has from that server."""
    dialect = connection.dialect
    lost = dialect.is_disconnect(error, connection.connection.dbapi_connection, None)
    if lost:
        connection.invalidate(error)
        connection.engine.dispose(close=False)
    return sa.exc.DBAPIError.instance(
        text, given, error, dialect.loaded_dbapi.Error, connection_invalidated=lost, dialect=dialect
    )


class _Text:
    """The words of a statement for lists of certain lengths, and where its binds go."""

    __slots__ = ("fixed", "form", "lists", "singles", "words")

    def __init__(self, compiled: Any, dialect: sa.Dialect, given: frozenset[str], lengths: Mapping[str, int]) -> None:
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        asked = {k: [None] * lengths[k] if k in lengths else b.value for k, b in binds.items()}
        expanded = compiled.construct_expanded_state(asked)
        self.words: str = expanded.statement
        values = dict(expanded.parameters)
        order: list[str] | None = expanded.positiontup
        places: dict[str, list[Any]] = {}
        for place, name in enumerate(order) if order is not None else ((name, name) for name in values):
            places.setdefault(name, []).append(place)
        self.singles: list[tuple[Any, str, Convert | None]] = []
        self.lists: list[tuple[list[list[Any]], str, Convert | None]] = []
        for name, bind in binds.items():
            convert = bind.type.dialect_impl(dialect).bind_processor(dialect)
            if name in lengths:
                spots = [places.get(n, []) for n in expanded.parameter_expansion.get(name, ())]
                self.lists.append((spots, name, convert))
            elif bind.expanding:
                for one in expanded.parameter_expansion.get(name, ()):
                    values[one] = values[one] if convert is None else convert(values[one])
            elif name in given:
                self.singles += [(place, name, convert) for place in places.get(name, ())]
            else:  # a value written into the statement
                values[name] = values[name] if convert is None else convert(values[name])
        self.fixed: Any = values if order is None else [values[name] for name in order]
        self.form: Convert = dict if order is None else tuple

    def binds(self, values: Mapping[str, Any]) -> Any:
        """The binds in the driver's form."""
        found = self.fixed.copy()
        for place, name, convert in self.singles:
            value = values[name]
            found[place] = value if convert is None else convert(value)
        for spots, name, convert in self.lists:
            members = values[name]
            last = len(members) - 1
            for number, places in enumerate(spots):
                value = members[number] if number < last else members[last]
                for place in places:
                    found[place] = value if convert is None else convert(value)
        return self.form(found)


class Kept:
    """A SELECT whose binds `names` are given at every run; what else is bound keeps the value it was built with.

    `names` are afterwards those the statement has.

    Lists (expanding binds with a name) may have any length; the last member is repeated up to a power of two, so that
    few different texts arise. They serve `IN`, which a repeated member does not change.
    """

    def __init__(self, statement: sa.Select[Any], dialect: sa.Dialect, names: Iterable[str]) -> None:
        self._dialect = dialect
        self._compiled: Any = statement.compile(dialect=dialect)
        self.names = frozenset(names).intersection(self._compiled.bind_names.values())
        self._types = [column["type"] for column in statement.column_descriptions]
        binds = self._compiled.bind_names.items()
        self._lists = [name for bind, name in binds if bind.expanding and name in self.names]
        self._texts: dict[tuple[int, ...], _Text] = {}
        self._converters: list[tuple[int, Convert]] | None = None

    def rows(self, connection: sa.Connection, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """All rows, as Python values; `values` may hold more names than the statement has."""
        text = self._text(values)
        converters = self._converters
        found, said, _ = _run(connection, text.words, text.binds(values), rows=True, said=converters is None)
        if not found:
            return found
        if converters is None:
            converters = self._converters = self._prepare(said)
        if not converters:
            return found
        if len(found) == 1:
            row = list(found[0])
            for place, convert in converters:
                row[place] = convert(row[place])
            return [tuple(row)]
        columns: list[Sequence[Any]] = list(zip(*found))
        for place, convert in converters:
            columns[place] = [convert(value) for value in columns[place]]
        return list(zip(*columns))

    def first(self, connection: sa.Connection, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """The first row, None where there is none. For statements that answer few rows."""
        found = self.rows(connection, values)
        return found[0] if found else None

    def _text(self, values: Mapping[str, Any]) -> _Text:
        lengths = tuple([_size(len(values[name])) for name in self._lists]) if self._lists else ()
        text = self._texts.get(lengths)
        if text is None:
            text = _Text(self._compiled, self._dialect, self.names, dict(zip(self._lists, lengths)))
            if len(self._texts) < _MOST_LISTS:
                self._texts[lengths] = text
        return text

    def _prepare(self, said: Sequence[Sequence[Any]]) -> list[tuple[int, Convert]]:
        """What makes Python values of the driver's, by place; the driver says which types it answers."""
        found = []
        for place, (type_, column) in enumerate(zip(self._types, said, strict=True)):
            convert = type_.dialect_impl(self._dialect).result_processor(self._dialect, column[1])
            if convert is not None:
                found.append((place, convert))
        return found


def _size(length: int) -> int:
    """The next power of two; 0 stays, an empty list has a text of its own."""
    return 1 << (length - 1).bit_length() if length else 0
