"""A small application with a field of every kind, rows full of edges, and the same rows as Values for Python."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as default_of
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from metadata.frozen import FrozenMap
from metadata.model import Application, Choice, Entity, Field, Options, Origin, Text
from rules.calendar import Calendar
from rules.evaluate import Environment
from rules.numbers import CONTEXT, round_to
from rules.typing import (
    BOOLEAN,
    DATE,
    DATE_RANGE,
    DATETIME,
    INTEGER,
    MONEY,
    PERCENT,
    TEXT,
    TIME,
    Type,
    collection,
    decimal,
    record,
    select,
)
from runtime.schema.tables import RATE_COLUMN, Tables, column_name, is_column, is_joined

HERE = Origin(layer="test", file="sample", line=1)
ZONE = ZoneInfo("Asia/Shanghai")
STORAGE = {
    "integer": "integer",
    "decimal": "decimal",
    "money": "decimal",
    "percent": "decimal",
    "text": "text",
    "boolean": "boolean",
    "date": "date",
    "datetime": "datetime",
    "time": "time",
    "select": "text",
    "record": "link",
    "multi_select": "choices",
}


def label(word: str) -> Text:
    return Text(values=FrozenMap({"en": word}))


def made(name: str, type_: Type, **rest: Any) -> Field:
    """A field; its storage follows from its type."""
    storage = rest.pop("storage", None) or STORAGE.get(type_.kind, "none")
    kind = {"record": "link", "collection": "related"}.get(type_.kind, type_.kind)
    column = name if storage not in ("none", "children", "links", "choices") else None
    if type_.kind == "record":
        rest.setdefault("to", type_.entity)
    return Field(
        name=name,
        type=rest.pop("field_type", kind),
        label=label(name),
        storage=storage,
        value_type=type_,
        column=column,
        origin=HERE,
        **rest,
    )


def system_fields(*, lines: bool) -> list[Field]:
    fields = [made("id", INTEGER, system=True), made("deleted_at", DATETIME, system=True)]
    return fields + ([made("position", INTEGER, system=True)] if lines else [])


def entity(name: str, *fields: Field, lines: bool = False, **rest: Any) -> Entity:
    every = [*fields, *system_fields(lines=lines)]
    return Entity(
        name=name,
        label=label(name),
        plural=label(name),
        table=name,
        title="name",
        fields=FrozenMap({f.name: f for f in every}),
        origin=HERE,
        **rest,
    )


def option_set(name: str, **choices: bool | None) -> Options:
    made_choices = tuple(
        Choice(
            name=choice,
            label=label(choice),
            order=place,
            properties=FrozenMap({} if closed is None else {"closed": closed, "weight": Decimal(place) / 4}),
        )
        for place, (choice, closed) in enumerate(choices.items())
    )
    types = FrozenMap({"order": INTEGER, "closed": BOOLEAN, "weight": decimal(2, 6)})
    return Options(name=name, label=label(name), choices=made_choices, property_types=types, origin=HERE)


def sample() -> Application:
    """account ← deal (related, money in its own currency) and item (lines); people and units."""
    account = entity(
        "account",
        made("name", TEXT),
        made("note", TEXT),
        made("size", INTEGER),
        made("points", INTEGER),
        made("rate", decimal(6, 14)),
        made("price", decimal(2, 18)),
        made("revenue", MONEY),
        made("share", PERCENT),
        made("active", BOOLEAN),
        made("vip", BOOLEAN),
        made("born", DATE),
        made("due", DATE),
        made("seen", DATETIME),
        made("opened", DATETIME),
        made("opens", TIME),
        made("stage", select("stage"), options="stage"),
        made("before", select("stage"), options="stage"),
        made("tags", Type(kind="multi_select", options="tag"), options="tag"),
        made("owner", record("user")),
        made("parent", record("account")),
        made("items", collection("item"), entity="item", by="account", storage="children", field_type="lines"),
        made("deals", collection("deal"), entity="deal", by="account", storage="none"),
        made("friends", collection("user"), to="user", storage="links", field_type="links"),
        made("owner_unit", record("unit"), storage="none", of=("owner", "unit"), field_type="lookup", computed="live"),
    )
    item = entity(
        "item",
        made("name", TEXT),
        made("account", record("account")),
        made("quantity", decimal(3, 12)),
        made("price", MONEY),
        made("count", INTEGER),
        made("done", BOOLEAN),
        made("on", DATE),
        made("kind", select("tag"), options="tag"),
        lines=True,
        parent=("account", "items"),
    )
    deal = entity(
        "deal",
        made("name", TEXT),
        made("account", record("account")),
        made("currency", TEXT),
        made("amount", MONEY),
        made("score", INTEGER),
        made("stage", select("stage"), options="stage"),
        made("closed_on", DATE),
        made("seller", record("user")),
        currency="currency",
    )
    user = entity(
        "user", made("name", TEXT), made("unit", record("unit")), made("level", INTEGER), made("joined", DATE)
    )
    unit = entity("unit", made("name", TEXT), made("budget", MONEY))
    sets = (
        option_set("stage", new=False, talk=False, won=True, lost=True, odd=None),
        option_set("tag", red=None, green=True, blue=False),
    )
    return Application(
        entities=FrozenMap({e.name: e for e in (unit, user, account, item, deal)}),
        options=FrozenMap({o.name: o for o in sets}),
        forms=FrozenMap(),
        lists=FrozenMap(),
        menus=(),
        segments=FrozenMap(),
        roles=FrozenMap(),
        reports=FrozenMap(),
    )


PARAMETERS = {
    "period": DATE_RANGE,
    "least": decimal(2, 10),
    "word": TEXT,
    "day": DATE,
    "chosen": Type(kind="list", item=TEXT),
    "who": record("user"),
    "gone": INTEGER,
}
TEXTS = [
    None,
    "a",
    "A",
    "b",
    "深圳市",
    "ＡＢＣ",
    "abc",
    "Straße",
    "STRASSE",
    "İstanbul",
    "istanbul",
    "ΣΑΣ",
    "σας",
    "  x ",
    "　全角　",
    "12.5",
    "-3",
    "+7.25 ",
    "ﬁn",
    "fin",
    "\U0001f600",
    "￿",
    "Z",
    "é",
    "e\u0301",
    "É",
    "Ёлка",
    "ёлка",
    "%_\\",
    "it's",
    "new",
    "won",
    "①",
    "1",
    "0.00000000005",
]
INTEGERS = [None, 0, 1, -1, 2, 3, 7, -7, 10, 100, -13, 2**53 - 1, -(2**53 - 1), 999_999, 3_000_000_000]
DECIMALS = [
    "0",
    "1",
    "-1",
    "0.5",
    "-0.5",
    "0.005",
    "-0.005",
    "2.5",
    "1.25",
    "-1.255",
    "10",
    "99999999.999999",
    "3.333333",
    None,
]
MONIES = ["0", "1", "-1", "0.0001", "100.50", "-33.3333", "12345678901234.5678", "99999999999999.9999", None, "7.77"]
DATES = [None, date(2024, 2, 29), date(2024, 1, 31), date(2023, 12, 31), date(2026, 11, 22), date(2026, 11, 20),
         date(2025, 3, 1), date(2000, 1, 1), date(1, 1, 1), date(9999, 12, 31), date(2026, 10, 1), date(1999, 6, 30)]  # fmt: skip
MOMENTS = [None, datetime(2026, 11, 22, 3, 4, 5, 678000, UTC), datetime(2026, 11, 21, 15, 59, 59, 999000, UTC),
           datetime(2026, 11, 21, 16, 0, tzinfo=UTC), datetime(2024, 2, 29, 20, tzinfo=UTC),
           datetime(1970, 1, 1, tzinfo=UTC), datetime(2000, 12, 31, 23, 30, tzinfo=UTC),
           datetime(1988, 7, 1, 16, 30, tzinfo=UTC)]  # fmt: skip
TIMES = [None, time(0), time(9, 30), time(23, 59, 59)]


class Draw:
    """Values of a type, edges included."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def value(self, field: Field, count: int) -> Any:
        """A value for a field; links point to one of `count` records."""
        pick = self.random.choice
        type_ = field.value_type
        match type_.kind:
            case "text":
                return pick(TEXTS)
            case "select":
                return pick(
                    [None, "new", "talk", "won", "lost", "odd"]
                    if type_.options == "stage"
                    else [None, "red", "green", "blue"]
                )
            case "integer":
                return pick(INTEGERS) if self.random.random() < 0.5 else self.random.randint(-50, 50)
            case "decimal" | "percent" | "money":
                return self.number(type_)
            case "boolean":
                return pick([None, True, False])
            case "date":
                if self.random.random() < 0.6:
                    return pick(DATES)
                return date(2026, 1, 1) + timedelta(days=self.random.randint(-400, 400))
            case "datetime":
                return pick(MOMENTS)
            case "time":
                return pick(TIMES)
            case "record":
                return pick([None, *range(1, count + 1)])
        raise LookupError(type_.kind)

    def number(self, type_: Type) -> Decimal | None:
        text = self.random.choice(MONIES if type_.scale == 4 else DECIMALS)
        if text is None:
            return None
        if self.random.random() < 0.4:
            text = str(Decimal(self.random.randint(-(10**7), 10**7)).scaleb(-type_.scale))
        rounded = round_to(Decimal(text), type_.scale)
        limit = Decimal(10) ** (type_.digits - type_.scale)
        return rounded if abs(rounded) < limit else round_to(Decimal(1), type_.scale)


