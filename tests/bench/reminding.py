"""A reminder over all records: finding who is due, beside the query a careful engineer writes; and telling people."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.bench.floor import app as floor

if TYPE_CHECKING:
    from tests.bench.run import Arena

ROUNDS = 5
PERIOD = "2001-05-01", "2001-05-31"  # one record in 400 or so
RULE = """
reminder: bench_anniversary
entity: bench_customer
label: {zh: 周年, en: Anniversary}
where: "active and founded >= date(2001, 5, 1) and founded <= date(2001, 5, 31)"
every: "0 3 * * *"
to: {role: bench_rep}
subject: {zh: "{name}", en: "{name}"}
"""
BARE = (
    "SELECT id FROM floor_customer WHERE deleted_at IS NULL AND active"
    f" AND founded >= '{PERIOD[0]}' AND founded <= '{PERIOD[1]}' ORDER BY id"
)


def reminding(a: Arena) -> dict[str, dict[str, Any]]:
    """Needs the role of `assignments`. Seconds; the floor finds the records and tells nobody."""
    from runtime.decisions.reminder_query import due
    from runtime.publishing.layers import with_site_files
    from runtime.publishing.publish import current_layers, publish

    publish(a.site, with_site_files(current_layers(a.site), {"bench_anniversary.yaml": RULE}), "bench")
    engine = floor.engine_for(a.floor_url)

    def bare() -> int:
        with engine.connect() as connection:
            return len(connection.exec_driver_sql(BARE).all())

    def ours() -> int:
        with a.site.session() as session:
            return len(due(session, session.app.of("reminder")["bench_anniversary"]))

    spent: dict[str, list[float]] = {"floor": [], "octavo": []}
    for _ in range(ROUNDS):
        spent["floor"].append(_timed(bare))
        spent["octavo"].append(_timed(ours))
    matches = ours()
    telling = _timed(lambda: _tell(a))
    engine.dispose()
    least, mine = (statistics.median(spent[side]) for side in ("floor", "octavo"))
    return {
        "reminders, finding who is due, ms": {
            "floor": round(least * 1000, 1),
            "octavo": round(mine * 1000, 1),
            "ratio": round(mine / least, 2),
            "reach": 1.3,
        },
        "reminders, telling people, records/s": {"octavo": round(matches / telling), "records": matches},
    }


def _tell(a: Arena) -> None:
    """All batches, each in a transaction of its own, as the job does."""
    from runtime.decisions.reminders import run_batch

    cursor: dict[str, Any] = {"rule": "", "after": 0, "told": 0}
    while True:
        with a.site.session(write=True) as session:
            cursor = run_batch(session, session.app.of("reminder")["bench_anniversary"], cursor)
        if cursor["after"] == 0:
            return


def _timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
