"""Physical names: within 63 bytes on every database, unique, and the same each time they are derived."""

from __future__ import annotations

from hashlib import blake2s

LONGEST = 63  # bytes: PostgreSQL cuts longer names in silence


def physical(*parts: str) -> str:
    """`parts` joined by two underscores (which no declared name contains); the end of a long one becomes a hash."""
    name = "__".join(parts)
    if len(name.encode()) <= LONGEST:
        return name
    digest = blake2s(name.encode(), digest_size=5).hexdigest()
    return f"{name[: LONGEST - len(digest) - 1]}_{digest}"


def index_name(table: str, columns: tuple[str, ...], *, unique: bool, where: str | None) -> str:
    """`ix_…` or `ux_…`; the columns and the condition are in the hash."""
    digest = blake2s(repr((table, columns, unique, where)).encode(), digest_size=4).hexdigest()
    stem = f"{'ux' if unique else 'ix'}_{table}_{'_'.join(columns)}"
    return f"{stem[: LONGEST - 9]}_{digest}"


def foreign_key_name(table: str, column: str) -> str:
    digest = blake2s(repr((table, column)).encode(), digest_size=4).hexdigest()
    return f"{f'fk_{table}_{column}'[: LONGEST - 9]}_{digest}"