@dataclass
class Data:
    """Rows by entity, pairs by (entity, field)."""

    app: Application
    rows: dict[str, list[dict[str, Any]]] = default_of(default_factory=dict)
    pairs: dict[tuple[str, str], list[tuple[int, Any]]] = default_of(default_factory=dict)

    def insert(self, connection: sa.Connection, tables: Tables) -> None:
        if tables.dialect == "postgresql":  # links among the rows of one table
            connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        for name, rows in self.rows.items():
            if rows:
                connection.execute(sa.insert(tables.table(name)), rows)
        for (name, field), pairs in self.pairs.items():
            if pairs:
                join = tables.join_table(name, field)
                connection.execute(sa.insert(join), [{"record_id": r, "value": v} for r, v in pairs])

    def values(self, name: str, identity: int | None) -> Record | None:
        if identity is None:
            return None
        row = next(r for r in self.rows[name] if r["id"] == identity)
        return Record(self, self.app.entities[name], row)


@dataclass(frozen=True)
class Record:
    """A row as `rules.evaluate.Values`."""

    data: Data
    entity: Entity
    row: Mapping[str, Any]

    def get(self, name: str) -> Any:
        if name.endswith("__base") or name == RATE_COLUMN:
            return self.row.get(name)
        field = self.entity.fields[name]
        if field.of:
            found: Any = self
            for step in field.of:
                found = None if found is None else found.get(step)
            return found
        if field.storage == "choices":
            pairs = self.data.pairs[self.entity.name, name]
            return tuple(value for record_id, value in pairs if record_id == self.row["id"])
        value = self.row[name]
        return self.data.values(field.to or "", value) if field.storage == "link" else value

    def members(self, name: str) -> Sequence[Record]:
        field = self.entity.fields[name]
        target = field.value_type.entity or ""
        if field.storage == "links":
            pairs = self.data.pairs[self.entity.name, name]
            ids = {value for record_id, value in pairs if record_id == self.row["id"]}
            chosen = [r for r in self.data.rows[target] if r["id"] in ids]
        else:
            chosen = [r for r in self.data.rows[target] if r[field.by or ""] == self.row["id"]]
        other = self.data.app.entities[target]
        return [Record(self.data, other, r) for r in chosen if r["deleted_at"] is None]


