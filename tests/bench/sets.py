"""Figures of work on sets: import, export, search, growth, publishing. Each beside a bare floor of the same run."""

from __future__ import annotations

import csv
import statistics
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from tests.bench import data
from tests.bench.assignments import assigning
from tests.bench.floor import app as floor
from tests.bench.ledgers import posting
from tests.bench.reminding import reminding
from tests.bench.scores import rescoring

if TYPE_CHECKING:
    from tests.bench.run import Arena, Options


def timed(work: Callable[[], Any], times: int = 1) -> float:
    """Median seconds."""
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        spent.append(time.perf_counter() - began)
    return statistics.median(spent)


def set_figures(a: Arena, options: Options) -> dict[str, dict[str, Any]]:
    options.say("import and export")
    figures = import_and_export(a, min(options.records, 50_000))
    options.say("search and depth of pages")
    figures |= search_and_depth(a, options.records)
    options.say("rescoring")
    figures |= rescoring(a)
    options.say("assignment")
    figures |= assigning(a, options.records)
    options.say("reminders")
    figures |= reminding(a)
    options.say("ledger postings")
    figures |= posting(a)
    options.say("publishing one field")
    figures["publish one added field, s"] = {"octavo": round(timed(lambda: publish_field(a)), 2), "reach": 0.5}
    if options.grow > options.records:
        options.say(f"growing to {options.grow:,} records")
        figures |= growth(a, options)
    return figures


def write_csv(path: Path, count: int) -> None:
    names = data.owner_names()
    with path.open("w", encoding="utf-8-sig", newline="") as target:
        writer = csv.writer(target)
        header = list(next(data.rows(1)))
        writer.writerow(header)
        for row in data.rows(count, seed=23):
            row["code"] = "I" + row["code"]
            row["owner_ref"] = names[row["owner_ref"] - 1]
            writer.writerow(["" if v is None else v for v in row.values()])


def import_and_export(a: Arena, count: int) -> dict[str, dict[str, Any]]:
    from runtime.exchange.exports import export
    from runtime.exchange.imports import import_file
    from runtime.query.select import parse_where

    source = a.folder / "import.csv"
    write_csv(source, count)
    ours = timed(lambda: import_file(a.site, "bench_customer", source))
    bare = timed(lambda: insert_many(a, source))
    target = a.folder / "export.xlsx"

    def companies() -> None:
        with a.site.session(_admin(a)) as session:
            chosen = parse_where(session, "bench_customer", "kind == 'company'")
            export(session, "bench_customer", target, "xlsx", where=[chosen])

    ours_export = timed(companies)
    with a.site.session() as session:
        table = session.table("bench_customer")
        exported = session.connection.execute(
            sa.select(sa.func.count()).where(table.c.kind == "company", table.c.deleted_at.is_(None))
        ).scalar_one()
    writer = timed(lambda: write_xlsx(a.folder / "bare.xlsx", exported))
    return {
        "import, rows/s": {
            "floor": round(count / bare),
            "octavo": round(count / ours),
            "ratio": round(bare / ours, 2),
            "reach": 0.5,
        },
        "export to xlsx, rows/s": {
            "floor": round(exported / writer),
            "octavo": round(exported / ours_export),
            "ratio": round(writer / ours_export, 2),
            "reach": 0.5,
        },
    }


def insert_many(a: Arena, source: Path) -> None:
    """The floor of an import: parse, validate, look the owners up, insert many with an audit row each."""
    engine = floor.engine_for(a.floor_url).execution_options(mode="IMMEDIATE")
    with engine.begin() as connection:
        owners = {r.name: r.id for r in connection.execute(sa.select(floor.owner))}
        batch: list[dict[str, Any]] = []
        with source.open(encoding="utf-8-sig", newline="") as lines:
            for row in csv.DictReader(lines):
                batch.append(_validated(row, owners))
                if len(batch) == 2000:
                    _insert(connection, batch)
                    batch = []
        if batch:
            _insert(connection, batch)
    engine.dispose()


def _validated(row: dict[str, Any], owners: dict[str, int]) -> dict[str, Any]:
    from datetime import date
    from decimal import Decimal

    if not row["name"] or len(row["name"]) > 120 or row["kind"] not in floor.KINDS:
        raise ValueError(row)
    now = int(time.time() * 1000)
    return {
        **{k: row[k] or None for k in ("name", "code", "kind", "phone", "city", "notes")},
        "owner_ref": owners[row["owner_ref"]],
        "revenue": int(Decimal(row["revenue"]) * 10000),
        "discount": int(Decimal(row["discount"]) * 10000),
        "employees": int(row["employees"]),
        "founded": date.fromisoformat(row["founded"]),
        "active": row["active"] == "True",
        "created_at": now,
        "created_by": 1,
        "updated_at": now,
        "version": 1,
    }


