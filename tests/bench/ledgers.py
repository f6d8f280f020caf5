"""Ledger postings by 16 writers, each a transaction of its own, beside a guarded UPDATE with two INSERTs by hand."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from runtime import database, records
from runtime.errors import Busy

if TYPE_CHECKING:
    from tests.bench.run import Arena

WRITERS, EACH, ROUNDS = 16, 40, 3
_source = itertools.count()


def posting(a: Arena) -> dict[str, dict[str, Any]]:
    """Postings a second over 50 keys; interleaved rounds, medians."""
    with a.site.session(write=True) as session:
        owner = session.connection.scalar(sa.select(sa.func.min(session.table("bench_owner").c.id)))
        rows = [
            {"owner_ref": owner, "place": f"P{n}", "quantity": 10**6, "source": f"open-{next(_source)}"}
            for n in range(50)
        ]
        records.create_many(session, "bench_move", rows)
    ours, bare = [], []
    for _ in range(ROUNDS):
        bare.append(_together(lambda: _by_hand(a, owner)))
        ours.append(_together(lambda: _post(a, owner)))
    mine, floor = sorted(ours)[ROUNDS // 2], sorted(bare)[ROUNDS // 2]
    count = WRITERS * EACH
    return {
        "ledger postings of 16 writers, entries/s": {
            "floor": round(count / floor),
            "octavo": round(count / mine),
            "ratio": round(floor / mine, 2),
            "reach": 0.6,
        }
    }


def _together(work: Callable[[], None]) -> float:
    """Seconds until every writer has done its postings. Raises what one of them met."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            for _ in range(EACH):
                work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(WRITERS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return time.perf_counter() - began


def _entry(owner: int) -> dict[str, Any]:
    number = next(_source)
    return {"owner_ref": owner, "place": f"P{number % 50}", "quantity": Decimal(-1), "source": f"S{number}"}


def _post(a: Arena, owner: int) -> None:
    entry = _entry(owner)
    while True:
        try:
            with a.site.session(write=True) as session:
                records.create(session, "bench_move", entry)
            return
        except Busy:
            continue


def _by_hand(a: Arena, owner: int) -> None:
    """What a careful engineer writes: the balance where it suffices, the entry, the line of the audit."""
    entry = _entry(owner)
    while True:
        try:
            with database.answering(), a.site.engine.connect() as plain:
                options: dict[str, Any] = {database.WRITE: True} if a.site.dialect == "sqlite" else {}
                connection = plain.execution_options(**options) if options else plain
                with connection.begin():
                    _write(a, connection, entry)
            return
        except Busy:
            continue


def _write(a: Arena, connection: sa.Connection, entry: dict[str, Any]) -> None:
    tables, now = a.site.tables, a.site.clock.now()
    balance, move, audit = (tables.table(n) for n in ("bench_move_balance", "bench_move", "audit"))
    common = {"created_at": now, "created_on": now.date(), "updated_at": now, "version": 1}
    lowered = (
        sa.update(balance)
        .where(balance.c.owner_ref == entry["owner_ref"], balance.c.place == entry["place"], balance.c.quantity >= 1)
        .values(quantity=balance.c.quantity + entry["quantity"], version=balance.c.version + 1, updated_at=now)
    )
    if connection.execute(lowered).rowcount != 1:
        raise RuntimeError("the balance does not suffice")
    made = connection.execute(sa.insert(move).values(**entry, **common))
    record = made.inserted_primary_key[0] if made.inserted_primary_key else 0
    changes = {name: [None, str(value)] for name, value in entry.items()}
    said = {"at": now, "entity": "bench_move", "record": record, "action": "create", "changes": changes}
    connection.execute(sa.insert(audit).values(**{k: v for k, v in said.items() if k in audit.c}, **common))
