"""Many people at once for a while: how long pages and saves take, and whether the servers grow.

Everybody is signed in by a session of his own and thinks between two clicks. What the servers hold (memory, descriptors,
threads, the write-ahead log, temporary files) is sampled all the while.
"""

from __future__ import annotations

import contextlib
import os
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.bench import data
from tests.bench.client import Browser, Caller, Request, form_body, p50, p99
from tests.bench.run import Arena, Options, arena, machine, values_of
from tests.bench.servers import octavo_server

SAMPLES = 60  # looks at the servers in all
SETTLED = 0.3  # of the time until caches are full; growth is counted from there


@dataclass(slots=True, kw_only=True)
class Load:
    users: int = 50
    seconds: int = 1800
    think: float = 1.0  # seconds between two clicks, on average


@dataclass(slots=True)
class Seen:
    """What all clients saw; lists only grow, so that threads may share them."""

    pages: list[float] = field(default_factory=list)
    saves: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)


def load_figures(options: Options, load: Load) -> dict[str, Any]:
    """The figures, JSON-ready."""
    with arena(options) as a, octavo_server(a.folder / "site", options.workers, a.folder) as (port, process):
        options.say(f"{load.users} people for {load.seconds} s")
        seen, gate, stop = Seen(), threading.Barrier(load.users + 1), threading.Event()
        people = [
            threading.Thread(target=_person, args=(a, port, options.records, load, number, seen, gate, stop))
            for number in range(load.users)
        ]
        for person in people:
            person.start()
        gate.wait()  # signing in costs on purpose; the time begins when everybody is in
        samples = _watch(process.pid, a.folder, load.seconds)
        stop.set()
        for person in people:
            person.join()
    return {
        "machine": machine(options) | {"users": load.users, "seconds": load.seconds},
        "figures": _figures(seen, samples),
    }


def _person(
    a: Arena,
    port: int,
    records: int,
    load: Load,
    number: int,
    seen: Seen,
    gate: threading.Barrier,
    stop: threading.Event,
) -> None:
    dice = random.Random(number)
    try:
        browser = Browser(port)
        browser.get("/sign-in")
        browser.post("/sign-in", {"login": a.login, "password": a.password})
        browser.get("/e/bench_customer/new")
        page = {"Cookie": browser.cookie, "Accept-Encoding": "gzip"}
    except Exception as error:
        seen.failures[f"sign-in: {error}"[:200]] += 1
        return
    finally:
        gate.wait()
    form = page | {"Content-Type": "application/x-www-form-urlencoded"}

    def save(n: int) -> Request:
        values: Callable[[int], dict[str, str]] = lambda m: values_of(m) | {"csrf_token": browser.csrf}  # noqa: E731
        return Request(
            path="/e/bench_customer/new", method="POST", headers=form, body=form_body(values), expect=(302, 303)
        )

    def look(_n: int) -> Request:
        one = dice.randrange(records) + 1
        path = dice.choice(
            (
                "/e/bench_customer",
                f"/e/bench_customer?f.kind=company&page={dice.randrange(1, 20)}",
                f"/e/bench_customer?q={quote(dice.choice(data.FIRST))}",
                f"/e/bench_customer/{one}",
                f"/e/bench_customer/{one}/edit",
            )
        )
        return Request(path=path, headers=page)

    count = 0
    call = Caller(port)
    try:
        while not stop.wait(dice.expovariate(1 / load.think)):
            count += 1
            saving = dice.random() < 0.1
            request = save(count) if saving else look(count)
            try:
                took = call(request, 10_000_000 + number * 100_000 + count)
            except Exception as error:
                seen.failures[f"{request.method}: {type(error).__name__} {error}"[:200]] += 1
                call.connection.close()
                call = Caller(port)
            else:
                (seen.saves if saving else seen.pages).append(took)
    finally:
        call.connection.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    memory: float  # MiB, of all processes
    descriptors: int
    threads: int
    log: float  # MiB of the write-ahead log
    temporary: int  # files


def _watch(pid: int, folder: Path, seconds: int) -> list[Sample]:
    samples, ends = [], time.monotonic() + seconds
    while time.monotonic() < ends:
        time.sleep(min(seconds / SAMPLES, max(ends - time.monotonic(), 0)))
        samples.append(_sample(pid, folder))
    return samples


def _sample(pid: int, folder: Path) -> Sample:
    memory, descriptors, threads = 0, 0, 0
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            status = dict(line.split(":", 1) for line in (entry / "status").read_text().splitlines() if ":" in line)
            if int(entry.name) == pid or int(status["PPid"]) == pid:
                memory += int(status["VmRSS"].split()[0])
                threads += int(status["Threads"])
                descriptors += len(os.listdir(entry / "fd"))
    log = folder / "site" / "octavo.db-wal"
    return Sample(
        memory=memory / 1024,
        descriptors=descriptors,
        threads=threads,
        log=log.stat().st_size / 2**20 if log.is_file() else 0.0,
        temporary=sum(1 for _ in Path(tempfile.gettempdir()).glob("octavo-*")),
    )


def _figures(seen: Seen, samples: list[Sample]) -> dict[str, dict[str, Any]]:
    settled = samples[int(len(samples) * SETTLED) :] or samples
    quarter = max(len(settled) // 4, 1)

    def mean(part: list[Sample], name: str) -> float:
        return sum(getattr(s, name) for s in part) / len(part)

    grown = {
        name: (mean(settled[:quarter], name), mean(settled[-quarter:], name))
        for name in ("memory", "descriptors", "threads", "temporary")
    }
    figures: dict[str, dict[str, Any]] = {
        "requests": {"octavo": len(seen.pages) + len(seen.saves)},
        "failures": {"octavo": sum(seen.failures.values()), "reach": 0, "which": dict(seen.failures)},
        "pages p50, ms": {"octavo": _ms(seen.pages, p50), "reach": 100},
        "pages p99, ms": {"octavo": _ms(seen.pages, p99), "reach": 500},
        "saves p99, ms": {"octavo": _ms(seen.saves, p99), "reach": 1000},
        "memory grown, %": {
            "octavo": round((grown["memory"][1] / grown["memory"][0] - 1) * 100, 1),
            "reach": 5,
            "MiB": round(grown["memory"][1], 1),
        },
        "write-ahead log at most, MiB": {"octavo": round(max(s.log for s in samples), 1), "reach": 64},
    }
    for name in ("descriptors", "threads", "temporary"):
        before, after = grown[name]
        figures[f"{name} grown"] = {"octavo": round(after - before, 1), "reach": 0, "at the end": round(after)}
    return figures


def _ms(seconds: list[float], of: Callable[[list[float]], float]) -> float | None:
    return round(of(seconds) * 1000, 1) if seconds else None
