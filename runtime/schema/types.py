"""Column types that mean the same on SQLite and PostgreSQL.

Each names itself in SQLite's schema (`BIGINT_SCALE_4`, `BIGINT_MS`), with the affinity SQLite derives from the name, so
that a reflected database says everything a wanted one does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType

from rules.numbers import CONTEXT

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SQLITE_DIGITS = 18  # a scaled integer of 18 digits fits a signed 64-bit integer
_DATED = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_SUBCLASS
_PLAIN = _DATED | orjson.OPT_PASSTHROUGH_DATETIME
_BEYOND = 10**SQLITE_DIGITS


class RawType(UserDefinedType[Any]):
    """A column type known by its words in the schema alone."""

    cache_ok = True

    def __init__(self, words: str) -> None:
        self.words = words

    def get_col_spec(self, **_: Any) -> str:
        return self.words


class _SqliteNamed(sa.BigInteger):
    """A 64-bit integer on SQLite that carries its meaning in its name."""

    __visit_name__ = "octavo_integer"

    def __init__(self, words: str = "BIGINT") -> None:
        super().__init__()
        self.words = words


@compiles(_SqliteNamed)
def _named(element: _SqliteNamed, _compiler: Any, **_: Any) -> str:
    return element.words


class ScaledDecimal(TypeDecorator[Decimal]):
    """An exact decimal: an integer scaled by 10**scale on SQLite, NUMERIC(digits, scale) on PostgreSQL.

    Binding rounds half-up to the scale; a value beyond the digits raises OverflowError.
    """

    impl = sa.Numeric
    cache_ok = True

    def __init__(self, scale: int = 4, digits: int = SQLITE_DIGITS) -> None:
        super().__init__(digits, scale)
        self.scale = scale
        self.digits = digits

    def load_dialect_impl(self, dialect: sa.Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(_SqliteNamed(f"BIGINT_SCALE_{self.scale}"))
        return dialect.type_descriptor(sa.Numeric(self.digits, self.scale))

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:
        if value is None:
            return None
        exact = quantize(Decimal(value), self.scale)
        if dialect.name != "sqlite":
            return exact
        return _scaled(exact, self.scale)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Decimal | None:
        if value is None:
            return None
        if dialect.name == "sqlite":
            return Decimal(int(value)).scaleb(-self.scale, CONTEXT)
        return value if isinstance(value, Decimal) else Decimal(value)

    def bind_processor(self, dialect: sa.Dialect) -> Any:
        """On SQLite in one step: whole files of amounts pass here."""
        if dialect.name != "sqlite":
            return super().bind_processor(dialect)
        scale = self.scale

        def bind(value: Any) -> int | None:
            if value is None:
                return None
            return _scaled(value if type(value) is Decimal else Decimal(value), scale)

        return bind

    def coerce_compared_value(self, op: Any, value: Any) -> TypeEngine[Any]:
        return self


def scaled_many(values: Sequence[Decimal | None], scale: int) -> list[int | None]:
    """`_scaled` of a column, with one look at its bounds. Raises OverflowError."""
    exact = [v if v is None or type(v) is Decimal else Decimal(v) for v in values]
    found = [
        None if v is None else int(v.scaleb(scale, CONTEXT).to_integral_value(ROUND_HALF_UP, CONTEXT)) for v in exact
    ]
    there = [v for v in found if v is not None]
    if there and not -_BEYOND < min(there) <= max(there) < _BEYOND:
        raise OverflowError(f"a value has more than {SQLITE_DIGITS} digits")
    return found


def _scaled(value: Decimal, scale: int) -> int:
    """`value` in units of 10**-scale, rounded half-up. Raises OverflowError beyond what SQLite's integers hold."""
    if value.adjusted() + scale >= SQLITE_DIGITS:
        raise OverflowError(f"{value} has more than {SQLITE_DIGITS} digits")
    scaled = int(value.scaleb(scale, CONTEXT).to_integral_value(ROUND_HALF_UP, CONTEXT))
    if not -_BEYOND < scaled < _BEYOND:
        raise OverflowError(f"{value} has more than {SQLITE_DIGITS} digits")
    return scaled


def quantize(value: Decimal, scale: int) -> Decimal:
    """`value` rounded half-up (away from zero) to `scale` decimals."""
    return value.quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_UP, context=CONTEXT)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime in whole milliseconds: milliseconds since 1970 on SQLite, TIMESTAMPTZ on PostgreSQL."""

    impl = sa.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(_SqliteNamed("BIGINT_MS"))
        return dialect.type_descriptor(sa.DateTime(timezone=True))

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:
        if value is None:
            return None
        milliseconds = (value - EPOCH) // timedelta(milliseconds=1)
        return milliseconds if dialect.name == "sqlite" else EPOCH + timedelta(milliseconds=milliseconds)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if dialect.name == "sqlite":
            return EPOCH + timedelta(milliseconds=value)
        return value.astimezone(UTC)

    def coerce_compared_value(self, op: Any, value: Any) -> TypeEngine[Any]:
        return self


class _JsonText(sa.Text):
    """Text on SQLite under a name of its own; JSON with NUMERIC affinity would turn the text "1.50" into a number."""

    __visit_name__ = "octavo_json_text"


@compiles(_JsonText)
def _json_text(_element: _JsonText, _compiler: Any, **_: Any) -> str:
    return "JSON_TEXT"


class Json(TypeDecorator[Any]):
    """Any JSON value; None is SQL NULL. JSONB on PostgreSQL, compact UTF-8 text on SQLite."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(_JsonText())
        from sqlalchemy.dialects.postgresql import JSONB  # late: all drivers of PostgreSQL come with it

        return dialect.type_descriptor(JSONB(none_as_null=True))

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:
        if value is None or dialect.name != "sqlite":
            return value
        return json_text(value)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        if value is None or dialect.name != "sqlite":
            return value
        return json.loads(value)


def json_text(value: Any, default: Callable[[Any], Any] | None = None, *, dates: bool = False) -> str:
    """Compact JSON. `default` says what is no JSON value by itself; with `dates` dates and times are ISO texts."""
    try:
        return orjson.dumps(value, default, _DATED if dates else _PLAIN).decode()
    except TypeError:  # whole numbers beyond 64 bits
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=default)


class Text(TypeDecorator[str]):
    """Text compared by code point on both databases (PostgreSQL: COLLATE "C")."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> TypeEngine[Any]:
        # not through type_descriptor: psycopg's dialect would make it VARCHAR
        return sa.Text(collation="C") if dialect.name == "postgresql" else sa.Text()


class Key(TypeDecorator[int]):
    """A record's id, and what points to one: 64 bits (SQLite's INTEGER, so that a primary key is its rowid)."""

    impl = sa.BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(sa.Integer() if dialect.name == "sqlite" else sa.BigInteger())


def type_words(type_: TypeEngine[Any], dialect: sa.Dialect) -> str:
    """How the database itself calls this type when asked (`runtime.schema.inspect` reads the same words)."""
    words = type_.compile(dialect)
    if dialect.name != "postgresql":
        return words
    return words.replace(' COLLATE "C"', "").lower().replace(", ", ",")
