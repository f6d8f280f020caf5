"""The search index: text in pairs of characters, so that two Chinese characters find; pinyin initials; last digits.

SQLite keeps one FTS5 table per entity with a column per searched field, PostgreSQL one `tsvector` per record whose
words begin with the number of their field. So a field hidden from a user is left out of the search itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import add
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from metadata.model import Field
from rules.folding import fold
from runtime.query.pinyin import initials
from runtime.records.plan import EntityPlan, plan_of
from runtime.records.values import Draft
from runtime.schema.names import physical
from runtime.statements import fetch, send, send_many

if TYPE_CHECKING:
    from runtime.security.access import Access
    from runtime.site import Session

MOST_WORDS = 12  # of a query
RECENT = 1_000  # entries of the index that PostgreSQL walks before it asks for words
MOST_TOGETHER = 100  # entities of one statement
LONGEST = 2000  # characters of a field that are indexed
_RUN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\u3040-\u30ff\uac00-\ud7af]+|[a-z0-9]+|[^\W_]+")
_PLAIN_RUN = re.compile(r"[a-z0-9]+")  # what _RUN finds in ASCII
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af]")


def terms(text: str | None, kind: str = "text") -> str:
    """The words a field is found by: `深圳市 ab` → `深圳 圳市 市 szs ab`; a phone also by its last four digits."""
    if not text:
        return ""
    if kind == "phone" and 4 <= len(text) <= LONGEST and text.isascii() and text.isdigit():  # most are
        return f"{text} {text} {text[-11:]} {text[-4:]}"
    words: list[str] = []
    folded = fold(text[:LONGEST])
    if folded.isascii():
        words = _PLAIN_RUN.findall(folded)
    else:
        wide = False
        for run in _RUN.findall(folded):
            if "\u4e00" <= run[0] <= "\u9fff" or (run[0] > "\u303f" and _WIDE.match(run)):
                words.extend(_pairs(run))
                wide = True
            else:
                words.append(run)
        if len(folded) <= 60 and (wide or _WIDE.search(folded)):
            words.append(fold(initials(text)))
    if kind == "phone":
        digits = folded if folded.isdigit() else "".join(c for c in folded if c.isdigit())
        words += [digits, digits[-11:], digits[-4:]] if len(digits) >= 4 else []
    return " ".join(words)


def _pairs(run: str) -> list[str]:
    return [*map(add, run, run[1:]), run[-1]]


@dataclass(frozen=True, slots=True)
class Word:
    """A part of a query: neighbouring pairs, or one word; `prefix` when its end is open."""

    parts: tuple[str, ...]
    prefix: bool


def words_of(text: str) -> list[Word]:
    """The query as words that must all be there."""
    found: list[Word] = []
    for run in _RUN.findall(fold(text[:LONGEST]))[:MOST_WORDS]:
        if _WIDE.match(run):
            pairs = tuple(_pairs(run)[:-1]) or (run,)
            found.append(Word(pairs, len(run) == 1))
        else:
            found.append(Word((run[:60],), True))
    return found


# --- the index -----------------------------------------------------------------------------------------------------


def table_name(plan: EntityPlan) -> str:
    return physical("octavo_search", plan.entity.table)


def prepare(session: Session, entity: str) -> None:
    """The index of the entity as its `search:` says; made and filled where it is missing or names other fields."""
    plan = plan_of(session, entity)
    memo = session.tables.memo
    if ("search ready", entity) in memo or not plan.search_fields:
        return
    wanted = ",".join(f.name for f in plan.search_fields)
    marker = f"search:{plan.entity.table}"
    known = _marked(session, marker)
    if known != wanted and session.site.dialect == "postgresql":  # of two first writers one builds, the other waits
        session.connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (marker,))
        known = _marked(session, marker)
    if known != wanted:
        _build(session, plan)
        delete, insert = (
            "DELETE FROM octavo_state WHERE name = ?",
            "INSERT INTO octavo_state (name, value) VALUES (?, ?)",
        )
        session.connection.exec_driver_sql(_driver(session, delete), (marker,))
        session.connection.exec_driver_sql(_driver(session, insert), (marker, wanted))
        session.after_commit(lambda: memo.__setitem__(("search ready", entity), True))
        session.cache["search ready", entity] = True
    else:
        memo["search ready", entity] = True


def _marked(session: Session, marker: str) -> str | None:
    """The fields the index was built for."""
    statement = _driver(session, "SELECT value FROM octavo_state WHERE name = ?")
    found: str | None = session.connection.exec_driver_sql(statement, (marker,)).scalar()
    return found


def _marks(session: Session) -> dict[str, str]:
    """`_marked` of all entities: a search over all of them asks once."""
    if "search marks" not in session.cache:
        statement = "SELECT name, value FROM octavo_state WHERE name >= 'search:' AND name < 'search;'"
        session.cache["search marks"] = dict(fetch(session.connection, statement))
    found: dict[str, str] = session.cache["search marks"]
    return found


def _driver(session: Session, text: str) -> str:
    return text if session.site.dialect == "sqlite" else text.replace("?", "%s")


def _build(session: Session, plan: EntityPlan) -> None:
    name = _quoted(table_name(plan))
    session.connection.exec_driver_sql(f"DROP TABLE IF EXISTS {name}")
    if session.site.dialect == "sqlite":
        columns = ", ".join(f"f{i}" for i in range(len(plan.search_fields)))
        session.connection.exec_driver_sql(
            f"CREATE VIRTUAL TABLE {name} USING fts5({columns}, tokenize = 'unicode61 remove_diacritics 0')"
        )
    else:
        session.connection.exec_driver_sql(f"CREATE TABLE {name} (rowid bigint PRIMARY KEY, words tsvector NOT NULL)")
        session.connection.exec_driver_sql(f"CREATE INDEX ON {name} USING gin (words)")
    columns_wanted = [plan.table.c.id, *(session.tables.column(plan.name, f.name) for f in _stored(plan))]
    batch: list[tuple[Any, ...]] = []
    for row in session.connection.execute(sa.select(*columns_wanted)):
        batch.append((row[0], *_texts(plan, dict(zip((f.name for f in _stored(plan)), row[1:])))))
        if len(batch) >= 2000:
            _insert(session, plan, batch)
            batch = []
    _insert(session, plan, batch)


def _stored(plan: EntityPlan) -> tuple[Field, ...]:
    return tuple(f for f in plan.search_fields if f in plan.columns)


def _texts(plan: EntityPlan, values: dict[str, Any]) -> list[str]:
    return [_text(f, values.get(f.name)) for f in plan.search_fields]


def _text(field: Field, value: Any) -> str:
    return terms(value if isinstance(value, str) else None if value is None else str(value), field.type)


def index(session: Session, plan: EntityPlan, drafts: Sequence[Draft]) -> None:
    """Brings the index up to date with records just written."""
    if not plan.search_fields or not drafts:
        return
    names = {f.name for f in plan.search_fields}
    wanted = [d for d in drafts if d.creating or _altered(d, names)]
    if not wanted:
        return
    if ("search ready", plan.name) not in session.tables.memo and ("search ready", plan.name) not in session.cache:
        prepare(session, plan.name)
        if ("search ready", plan.name) in session.cache:
            return  # built just now, with these records
    old = [d.record_id for d in wanted if not d.creating]
    remove(session, plan, [i for i in old if i is not None])
    texts = [[_text(f, d.values.get(f.name)) for d in wanted] for f in plan.search_fields]
    _insert(session, plan, list(zip([d.record_id for d in wanted], *texts)))


def _altered(draft: Draft, names: set[str]) -> bool:
    before = draft.before or {}
    return any(draft.values.get(name) != before.get(name) for name in names)


def remove(session: Session, plan: EntityPlan, ids: Sequence[int]) -> None:
    if ids and plan.search_fields:
        name = _quoted(table_name(plan))
        statement = _driver(session, f"DELETE FROM {name} WHERE rowid = ?")  # noqa: S608 - a derived, quoted name
        send_many(session.connection, statement, [(i,) for i in ids])


def _insert(session: Session, plan: EntityPlan, rows: Sequence[tuple[Any, ...]]) -> None:
    if not rows:
        return
    name = _quoted(table_name(plan))
    if session.site.dialect == "sqlite":
        width = len(plan.search_fields)
        columns = ", ".join(f"f{i}" for i in range(width))
        statement = f"INSERT INTO {name} (rowid, {columns}) VALUES (?{', ?' * width})"  # noqa: S608
        send_many(session.connection, statement, rows)
        return
    statement = f"INSERT INTO {name} (rowid, words) VALUES (%s, array_to_tsvector(%s::text[]))"  # noqa: S608
    entries = [(row[0], _lexemes(row[1:])) for row in rows]
    if len(entries) == 1:  # the driver opens a pipeline for many
        send(session.connection, statement, entries[0])
    else:
        send_many(session.connection, statement, entries)


def _lexemes(texts: Iterable[str]) -> list[str]:
    return sorted({f"{_mark(i)}{word}"[:200] for i, text in enumerate(texts) for word in text.split()})


def _mark(field: int) -> str:
    return f"{field}."


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


# --- searching -----------------------------------------------------------------------------------------------------


def matches(
    session: Session,
    plan: EntityPlan,
    text: str,
    hidden: frozenset[str],
    newest: int | None = None,
    bind: str | None = None,
) -> sa.Select[Any] | None:
    """A selection of the ids of records that contain every word of `text` in fields this user may see.

    `newest` looks at the entries of that many records alone (PostgreSQL). `bind` names the value that is looked for, so
    that the statement serves for other texts, too.
    """
    query = _query(session, plan, text, hidden)
    if query is None:
        return None
    wanted: sa.BindParameter[str] = sa.bindparam(bind or "search_q", query, unique=bind is None)
    table = sa.table(table_name(plan), sa.column("rowid", sa.BigInteger), sa.column("words"))
    if session.site.dialect == "sqlite":
        condition: Any = sa.literal_column(_quoted(table_name(plan))).op("MATCH")(wanted)
    else:
        if newest is not None:
            table = sa.select(table).order_by(table.c.rowid.desc()).limit(newest).subquery()  # type: ignore[assignment]
        condition = table.c.words.op("@@")(sa.cast(wanted, _tsquery()))
    return sa.select(table.c.rowid).where(condition)


def _query(session: Session, plan: EntityPlan, text: str, hidden: frozenset[str]) -> str | None:
    """What the index is asked for; None where there is nothing to look for, or nothing to look in."""
    words = words_of(text)
    fields = [i for i, f in enumerate(plan.search_fields) if f.name not in hidden]
    if not words or not fields or not ready(session, plan):
        return None
    if session.site.dialect == "sqlite":
        return _sqlite_query(words, fields, len(plan.search_fields))
    return _postgres_query(words, fields)


BIND = "search_words"


def bound(session: Session, plan: EntityPlan, text: str, access: Access) -> str | None:
    """The value of the bind `BIND` in what `among` makes of any text; None where each text needs its own statement."""
    return None if _masked(plan, access) else _query(session, plan, text, access.hidden(plan.name))


def among(
    session: Session, plan: EntityPlan, text: str, hidden: frozenset[str], alias: sa.FromClause
) -> sa.ColumnElement[bool]:
    """The rows of `alias` that contain every word of `text`; a field masked in a row is not searched there."""
    from runtime.security.access import Access  # late: access compiles what it allows as queries

    access = Access(session)
    masks = access.masks
    found = matches(session, plan, text, hidden, bind=None if _masked(plan, access) else BIND)
    if found is None:
        return sa.false()
    masked = frozenset(masks.of(plan.name)) & {f.name for f in plan.search_fields}
    if not masked:
        return alias.c.id.in_(found)
    open_rows = sa.and_(alias.c.id.in_(found), *(masks.open(plan.name, name, alias) for name in sorted(masked)))
    plain = matches(session, plan, text, hidden | masked)
    return open_rows if plain is None else sa.or_(open_rows, alias.c.id.in_(plain))


def _newest(session: Session, plan: EntityPlan, text: str, access: Access) -> sa.Select[Any]:
    """The ids of the rows with every word of `text`, the newest first.

    Where nothing is masked the index itself leads, from its newest entry on: a word in every tenth of a million records
    costs no more than a rare one.
    """
    table = plan.table
    found = None if _masked(plan, access) else matches(session, plan, text, access.hidden(plan.name))
    if found is None:
        rows = among(session, plan, text, access.hidden(plan.name), table)
        return sa.select(table.c.id).where(rows).order_by(table.c.id.desc())
    index = found.subquery()
    return sa.select(table.c.id).join_from(index, table, table.c.id == index.c.rowid).order_by(index.c.rowid.desc())


def _newest_postgres(
    session: Session, plan: EntityPlan, text: str, access: Access, newest: int | None
) -> sa.Select[Any] | None:
    """The ids of the newest living rows one may see with every word of `text`, among the `newest` entries.

    PostgreSQL cannot know how rare a word is, and walks a million records from the newest on to find the one. So the
    newest entries are walked, where what is frequent is found, and then the index of words is asked. `OFFSET 0` keeps
    the two from being mixed again.
    """
    source = matches(session, plan, text, access.hidden(plan.name), newest=newest)
    if source is None:
        return None
    table, rows = plan.table, access.predicate(plan.name, "read", plan.table)
    entries = source.offset(0).subquery()
    entry = sa.select(entries.c.rowid).order_by(entries.c.rowid.desc()).offset(0).subquery()
    wanted = sa.select(table.c.id).where(table.c.id == entry.c.rowid, table.c.deleted_at.is_(None))
    record = (wanted if rows is None else wanted.where(rows)).offset(0).lateral()
    return sa.select(record.c.id).select_from(entry.join(record, sa.true())).order_by(entry.c.rowid.desc())


def ready(session: Session, plan: EntityPlan) -> bool:
    """Whether the index is there and holds the fields of this version, in their order.

    A site that has never written such a record has none. Publishing builds it anew when `search:` has changed; of a
    large entity a job does, or the next write.
    """
    memo = session.tables.memo
    key = ("search ready", plan.name)
    if key not in memo and key not in session.cache:
        if _marks(session).get(f"search:{plan.entity.table}") != ",".join(f.name for f in plan.search_fields):
            return False
        session.cache[key] = True
    return True


def _sqlite_query(words: Sequence[Word], fields: Sequence[int], width: int) -> str:
    columns = "" if len(fields) == width else "{" + " ".join(f"f{i}" for i in fields) + "} : "
    return " AND ".join(f"{columns}{_phrase(word)}" for word in words)


def _phrase(word: Word) -> str:
    return '"' + " ".join(word.parts) + '"' + (" *" if word.prefix else "")


def _postgres_query(words: Sequence[Word], fields: Sequence[int]) -> str:
    return " & ".join(f"({' | '.join(_in_field(word, i) for i in fields)})" for word in words)


def _in_field(word: Word, field: int) -> str:
    ends = ":*" if word.prefix else ""
    return "(" + " & ".join(f"'{_mark(field)}{part}'{ends}" for part in word.parts) + ")"


def _tsquery() -> Any:
    from sqlalchemy.dialects.postgresql import TSQUERY

    return TSQUERY


def _found(
    session: Session, plans: Sequence[EntityPlan], text: str, access: Access, limit: int
) -> dict[str, list[int]]:
    """The ids of the newest living records one may see, at most `limit` of each entity: one statement, or two."""
    if session.site.dialect != "postgresql":
        return _newest_of_each(session, {p.name: _living(session, p, text, access) for p in plans}, limit)
    plain = [plan for plan in plans if not _masked(plan, access)]
    first = {plan.name: _newest_postgres(session, plan, text, access, RECENT) for plan in plain}
    first |= {plan.name: _living(session, plan, text, access) for plan in plans if plan not in plain}
    found = _newest_of_each(session, first, limit)
    more = [plan for plan in plain if len(found.get(plan.name, ())) < limit]
    return found | _newest_of_each(
        session, {plan.name: _newest_postgres(session, plan, text, access, None) for plan in more}, limit
    )


def _living(session: Session, plan: EntityPlan, text: str, access: Access) -> sa.Select[Any]:
    rows = access.predicate(plan.name, "read", plan.table)
    wanted = _newest(session, plan, text, access).where(plan.table.c.deleted_at.is_(None))
    return wanted if rows is None else wanted.where(rows)


def _newest_of_each(session: Session, wanted: Mapping[str, sa.Select[Any] | None], limit: int) -> dict[str, list[int]]:
    """The ids each selection finds, at most `limit` of each, newest first."""
    names = [name for name, selection in wanted.items() if selection is not None]
    found: dict[str, list[int]] = {}
    for start in range(0, len(names), MOST_TOGETHER):
        parts = []
        for number, name in enumerate(names[start : start + MOST_TOGETHER], start):
            selection = wanted[name]
            assert selection is not None
            ids = selection.limit(limit).subquery()
            parts.append(sa.select(sa.literal_column(str(number)).label("place"), ids.c.id))
        for place, record_id in session.connection.execute(sa.union_all(*parts)):
            found.setdefault(names[place], []).append(record_id)
    return {name: sorted(ids, reverse=True) for name, ids in found.items()}


def _masked(plan: EntityPlan, access: Access) -> bool:
    return not {f.name for f in plan.search_fields}.isdisjoint(access.masks.of(plan.name))


@dataclass(frozen=True, slots=True)
class Hit:
    entity: str
    id: int
    title: str


def search(session: Session, text: str, entities: Sequence[str] | None = None, limit: int = 20) -> list[Hit]:
    """Living records this user may see that contain every word of `text`, newest first within each entity."""
    from runtime.query.titles import titles_of_each  # late: a page's query searches too
    from runtime.security.access import Access

    access = Access(session)
    wanted = entities if entities is not None else list(session.app.entities)
    readable = (name for name in wanted if name in session.app.entities and access.can(name, "read"))
    plans = [
        plan for plan in (plan_of(session, name) for name in readable) if plan.search_fields and ready(session, plan)
    ]
    found = _found(session, plans, text, access, limit)
    titles = titles_of_each(session, found)
    return [Hit(plan.name, i, titles[plan.name].get(i) or f"#{i}") for plan in plans for i in found.get(plan.name, ())]
