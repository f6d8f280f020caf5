"""Who writes to SQLite one transaction after the other lets others have a turn."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from runtime import database
from tests.databases import sqlite_url
from tests.records.world import open_site


class Clock:
    """Stands in for the time module: it goes on only when told, and sleeping is noted."""

    def __init__(self) -> None:
        self.now, self.slept = 100.0, [0.0]

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_a_long_run_of_transactions_pauses_and_a_short_one_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    with open_site(sqlite_url(tmp_path), tmp_path) as site:
        monkeypatch.setattr(database, "time", clock)
        monkeypatch.setattr(database, "_turn", database._Turn())  # nothing of what this thread wrote before

        def write(seconds: float) -> None:
            with site.session(write=True):
                clock.now += seconds

        for _ in range(7):
            write(0.5)
        assert clock.slept == [0.0]
        write(0.5)  # three seconds are over: the others first
        assert len(clock.slept) == 2
        clock.now += 1  # somebody had a turn meanwhile anyway
        for _ in range(4):
            write(0.5)
        assert len(clock.slept) == 2


def test_somebody_who_saves_is_not_kept_out_until_a_long_run_ends(tmp_path: Path) -> None:
    saved, stop = threading.Event(), threading.Event()
    with open_site(sqlite_url(tmp_path), tmp_path) as site:

        def run() -> None:
            while not stop.is_set():
                with site.session(write=True):
                    stop.wait(0.05)

        def save() -> None:
            with site.session(write=True):
                saved.set()

        long_run, person = threading.Thread(target=run), threading.Thread(target=save)
        long_run.start()
        person.start()
        try:
            assert saved.wait(site.settings.busy_timeout_seconds + 5)
        finally:
            stop.set()
            long_run.join()
            person.join()