def _insert(connection: sa.Connection, batch: list[dict[str, Any]]) -> None:
    import orjson

    ids = connection.execute(floor.customer.insert().returning(floor.customer.c.id), batch).scalars().all()
    connection.execute(
        floor.audit.insert(),
        [
            {
                "record_id": record_id,
                "operation": "create",
                "changes": orjson.dumps({k: [None, v] for k, v in row.items() if v is not None}, default=str).decode(),
                "at": row["created_at"],
                "by": 1,
            }
            for record_id, row in zip(ids, batch, strict=True)
        ],
    )


def write_xlsx(path: Path, count: int) -> None:
    """The writer alone, on rows that are ready."""
    from rustpy_xlsxwriter import write_worksheet

    rows = [{k: (v if not isinstance(v, bool) else str(v)) for k, v in row.items()} for row in data.rows(count)]
    for row in rows:
        row["revenue"], row["discount"] = float(row["revenue"]), float(row["discount"])
    write_worksheet(rows, str(path))


def search_and_depth(a: Arena, records: int) -> dict[str, dict[str, Any]]:
    from runtime.query.cursor import encode
    from runtime.query.search import search
    from runtime.query.select import Query, run

    def find() -> None:
        with a.site.session(_admin(a)) as session:
            search(session, "华东", limit=20)

    admin = _admin(a)

    def page(**place: Any) -> Callable[[], None]:
        def work() -> None:
            with a.site.session(admin) as session:
                declared = session.app.list_for("bench_customer")
                paths = tuple(c.key for c in declared.columns)
                run(session, Query(entity="bench_customer", select=paths, sort=declared.sort, limit=50, **place))

        return work

    middle = encode([Decimal(450_000_000)], 1)  # of what `data.rows` draws as revenue

    return {
        "search two characters, ms": {"octavo": round(timed(find, 20) * 1000, 1), "reach": 50},
        "list query, page 1, ms": {"octavo": round(timed(page(page=1), 20) * 1000, 2)},
        "list query, page 1,000, ms": {"octavo": round(timed(page(page=min(1000, records // 50)), 20) * 1000, 2)},
        "list query, middle of the sort, ms": {"octavo": round(timed(page(cursor=middle), 20) * 1000, 2)},
    }


def _admin(a: Arena) -> int:
    with a.site.session() as session:
        user = session.table("user")
        return int(session.connection.execute(sa.select(sa.func.min(user.c.id))).scalar_one())


def publish_field(a: Arena) -> None:
    from runtime.publishing.layers import with_site_files
    from runtime.publishing.publish import current_layers, publish

    text = "extend: bench_customer\nfields:\n  remark: {type: text, max: 50}\n"
    publish(a.site, with_site_files(current_layers(a.site), {"bench.yaml": text}), "bench")


def _in_order(a: Arena) -> None:
    """What a database does by itself in the hours after so much was written."""
    text = "ANALYZE" if a.site.dialect == "sqlite" else "VACUUM ANALYZE"
    level = {"isolation_level": "AUTOCOMMIT"}
    with a.site.engine.connect().execution_options(**level) as connection:
        connection.exec_driver_sql(text)


def growth(a: Arena, options: Options) -> dict[str, dict[str, Any]]:
    """The same list at `records` and at `grow` records."""
    from runtime.records import create_many

    _in_order(a)
    before = search_and_depth(a, options.records)
    batch: list[dict[str, Any]] = []
    more = options.grow - options.records
    for number, row in enumerate(data.rows(more, seed=31), 1):
        row["code"] = "G" + row["code"]
        batch.append(row)
        if len(batch) == 5000 or number == more:
            with a.site.session(write=True) as session:
                create_many(session, "bench_customer", batch)
            batch = []
    _in_order(a)
    after = search_and_depth(a, options.grow)
    return {
        f"{name}, {options.grow:,} records": {
            "before": before[name]["octavo"],
            "after": figure["octavo"],
            "ratio": round(figure["octavo"] / max(before[name]["octavo"], 0.001), 2),
            **({"reach": 1.2} if "list" in name else {}),
        }
        for name, figure in after.items()
    }
