"""Kills writers at random moments and looks at what is left.

A process of its own, so that it may fork: everything is imported once, a child opens its own connections, works until
it is killed with SIGKILL, and notes every acknowledged write in a file. What was acknowledged must be there, once.

    python -m tests.durability.arena FOLDER DATABASE_URL KIND ROUNDS SEED
"""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from runtime.clock import SystemClock
from runtime.records import create, update
from runtime.site import Site

Note = Callable[[str], None]


def save(site: Site, note: Note, chosen: random.Random) -> None:
    """Creates records with lines and changes them: versions, roll-ups, stage log, audit and numbers at once."""
    n = 0
    while True:
        n += 1
        code = f"{os.getpid()}-{n}"
        lines = [
            {"goods": f"货物{k}", "weight": str(chosen.randint(1, 900) / 100)} for k in range(chosen.randint(1, 3))
        ]
        with site.session(write=True) as session:
            saved = create(session, "shipment", {"code": code, "lines": lines})
        note(f"create {code}")
        if chosen.random() < 0.5:
            with site.session(write=True) as session:
                update(session, "shipment", saved.id, {"status": "sent", "lines": lines[:1]})
            note(f"sent {code}")


def import_again(site: Site, note: Note, chosen: random.Random) -> None:
    """Imports one file; a killed import is taken up by the next child."""
    from runtime.exchange import imports
    from runtime.exchange.imports import Request, import_file

    imports.BATCH = 20  # kills fall between batches and into them
    source = site.folder / "arena.csv"
    while True:
        status = import_file(site, "shipment", source, request=Request(match=("code",)))
        note(f"imported {status.done}")
        time.sleep(0.01)


def publish_versions(site: Site, note: Note, chosen: random.Random) -> None:
    """Publishes a further field, then a longer one, and so on; the fields carry data."""
    from runtime.publishing.layers import with_site_files
    from runtime.publishing.publish import current_layers, publish

    while True:
        number = site.refresh().number
        field = f"note_{number % 3}"
        text = f"extend: shipment\nfields:\n  {field}: {{type: text, max: {50 + number}}}\n"
        published = publish(site, with_site_files(current_layers(site), {f"{field}.yaml": text}), "arena")
        note(f"published {published}")
        with site.session(write=True) as session:
            create(session, "shipment", {"code": f"p{published}-{os.getpid()}", field: "内容" * 10})
        note(f"create p{published}-{os.getpid()}")


KINDS: dict[str, Callable[[Site, Note, random.Random], None]] = {
    "save": save,
    "import": import_again,
    "publish": publish_versions,
}

PATIENCE = 30  # seconds
LONGEST = {"save": 0.7, "import": 0.7, "publish": 2.5}  # seconds; a publish is compile, plan and DDL


def one_round(folder: Path, kind: str, chosen: random.Random, log: Path, *, acknowledged: bool = False) -> None:
    """Forks a writer and kills it at a random moment of its work, or of what follows its first acknowledged write."""
    before = _size(log)
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            site = Site.open(folder, clock=SystemClock())
            site.application()
            os.write(tell, b"ready")
            KINDS[kind](site, lambda line: (os.write(descriptor, f"{line}\n".encode()), None)[1], chosen)
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(3)
    os.close(tell)
    os.read(ready, 5)  # the moment is one of the work, however long a busy machine takes to begin
    os.close(ready)
    patience = time.monotonic() + PATIENCE
    while acknowledged and _size(log) == before and time.monotonic() < patience:
        time.sleep(0.01)
    time.sleep(chosen.uniform(0.0, LONGEST[kind]))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        raise RuntimeError("the writer ended by itself")


def _size(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0


def inspect(site: Site, acknowledged: list[str]) -> dict[str, Any]:
    """Counts every violation of what was promised."""
    with site.session() as session:
        shipment, line = session.table("shipment"), session.table("shipment_line")
        audit, stages = session.table("audit"), session.table("stage_log")
        run = session.connection.execute
        codes = [code for (code,) in run(sa.select(shipment.c.code))]
        created = {a.split()[1] for a in acknowledged if a.startswith("create ")}
        sent = {a.split()[1] for a in acknowledged if a.startswith("sent ")}
        status = dict(run(sa.select(shipment.c.code, shipment.c.status)).tuples().all())
        numbers = sorted(int(n[1:]) for (n,) in run(sa.select(shipment.c.number)))
        total = (
            sa.select(sa.func.coalesce(sa.func.sum(line.c.weight), 0))
            .where(line.c.shipment == shipment.c.id, line.c.deleted_at.is_(None))
            .scalar_subquery()
        )
        drift = run(sa.select(sa.func.count()).select_from(shipment).where(shipment.c.weight != total)).scalar_one()
        creations = sa.select(sa.func.count()).select_from(audit).where(audit.c.action == "create")
        sends = run(
            sa.select(sa.func.count()).where(stages.c.entity == "shipment", stages.c.to_value == "sent")
        ).scalar_one()
        result = {
            "records": len(codes),
            "acknowledged": len(acknowledged),
            "lost": len(created - set(codes)),
            "doubled": len(codes) - len(set(codes)),
            "lost_updates": sum(1 for code in sent if status.get(code) != "sent"),
            "gaps": sum(1 for place, n in enumerate(numbers, 1) if place != n),
            "drift": drift,
            "audit_missing": len(codes) - run(creations.where(audit.c.entity == "shipment")).scalar_one(),
            "stage_log_missing": sum(1 for s in status.values() if s == "sent") - sends,
            "orphans": run(
                sa.select(sa.func.count()).select_from(line).where(line.c.shipment.not_in(sa.select(shipment.c.id)))
            ).scalar_one(),
        }
        if site.dialect == "sqlite":
            result["broken"] = int(session.connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() != "ok")
    return result


def write_import_file(folder: Path) -> int:
    rows = 200
    with (folder / "arena.csv").open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(["code", "status"])
        writer.writerows([f"imp{n:04d}", "packed"] for n in range(rows))
    return rows


def main(folder: Path, kind: str, rounds: int, seed: int) -> dict[str, Any]:
    expected = write_import_file(folder)
    log = folder / f"acknowledged-{kind}.log"
    for n in range(rounds):
        one_round(folder, kind, random.Random(seed * 10_000 + n), log, acknowledged=n % 3 == 0)
    site = Site.open(folder)
    if kind == "import":
        from runtime.exchange.imports import Request, import_file

        import_file(site, "shipment", site.folder / "arena.csv", request=Request(match=("code",)))
    acknowledged = log.read_text().splitlines() if log.exists() else []
    result = inspect(site, acknowledged) | {"rounds": rounds}
    if kind == "import":
        result["lost"] = expected - result["records"]
    if kind == "publish":
        from runtime.publishing.publish import current_layers, plan

        made = plan(site, current_layers(site)).plan
        result["schema_difference"] = len(made.steps) if made else -1
        published = [int(a.split()[1]) for a in acknowledged if a.startswith("published ")]
        result["lost_versions"] = int(bool(published) and site.version < max(published))
    return result


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
