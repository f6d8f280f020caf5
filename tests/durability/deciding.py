"""Kills workers and clients while rules decide, and looks at what is left: everything once, in the database and outside.

A process of its own, so that it may fork, as `tests.durability.arena`. Five kinds of work: workflows, reminders,
assignments in bulk, conversions, approvals. Each round kills with SIGKILL at a random moment; the next goes on with what
is there; at the end nobody is killed and everything has to come to its end.

    python -m tests.durability.deciding FOLDER DATABASE_URL KILLS SEED [REDIS_URL]
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import sqlalchemy as sa

from runtime import actions, mass, records
from runtime.clock import SystemClock
from runtime.commands.assigning import run_assignment
from runtime.decisions import approvals
from runtime.errors import Answer, Busy
from runtime.jobs import Worker, enqueue
from runtime.jobs.relay import rq_worker, sweep
from runtime.schema.internal_mass import mass_target
from runtime.site import Session, Site
from tests.durability.deciding_site import listen, prepare

AT_WORK = 30  # jobs that wait when a round begins, so that its end never comes before the kill
LONGEST = 0.8  # seconds until a kill
Note = Callable[[str], None]


# --- who works ---------------------------------------------------------------------------------------------------


def people(session: Session) -> dict[str, int]:
    table = session.table("user")
    return dict(session.connection.execute(sa.select(table.c.login, table.c.id)).all())


def patiently(site: Site, user: int | None, work: Callable[[Session], Any]) -> Any:
    """The work in a transaction of its own, again where the database is busy."""
    while True:
        try:
            with site.session(user, write=True) as session:
                return work(session)
        except Busy:
            continue


def convert(site: Site, record: int) -> None:
    def press(session: Session) -> None:
        actions.run(session, "purchase", record, "convert_purchase_to_receipt", {})

    patiently(site, site_people(site)["ann"], press)


def approve(site: Site, bill: int) -> None:
    """Brings a bill to its end from wherever it is."""
    known = site_people(site)
    for login, act in (("ann", "submit"), ("mia", "approve"), ("dan", "approve"), ("eva", "approve")):

        def step(session: Session, act: str = act) -> None:
            if act == "submit":
                approvals.submit(session, "bill", bill)
            else:
                actions.run(session, "bill", bill, act, {})

        try:
            patiently(site, known[login], step)
        except Answer:  # done before the kill
            continue


def site_people(site: Site) -> dict[str, int]:
    with site.session() as session:
        return people(session)


def purchases(site: Site, note: Note) -> None:
    """Makes purchases and converts each twice, without end."""
    for number in range(1_000_000):
        name = f"{os.getpid()}-{number}"
        lines = [{"item": f"I{n}", "quantity": n + 1} for n in range(3)]
        values = {"name": name, "lines": lines}
        made = patiently(site, None, lambda s, v=values: records.create(s, "purchase", v).id)  # type: ignore[misc]
        convert(site, made)
        note(f"converted {made}")
        try:
            convert(site, made)
            note(f"doubled {made}")
        except Answer:
            continue


def bills(site: Site, note: Note) -> None:
    """Writes bills and has them approved, without end."""
    ann = site_people(site)["ann"]
    for number in range(1_000_000):
        values = {"name": f"{os.getpid()}-{number}"}
        made = patiently(site, ann, lambda s, v=values: records.create(s, "bill", v).id)  # type: ignore[misc]
        approve(site, made)
        note(f"approved {made}")


def assign_rest(site: Site) -> None:
    """Every batch is a transaction: one that met a busy database is run again from the start."""
    while True:
        try:
            run_assignment(site, "tickets", "lot == 1")
            return
        except Busy:
            continue


def dispatch(site: Site, note: Note) -> None:
    """Runs an assignment over what nobody has, as often as there is something."""
    while True:
        assign_rest(site)
        note("dispatched")
        tickets = [{"name": f"T{n}", "lot": 1} for n in range(20)]
        patiently(site, None, lambda s, t=tickets: records.create_many(s, "ticket", t))  # type: ignore[misc]


def worker(site: Site, note: Note) -> None:
    """Goes on for ever; a first job has warmed it up."""
    with contextlib.suppress(Busy):
        Worker(site).run_once()
    note("worker")
    if site.settings.redis_url:
        rq_worker(site).work(with_scheduler=False, logging_level="CRITICAL")
    else:
        Worker(site).run_forever(Event())


Work = Callable[[Site, Note], None]
KINDS: dict[str, tuple[Work, ...]] = {
    "workflow": (worker,),
    "reminder": (worker,),
    "assignment": (worker, dispatch),
    "conversion": (worker, purchases),
    "approval": (worker, bills),
}


def fill(site: Site, kind: str) -> None:
    """Work for the next round."""
    with site.session(write=True) as session:
        known = people(session)
        missing = AT_WORK - open_jobs(session)
        if kind == "workflow" and missing > 0:
            records.create_many(session, "parcel", [{"name": f"P{n}", "owner": known["ann"]} for n in range(missing)])
        if kind == "reminder":
            records.create_many(session, "crate", [{"name": f"C{n}", "owner": known["ann"]} for n in range(40)])
            enqueue(session, "remind", {"names": ["unopened"]})
    if kind == "assignment":
        with site.session(known["top"], write=True) as session:
            made = records.create_many(session, "ticket", [{"name": f"M{n}"} for n in range(60)])
            ids = [saved.id for saved in made]  # type: ignore[union-attr]
            given = {"name": "reassign", "given": {"assignment": "tickets"}}
            mass.start(session, "ticket", "action", given, ids, title="in bulk")


def open_jobs(session: Session) -> int:
    table = session.table("job")
    wanted = sa.select(sa.func.count()).where(table.c.state.in_(("waiting", "running")))
    return int(session.connection.scalar(wanted) or 0)


# --- rounds ------------------------------------------------------------------------------------------------------


def begin(folder: Path, work: Work, log: Path) -> int:
    """A process at work; its id, once it has begun: a worker with its second job, a client with its second record."""
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            site = Site.open(folder, clock=SystemClock())
            site.application()
            told = []

            def note(line: str) -> None:
                os.write(descriptor, f"{line}\n".encode())
                if not told:
                    told.append(os.write(tell, b"r"))

            work(site, note)
        except BaseException as error:
            os.write(2, f"{work.__name__}: {type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(3)
    os.close(tell)
    os.read(ready, 1)
    os.close(ready)
    return child


def kill(child: int) -> None:
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status):
        raise RuntimeError("the process ended by itself")


def one_round(folder: Path, kind: str, chosen: random.Random, log: Path) -> int:
    """Kills everybody who works on the kind, each at a moment of its own; how many."""
    with Site.open(folder) as site:
        fill(site, kind)
    moments = sorted((chosen.uniform(0.0, LONGEST), begin(folder, work, log)) for work in reversed(KINDS[kind]))
    began = time.monotonic()
    for moment, child in moments:
        time.sleep(max(0.0, began + moment - time.monotonic()))
        kill(child)
    return len(moments)


def drain(folder: Path, log: Path) -> None:
    """Lets everything come to its end; what was killed in the middle is taken up when its lease has run out."""
    with Site.open(folder) as site:
        with site.session() as session:
            table = session.table("purchase")
            left = list(session.connection.scalars(sa.select(table.c.id).where(table.c.receipt.is_(None))))
            bill = session.table("bill")
            undecided = list(session.connection.scalars(sa.select(bill.c.id).where(bill.c.status == "draft")))
        for record in left:
            convert(site, record)
        for record in undecided:
            approve(site, record)
        assign_rest(site)
        with site.session(write=True) as session:
            enqueue(session, "remind", {"names": ["unopened"]})
    last = begin(folder, worker, log)
    until = time.monotonic() + 300
    with Site.open(folder) as site:
        while time.monotonic() < until:
            with site.session() as session:
                if not open_jobs(session):
                    break
            if site.settings.redis_url:
                sweep(site)
            time.sleep(0.2)
    kill(last)


def inspect(site: Site, acknowledged: Sequence[str], outside: Sequence[str]) -> dict[str, Any]:
    """Counts every violation of what was promised: of each thing too few or too many."""
    with site.session() as session:
        run = session.connection.execute

        def by(name: str, column: str, /, **same: object) -> Counter[Any]:
            table = session.table(name)
            wanted = sa.select(table.c[column]).where(*(table.c[k] == v for k, v in same.items()))
            return Counter(value for (value,) in run(wanted) if value is not None)

        def not_once(ids: set[int], found: Counter[Any], times: int = 1) -> int:
            return sum(1 for one in ids if found[one] != times) + sum(1 for one in found if one not in ids)

        def ids(entity: str) -> set[int]:
            return set(by(entity, "id"))

        parcels, crates, tickets, bought, billed = map(ids, ("parcel", "crate", "ticket", "purchase", "bill"))
        cases = by("approval_case", "record", entity="bill", state="approved")
        steps = by("approval_entry", "case", action="approved_by")
        parts = by("receipt_line", "source")
        turns = session.connection.scalar(sa.select(sa.func.count()).select_from(session.table("assignment_decision")))
        message, jobs = session.table("message"), session.table("job")
        rows = run(sa.select(message.c.channel, message.c.state, message.c.message_id)).all()
        said = Counter(outside)
        again = int(run(sa.select(sa.func.count()).where(jobs.c.tries > 1)).scalar_one())
        kinds = {
            "jobs left or parked": sum(by("job", "id", state=s).total() for s in ("waiting", "running", "parked")),
            "bulk left": int(run(sa.select(sa.func.count()).where(mass_target.c.state != "done")).scalar_one()),
            "workflow runs": not_once(parcels, by("workflow_run", "record", state="done")),
            "workflow steps": not_once(ids("workflow_run"), by("workflow_step", "run"), 6),
            "slips": not_once(parcels, by("slip", "parcel"), 2),
            "set twice": len(parcels) - by("parcel", "sent", sent=1).total(),
            "notices of workflows": not_once(parcels, by("notification", "record", word="workflow")),
            "reminder notices": not_once(crates, by("reminder_notice", "record")),
            "reminder effects": not_once(crates, by("slip", "crate")),
            "tickets nobody has": len(tickets) - sum(1 for _ in by("ticket", "owner").elements()),
            "decisions": not_once(tickets, by("assignment_decision", "record", entity="ticket", state="assigned")),
            "turns": abs(sum_of(session, "assignment_turn", "turns") - int(turns or 0)),
            "hand-overs": not_once(
                tickets,
                by("ownership_log", "record", entity="ticket", reason="transferred")
                + by("ownership_log", "record", entity="ticket", reason="assigned"),
            ),
            "receipts": not_once(bought, by("receipt", "purchase")),
            "receipts kept": not_once(ids("receipt"), by("purchase", "receipt")),
            "receipt lines": not_once(ids("purchase_line"), parts),
            "cases": not_once(billed, cases),
            "decided steps": not_once(ids("approval_case"), steps, 3),
            "approved": len(billed) - by("bill", "id", status="approved").total(),
            "effects of approvals": not_once(billed, by("slip", "bill")),
            "acknowledged and lost": sum(
                1
                for line in acknowledged
                for word, _, one in (line.partition(" "),)
                if (word == "converted" and int(one) not in bought) or (word == "approved" and not cases[int(one)])
            ),
            "converted twice": sum(line.startswith("doubled") for line in acknowledged),
            "calls": len(parcels) + len(bought) + len(billed) - sum(r.channel == "webhook" for r in rows),
            "mails": len(parcels) - sum(r.channel == "email" for r in rows),
            "calls not made": sum(
                r.channel == "webhook" and (r.state != "sent" or not said[r.message_id]) for r in rows
            ),
            "mails wrong": sum(
                r.channel == "email" and not _once_or_unknown(r.state, said[r.message_id]) for r in rows
            ),
            "ghosts": len(set(said) - {r.message_id for r in rows}),
        }
    return {
        "wrong": {name: count for name, count in kinds.items() if count},
        "parcels": len(parcels), "crates": len(crates), "tickets": len(tickets),
        "conversions": len(bought), "approvals": len(billed), "messages": len(rows),
        "jobs taken up again": again,
        "called again under the same id": sum(said[r.message_id] > 1 for r in rows if r.channel == "webhook"),
        "mails of unknown fate": sum(r.state == "unknown" for r in rows),
    }  # fmt: skip


def _once_or_unknown(state: str, count: int) -> bool:
    return count == 1 if state == "sent" else state == "unknown" and count <= 1


def sum_of(session: Session, entity: str, column: str) -> int:
    table = session.table(entity)
    return int(session.connection.scalar(sa.select(sa.func.coalesce(sa.func.sum(table.c[column]), 0))) or 0)


def main(folder: Path, database_url: str, kills: int, seed: int, redis_url: str = "") -> dict[str, Any]:
    os.environ["OCTAVO_SITE"] = str(folder)
    log, outside = folder / "acknowledged.log", folder / "outside.log"
    log.touch()
    outside.touch()
    hook, mail, listeners = listen(outside)
    try:
        prepare(folder, database_url, redis_url, hook, mail)
        done = rounds = 0
        while done < kills:
            kind = tuple(KINDS)[rounds % len(KINDS)]
            done += one_round(folder, kind, random.Random(seed * 10_000 + rounds), log)
            rounds += 1
        drain(folder, log)
        with Site.open(folder) as site:
            found = inspect(site, log.read_text().splitlines(), outside.read_text().splitlines())
        return found | {"kills": done}
    finally:
        for listener in listeners:
            kill(listener)


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), *sys.argv[5:6])))