COUNTS = {"unit": 4, "user": 6, "account": 20, "item": 50, "deal": 50}


def fill(app: Application, seed: int) -> Data:
    """Random rows, the same for the same seed."""
    draw, data = Draw(seed), Data(app)
    for name, count in COUNTS.items():
        fields = [f for f in app.entities[name].fields.values() if is_column(f) and not f.system]
        data.rows[name] = []
        for identity in range(1, count + 1):
            row = {column_name(f): draw.value(f, COUNTS.get(f.to or "", 0)) for f in fields}
            row["id"] = identity
            row["deleted_at"] = (
                draw.random.choice([None, None, None, None, MOMENTS[1]]) if name in ("item", "deal") else None
            )
            if name == "item":
                row["position"] = draw.random.choice([1, 2, 3, 4])
            _bases(app.entities[name], row, draw)
            data.rows[name].append(row)
    _links(app, data, draw)
    return data


def _bases(entity: Entity, row: dict[str, Any], draw: Draw) -> None:
    rate = Decimal(1)
    if entity.currency:
        rate = draw.random.choice([Decimal("7.1234567890"), Decimal("0.0462"), Decimal(1)])
        row[RATE_COLUMN] = rate
        row[entity.currency] = "USD"
    for field in entity.own_fields:
        if field.type == "money":
            amount = row[field.name]
            if amount is not None and entity.currency and abs(amount) > 10**9:
                amount = row[field.name] = Decimal("123456789.1234")
            row[f"{field.name}__base"] = None if amount is None else round_to(CONTEXT.multiply(amount, rate), 4)


def _links(app: Application, data: Data, draw: Draw) -> None:
    for name, entity_ in app.entities.items():
        for field in entity_.own_fields:
            if not is_joined(field):
                continue
            choices = range(1, COUNTS[field.to] + 1) if field.storage == "links" else ["red", "green", "blue"]  # type: ignore[index]
            data.pairs[name, field.name] = [
                (row["id"], value) for row in data.rows[name] for value in choices if draw.random.random() < 0.35
            ]


def environment(data: Data) -> Environment:
    return Environment(
        now=datetime(2026, 11, 22, 16, 30, tzinfo=UTC),  # the next day in Shanghai
        zone=ZONE,
        user=data.values("user", 2),
        parameters={
            "period": (date(2025, 1, 1), date(2026, 6, 30)),
            "least": Decimal("2.50"),
            "word": "won",
            "day": date(2026, 5, 5),
            "chosen": ("a", "won", "深圳市"),
            "who": data.values("user", 3),
            "gone": None,
        },
        holidays=Calendar.of(
            [date(2026, 10, d) for d in range(1, 8)] + [date(2026, 1, 1), date(2025, 12, 31)],
            [date(2026, 10, 10), date(2026, 9, 27), date(2025, 12, 28)],
        ),
        rates=lambda _from, to, _day: Decimal("0.1403") if to == "USD" else None,
        roles=frozenset({"sales"}),
        units=frozenset({1, 3}),
        below=lambda code: frozenset({2, 4}) if code == "east" else frozenset(),
    )
