"""Power cuts on SQLite: of what was not synced yet, any part may be on the disk; nothing acknowledged is lost.

The files are copied before and after each save. What the save wrote to the log before it was acknowledged is exactly
what differs: a cut keeps none of it, its beginning, some of its sectors, or sectors torn in the middle. A checkpoint
writes the database after the log was synced: its cut keeps some of the new sectors of the database beside the whole log.
On PostgreSQL the server's own log does this work; there the kills of the server are tested.
"""

from __future__ import annotations

import os
import random
import sqlite3
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from runtime import records
from runtime.site import Site
from tests.records.world import open_site

CUTS = int(os.environ.get("OCTAVO_CUTS", "150"))
SAVES = 120
SECTOR = 512
HEADER = 32  # of the log; SQLite syncs a new one before the frames behind it
LINES = 3


@dataclass(frozen=True)
class Moment:
    """The bytes of the two files when `acknowledged` deals had been saved."""

    acknowledged: int
    database: bytes
    log: bytes


@pytest.fixture(scope="module")
def moments(tmp_path_factory: pytest.TempPathFactory) -> list[Moment]:
    folder = tmp_path_factory.mktemp("power")
    site = open_site(f"sqlite:///{folder / 'octavo.db'}", folder)
    found = [_moment(folder, 0)]
    with site.engine.connect():  # the last connection to close would empty the log
        with site.session(write=True) as session:
            records.create(session, "account", {"name": "the one"})
        found = [_moment(folder, 0)]
        for number in range(SAVES):
            _save(site, number)
            found.append(_moment(folder, number + 1))
    site.close()
    return found


def _save(site: Site, number: int) -> None:
    lines = [{"item": f"i{line}", "quantity": line + 1, "price": 10} for line in range(LINES)]
    with site.session(write=True) as session:
        records.create(session, "deal", {"name": f"deal {number}", "account": 1, "lines": lines})


def _moment(folder: Path, acknowledged: int) -> Moment:
    log = folder / "octavo.db-wal"
    return Moment(acknowledged, (folder / "octavo.db").read_bytes(), log.read_bytes() if log.exists() else b"")


def torn(before: bytes, after: bytes, start: int, dice: random.Random) -> bytes:
    """`before` with a part of what `after` has from byte `start` on."""
    size = max(len(before), len(after))
    old = bytearray(before.ljust(size, b"\x00"))
    new = after.ljust(size, b"\x00")
    how = dice.choice(("none", "beginning", "sectors", "torn"))
    last = start if how == "none" else size
    if how == "beginning":
        last = dice.randint(start, size)
    for first in range(start - start % SECTOR, last, SECTOR):
        begin, end = max(first, start), min(first + SECTOR, last)
        if how in ("sectors", "torn") and dice.random() < 0.5:
            continue
        if how == "torn" and dice.random() < 0.2:
            end = dice.randint(begin, end)
        old[begin:end] = new[begin:end]
    return bytes(old)


def differs_from(before: bytes, after: bytes) -> int:
    """The first byte that differs."""
    low, high = 0, min(len(before), len(after))  # equal below `low`; a difference below `high`, or none
    while low < high:
        middle = (low + high + 1) // 2
        if before[low:middle] == after[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def cut(before: Moment, after: Moment, dice: random.Random) -> tuple[bytes, bytes]:
    """Database and log as a cut between the two moments may leave them."""
    if before.database != after.database and dice.random() < 0.5:  # while the checkpoint wrote
        return torn(before.database, after.database, 0, dice), after.log
    start = differs_from(before.log, after.log)
    if start >= HEADER:
        return before.database, torn(before.log, after.log, start, dice)
    if dice.random() < 0.2:
        return before.database, before.log
    began = after.log[:HEADER] + before.log[HEADER:]  # the log starts anew
    return before.database, torn(began, after.log, HEADER, dice)


def lost(folder: Path, database: bytes, log: bytes, acknowledged: int) -> list[str]:
    """What is wrong after the power is back."""
    path = folder / "cut.db"
    path.write_bytes(database)
    (folder / "cut.db-wal").write_bytes(log)
    (folder / "cut.db-shm").unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    try:
        return list(_wrong(connection, acknowledged))
    except sqlite3.DatabaseError as error:
        return [str(error)]
    finally:
        connection.close()


def _wrong(connection: sqlite3.Connection, acknowledged: int) -> list[str]:
    wrong: list[str] = []

    def one(statement: str) -> list[tuple[object, ...]]:
        return connection.execute(statement).fetchall()

    if one("PRAGMA integrity_check") != [("ok",)]:
        wrong.append("integrity")
    if one("PRAGMA foreign_key_check"):
        wrong.append("references")
    names = {str(name) for (name,) in one("SELECT name FROM deal")}
    if len(names) not in (acknowledged, acknowledged + 1):
        wrong.append(f"{len(names)} deals, {acknowledged} acknowledged")
    if not {f"deal {n}" for n in range(acknowledged)} <= names:
        wrong.append("an acknowledged deal is lost")
    half = one(f"SELECT deal FROM deal_line GROUP BY deal HAVING count(*) <> {LINES}")
    if half or one("SELECT count(DISTINCT deal) FROM deal_line") != [(len(names),)]:
        wrong.append("half a deal")
    if one("SELECT coalesce(deal_count, 0) FROM account") != [(len(names),)]:
        wrong.append("the roll-up is not that of its deals")
    if one("SELECT count(*) FROM audit WHERE entity = 'deal'") != [(len(names),)]:
        wrong.append("a change without its audit")
    return wrong


@pytest.mark.promise("P02", "P03")
def test_no_power_cut_loses_what_was_acknowledged(moments: list[Moment], tmp_path: Path) -> None:
    dice = random.Random(2026)
    found = []
    for number in range(CUTS):
        at = dice.randrange(1, len(moments))
        before, after = moments[at - 1], moments[at]
        wrong = lost(tmp_path, *cut(before, after, dice), before.acknowledged)
        if wrong:
            found.append((number, at, wrong))
    assert not found, (len(found), found[:5])
    assert any(b.database != a.database for b, a in pairwise(moments))  # checkpoints were among them


@pytest.mark.promise("P02")
def test_the_judge_finds_a_log_that_was_not_synced(moments: list[Moment], tmp_path: Path) -> None:
    """As it would be without syncing each commit: the log of some saves ago beside the database."""
    same = [
        (b, a)
        for b, a in zip(moments, moments[4:])
        if b.database == a.database and differs_from(b.log, a.log) >= HEADER
    ]
    assert same
    for before, after in same[::10]:
        assert lost(tmp_path, before.database, before.log, after.acknowledged)
