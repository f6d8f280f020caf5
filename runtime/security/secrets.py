"""Values of `secret` fields at rest: encrypted with a key derived from the site's `secret_key`.

A copy of the database without `config.yaml` holds nothing readable. The record layer seals on every write; nothing that
answers people opens a seal. Python code of the operator that needs the value (a connector) calls `value_of`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from metadata.model import Application
from runtime.errors import Forbidden, NotFound
from runtime.schema.internal import element
from runtime.schema.tables import column_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.fernet import Fernet

    from runtime.records.values import Draft
    from runtime.site import Session, Site


@dataclass(frozen=True, slots=True)
class Resealed:
    """`unreadable` values were sealed by neither key: they were lost before."""

    resealed: int
    unreadable: int


PREFIX = "sealed:1:"
_PURPOSE = b"octavo secret fields 1"
_BATCH = 500


def _box(site: Site) -> Fernet:
    from cryptography.fernet import Fernet  # late: few processes ever meet a secret

    found = site.cache.get("secrets.box")
    if found is None:
        found = site.cache["secrets.box"] = Fernet(_derived(site.settings.secret_key))
    assert isinstance(found, Fernet)
    return found


def _box_before(site: Site) -> Fernet | None:
    """The key before, while the site goes over to a new one."""
    from cryptography.fernet import Fernet

    before = site.settings.secret_key_before
    if before and "secrets.box_before" not in site.cache:
        site.cache["secrets.box_before"] = Fernet(_derived(before))
    found: Fernet | None = site.cache.get("secrets.box_before")
    return found


def _derived(secret_key: str) -> bytes:
    from base64 import urlsafe_b64encode

    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return urlsafe_b64encode(HKDF(SHA256(), 32, None, _PURPOSE).derive(secret_key.encode()))


def seal(site: Site, text: str) -> str:
    """`text` encrypted; what this site has sealed stays as it is."""
    if _opened(site, text) is not None:
        return text
    return PREFIX + _box(site).encrypt(text.encode()).decode()


def _opened(site: Site, stored: str) -> str | None:
    if not stored.startswith(PREFIX):
        return None
    found = _decrypted(_box(site), stored)
    before = _box_before(site) if found is None else None
    return found if before is None else _decrypted(before, stored)


def _decrypted(box: Fernet, stored: str) -> str | None:
    from cryptography.fernet import InvalidToken

    try:
        return box.decrypt(stored[len(PREFIX) :]).decode()
    except (InvalidToken, ValueError):
        return None


def reveal(site: Site, stored: str) -> str:
    """The text of a stored value. Raises `Forbidden` where another key sealed it."""
    found = _opened(site, stored)
    if found is None and stored.startswith(PREFIX):
        raise Forbidden()
    return stored if found is None else found


def seal_drafts(site: Site, names: tuple[str, ...], draft: Draft) -> None:
    """Seals the secrets of a record about to be written; an unchanged text keeps its seal, and so is no change."""
    before = draft.before or {}
    for name in names:
        value, old = draft.values.get(name), before.get(name)
        if value is None or value == old:
            continue
        if old is not None and _opened(site, old) == value:
            draft.values[name] = old
            draft.changed.discard(name)
        else:
            draft.values[name] = seal(site, value)


def value_of(session: Session, entity: str, record_id: int, field: str) -> str | None:
    """The text of a secret, for code the operator runs: `Forbidden` to all but the system user, `NotFound`."""
    if not session.user.superuser:
        raise Forbidden()
    table = session.table(entity)
    column = table.c[column_name(session.app.entities[entity].fields[field])]
    row = session.connection.execute(sa.select(column).where(table.c.id == record_id)).first()
    if row is None:
        raise NotFound()
    return None if row[0] is None else reveal(session.site, row[0])


def secrets_of(app: Application) -> list[tuple[str, str]]:
    """(entity, field) of every secret that is kept in a column."""
    return [
        (entity.name, field.name)
        for entity in app.entities.values()
        for field in entity.fields.values()
        if field.type == "secret" and field.storage == "text"
    ]


def seal_all(session: Session) -> int:
    """Seals what lies open because its field became a secret after it was written. How many values."""
    return sum(_seal_column(session, entity, field) for entity, field in secrets_of(session.app))


def _seal_column(session: Session, entity: str, field: str) -> int:
    table = session.table(entity)
    column = table.c[column_name(session.app.entities[entity].fields[field])]
    open_ones = sa.select(table.c.id, column).where(column.is_not(None), sa.not_(column.startswith(PREFIX)))
    sealed = 0
    while rows := session.connection.execute(open_ones.order_by(table.c.id).limit(_BATCH)).all():
        change = (
            sa.update(table).where(table.c.id == sa.bindparam("record_")).values({column.name: sa.bindparam("new_")})
        )
        session.connection.execute(change, [{"record_": i, "new_": seal(session.site, text)} for i, text in rows])
        sealed += len(rows)
    return sealed


# --- another key ----------------------------------------------------------------------------------------------------


def _sealed_columns(connection: sa.Connection) -> Iterator[sa.TableClause]:
    """(id, value) of every column that holds or held secrets, also of fields that were retired since."""
    wanted = sa.select(element.c.table_name, element.c.column_name).where(
        element.c.type == "secret", element.c.column_name != ""
    )
    for table, name in connection.execute(wanted.distinct().order_by(element.c.table_name)).all():
        yield sa.table(table, sa.column("id", sa.BigInteger), sa.column(name, sa.Text))


def _value(table: sa.TableClause) -> sa.ColumnClause[str]:
    return next(column for column in table.c if column.name != "id")


def count_sealed(session: Session) -> int:
    """How many values only the key opens."""
    total = 0
    for table in _sealed_columns(session.connection):
        query = sa.select(sa.func.count()).select_from(table).where(_value(table).startswith(PREFIX))
        total += int(session.connection.scalar(query) or 0)
    return total


def reseal(site: Site, progress: Callable[[int], None] | None = None) -> Resealed:
    """Seals with the present key what the key before sealed, batch by batch; can be broken off and repeated."""
    resealed = unreadable = 0
    with site.session() as session:
        tables = list(_sealed_columns(session.connection))
    for table in tables:
        after: int | None = 0
        while after is not None:
            with site.session(write=True) as session:
                after, done, lost = _reseal_batch(session, table, after)
            resealed, unreadable = resealed + done, unreadable + lost
            if progress is not None:
                progress(resealed)
    return Resealed(resealed=resealed, unreadable=unreadable)


def _reseal_batch(session: Session, table: sa.TableClause, after: int) -> tuple[int | None, int, int]:
    """The last id looked at (None at the end), how many were sealed anew, how many no key opens."""
    value = _value(table)
    sealed = sa.select(table.c.id, value).where(table.c.id > after, value.startswith(PREFIX))
    rows = session.connection.execute(sealed.order_by(table.c.id).limit(_BATCH)).all()
    changes, lost = [], 0
    for number, stored in rows:
        if _decrypted(_box(session.site), stored) is not None:
            continue
        text = _opened(session.site, stored)
        if text is None:
            lost += 1
        else:
            changes.append({"record_": number, "old_": stored, "new_": seal(session.site, text)})
    if changes:
        same = (table.c.id == sa.bindparam("record_"), value == sa.bindparam("old_"))
        session.connection.execute(sa.update(table).where(*same).values({value.name: sa.bindparam("new_")}), changes)
    return (rows[-1][0] if rows else None), len(changes), lost
