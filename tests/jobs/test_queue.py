"""The queue: transactional, leased, ordered, retried, parked."""

from __future__ import annotations

from threading import Barrier, Thread
from typing import Any

import pytest
import sqlalchemy as sa

from runtime.clock import FakeClock
from runtime.jobs import Worker, enqueue, job, long_job
from runtime.jobs.context import JobContext, LeaseLost
from runtime.jobs.queue import claim, retry, still_ours
from runtime.jobs.worker import extend
from runtime.site import Session, Site

TRACE: list[Any] = []


@pytest.fixture(autouse=True)
def _trace() -> None:
    TRACE.clear()


@job("test_note")
def _note(session: Session, payload: Any) -> Any:
    TRACE.append(payload["value"])
    return {"value": payload["value"]}


@job("test_fail")
def _fail(session: Session, payload: Any) -> Any:
    day(session, 1)
    raise RuntimeError("no luck")


@long_job("test_steps")
def _steps(context: JobContext) -> Any:
    for number in range(context.cursor or 0, 5):
        with context.transaction() as session:
            day(session, number)
            context.note(session, cursor=number + 1, progress=number + 1)
        TRACE.append(number)
        if context.payload.get("stop") == number:
            raise RuntimeError("stopped")
    return {"done": 5}


def day(session: Session, number: int) -> None:
    """An effect in the database that must not happen twice: the day is unique."""
    table = session.table("calendar_day")
    stamp = {"created_at": session.now, "created_on": session.today, "updated_at": session.now, "version": 1}
    session.connection.execute(sa.insert(table).values(day=session.today.replace(day=1 + number), **stamp))


def states(site: Site) -> list[tuple[str, str, int]]:
    with site.session() as session:
        table = session.table("job")
        return [
            tuple(row)
            for row in session.connection.execute(
                sa.select(table.c.name, table.c.state, table.c.tries).order_by(table.c.id)
            )
        ]


def test_enqueue_is_part_of_the_transaction(site: Site) -> None:
    with pytest.raises(ZeroDivisionError), site.session(write=True) as session:
        assert enqueue(session, "test_note", {"value": 1}) == 1 / 0
    assert Worker(site).run_all() == 0
    with site.session(write=True) as session:
        assert enqueue(session, "test_note", {"value": 2})
    assert Worker(site).run_all() == 1
    assert TRACE == [2]
    assert states(site) == [("test_note", "done", 1)]


def test_unknown_name_is_refused(site: Site) -> None:
    with site.session(write=True) as session, pytest.raises(ValueError):
        enqueue(session, "os.system", {})


def test_unique_key_and_order_key(site: Site) -> None:
    with site.session(write=True) as session:
        assert enqueue(session, "test_note", {"value": 1}, unique_key="a", order_key="k")
        assert enqueue(session, "test_note", {"value": 2}, unique_key="a") is None
        assert enqueue(session, "test_note", {"value": 3}, order_key="k")
    first = claim(site, "one")
    assert first is not None
    assert claim(site, "two") is None  # the same order key is running
    Worker(site, "one")._run(first)
    Worker(site).run_all()
    assert TRACE == [1, 3]


def test_run_at_waits(site: Site, clock: FakeClock) -> None:
    with site.session(write=True) as session:
        enqueue(session, "test_note", {"value": 1}, run_at=session.now.replace(year=session.now.year + 1))
    assert Worker(site).run_all() == 0
    clock.advance(days=370)
    assert Worker(site).run_all() == 1


def test_failure_is_retried_then_parked(site: Site, clock: FakeClock) -> None:
    with site.session(write=True) as session:
        job_id = enqueue(session, "test_fail")
    for _ in range(5):
        Worker(site).run_all()
        clock.advance(hours=2)
    assert states(site) == [("test_fail", "parked", 3)]
    with site.session(write=True) as session:
        days = session.table("calendar_day")
        assert session.connection.scalar(sa.select(sa.func.count()).select_from(days)) == 0
        assert job_id is not None
        assert retry(session, job_id)
    assert states(site) == [("test_fail", "waiting", 0)]


@pytest.mark.promise("P04")
def test_lost_lease_is_taken_up_and_the_zombie_commits_nothing(site: Site, clock: FakeClock) -> None:
    with site.session(write=True) as session:
        enqueue(session, "test_steps")
    zombie = claim(site, "zombie")
    assert zombie is not None
    assert Worker(site).run_all() == 0
    clock.advance(seconds=61)
    assert Worker(site, "heir").run_all() == 1
    with pytest.raises(LeaseLost), JobContext(site, zombie).transaction() as session:
        day(session, 20)
    with site.session(write=True) as session:
        assert not still_ours(session, zombie)
        days = session.table("calendar_day")
        assert session.connection.scalar(sa.select(sa.func.count()).select_from(days)) == 5


def test_long_job_goes_on_from_its_note(site: Site, clock: FakeClock) -> None:
    with site.session(write=True) as session:
        enqueue(session, "test_steps", {"stop": 2})
    Worker(site).run_all()
    assert TRACE == [0, 1, 2]
    clock.advance(minutes=5)
    Worker(site).run_all()
    assert TRACE == [0, 1, 2, 3, 4]
    assert states(site) == [("test_steps", "done", 2)]


def test_heartbeat_extends_the_lease(site: Site, clock: FakeClock) -> None:
    with site.session(write=True) as session:
        enqueue(session, "test_steps")
    claimed = claim(site, "one")
    assert claimed is not None
    clock.advance(seconds=50)
    extend(site, claimed)
    clock.advance(seconds=50)
    assert claim(site, "two") is None


def test_many_workers_do_each_job_once(site: Site) -> None:
    with site.session(write=True) as session:
        for number in range(40):
            enqueue(session, "test_note", {"value": number})
    barrier = Barrier(4)

    def work() -> None:
        barrier.wait()
        Worker(site).run_all()

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    Worker(site).run_all()
    assert sorted(TRACE) == list(range(40))
