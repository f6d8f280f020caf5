"""Files: whose they are, what they are called, how they are given out, and what lies in the storage."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import pytest
import sqlalchemy as sa

from runtime import records
from runtime.archives import check_members
from runtime.backup import backup
from runtime.commands import packages
from runtime.errors import Answer, Conflict, NotFound, Refused, WrongMedia
from runtime.exchange.state import JOB
from runtime.exchange.undo import WITHIN
from runtime.files import open_file, storage_of
from runtime.files.storage import path_of
from runtime.jobs.registry import jobs, schedules
from runtime.restore import restore
from runtime.settings import new_secret, write_settings
from tests.attacks.conftest import CANARY, PNG, Arena
from tests.records.world import open_site

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'


def attached(arena: Arena, owner: str, data: bytes, name: str = "paper.pdf") -> tuple[int, int]:
    """(record, file) of a file that a record has taken."""
    number = arena.upload(owner, name, data)
    return arena.create(owner, name=f"holder of {name}"[:90], paper=number), number


@pytest.mark.attack("N06", "N07", "N03", "N14")
def test_a_file_follows_its_record(arena: Arena) -> None:
    record, number = attached(arena, "alice", b"%PDF-1.4 " + CANARY.encode())
    alice, bob, nobody = arena.person("alice"), arena.person("bob"), arena.person(None)
    given = alice.page("GET", f"/files/{number}")
    assert CANARY.encode() in given.data
    assert given.headers["Cache-Control"] == "no-store"
    assert nobody.page("GET", f"/files/{number}").status_code == 303
    one = arena.refused(lambda: bob.page("GET", f"/files/{number}"), 404)
    missing = bob.page("GET", "/files/987654")
    assert one.status_code == missing.status_code
    assert len(one.text.replace(f"/files/{number}", "")) == len(missing.text.replace("/files/987654", ""))
    bob.page("GET", "/")
    for method, path, body in (
        ("POST", "/account", {"name": "clone", "paper": str(number)}),
        ("PATCH", f"/file/{number}", {"name": "renamed.html"}),
        ("DELETE", f"/file/{number}", None),
        ("GET", f"/file/{number}", None),
    ):
        arena.refused(lambda m=method, p=path, b=body: bob.api(m, p, b))
    with arena.site.session(write=True) as session:  # handed over: the file goes along, at once
        records.update(session, "account", record, {"owner": arena.ids["bob"]})
    assert bob.page("GET", f"/files/{number}").status_code == 200
    assert alice.page("GET", f"/files/{number}").status_code == 404
    with arena.site.session(write=True) as session:
        records.delete(session, "account", record)
    assert bob.page("GET", f"/files/{number}").status_code == 404


@pytest.mark.attack("N60", "N66")
@pytest.mark.parametrize(
    ("name", "data"),
    [("a.svg", SVG), ("a.html", b"<script>alert(1)</script>"), ("a.xhtml", b"<html/>"), ("a.xml", b"<?xml version='1.0'?><a/>"),
     ("a.HtMl", b"<b>"), ("a.png.html", b"<b>"), ("a.html.", b"<b>"), ("a.pdf", b"%PDF-1.4 /JS (app.alert(1))"), ("a.js", b"alert(1)"),
     ("a.txt", b"<script>alert(1)</script>"), ("a.png", SVG), ("logo.png", b"<script>"), ("a.php", b"<?php"), ("a.exe", b"MZ")],
)  # fmt: skip
def test_whatever_it_is_it_leaves_as_a_download(arena: Arena, name: str, data: bytes) -> None:
    try:
        number = arena.upload("boss", name, data)
    except (WrongMedia, Refused):
        return
    answer = arena.person("boss").page("GET", f"/files/{number}")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert answer.mimetype == "application/octet-stream"
    arena.refused(
        lambda: arena.person("boss").api("PATCH", f"/file/{number}", {"media": "text/html", "name": "x.html"})
    )


@pytest.mark.attack("N65", "N61")
@pytest.mark.parametrize("name", ["../../canary", "..\\..\\canary", "/etc/passwd", "%2e%2e%2fcanary", "\\\\host\\share\\x", "a\x00.png", "C:\\x",
                                  ".htaccess", "CON", '"><img src=x onerror=alert(1)>.txt', "a\r\nX-Bad: 1.txt", "\u202egnp.exe.txt", "长" * 300])  # fmt: skip
def test_a_name_chooses_no_place_and_no_header(arena: Arena, name: str) -> None:
    root = Path(arena.site.settings.folder)
    before = {p for p in root.parent.rglob("*") if "files" not in p.parts}
    data = PNG + name.encode("utf-8", "replace") if "png" in name else b"plain text of %d letters" % len(name)
    number = arena.upload("boss", name, data)
    answer = arena.person("boss").page("GET", f"/files/{number}")
    assert answer.status_code == 200
    assert "X-Bad" not in answer.headers
    shown = answer.headers["Content-Disposition"]
    assert not {"\r", "\n", "<", "\\", "/"} & set(shown.replace("UTF-8''", ""))
    assert {p for p in root.parent.rglob("*") if "files" not in p.parts} <= before | set(root.glob("octavo.db*"))
    for stored in (root / "files").rglob("*"):
        assert not stored.is_file() or len(stored.name) in (32, 64)  # digests, never names


@pytest.mark.attack("N65")
@pytest.mark.parametrize(
    "digest", ["../../octavo.db", "a" * 63, "A" * 64, "a" * 64 + "\n", "", "..", "/etc/passwd", "a" * 62 + "/."]
)
def test_the_storage_opens_digests_alone(arena: Arena, digest: str) -> None:
    with pytest.raises(NotFound):
        path_of(digest)
    with pytest.raises(NotFound):
        storage_of(arena.site).open(digest)


@pytest.mark.promise("P21")
@pytest.mark.attack("N03")
def test_a_file_with_a_flipped_byte_is_not_given_out(arena: Arena, caplog: pytest.LogCaptureFixture) -> None:
    _, number = attached(arena, "alice", b"%PDF-1.4 the original content", "whole.pdf")
    with arena.site.session() as session:
        digest = open_file(session, number).digest
    path = Path(arena.site.settings.folder) / "files" / path_of(digest)
    data = bytearray(path.read_bytes())
    data[7] ^= 1
    path.write_bytes(bytes(data))
    answer = arena.refused(lambda: arena.person("alice").page("GET", f"/files/{number}"), 409)
    assert "original" not in answer.text
    assert digest in caplog.text
    with pytest.raises(Conflict), storage_of(arena.site).local(digest):
        pass
    data[7] ^= 1
    path.write_bytes(bytes(data))
    assert arena.person("alice").page("GET", f"/files/{number}").status_code == 200


@pytest.mark.attack("N62", "N64", "N98")
def test_an_import_of_nonsense_is_refused_and_leaves_nothing(arena: Arena) -> None:
    boss = arena.person("boss")
    boss.page("GET", "/e/account/import")
    for name, data in (
        ("a.xlsx", b"PK\x03\x04 no zip"),
        ("a.csv", b"\x00\x01\x02" * 50),
        ("a.csv", b""),
        ("a.exe", b"MZ"),
    ):
        sent = {"file": (io.BytesIO(data), name)}
        answer = boss.page("POST", "/e/account/import", sent, content_type="multipart/form-data")
        assert answer.status_code in (409, 413, 415, 422), (name, answer.status_code)
    with arena.site.session() as session:
        assert session.connection.scalar(sa.text("SELECT count(*) FROM account WHERE name LIKE '%PK%'")) == 0


# --- archives -------------------------------------------------------------------------------------------------------

PACKAGE = "package: evil\nlabel: {zh: 恶, en: Evil}\nversion: 0.1.0\n"


def link(name: str) -> zipfile.ZipInfo:
    found = zipfile.ZipInfo(name)
    found.external_attr = 0o120777 << 16
    return found


def archive(path: Path, *members: tuple[Any, Any]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members:
            made.writestr(name, data)
    return path


OUTSIDE = Path(gettempdir()) / "octavo-evil.yaml"  # where an absolute name in an archive would lead
BAD = {
    "climbs": [("../evil.yaml", "x")],
    "climbs inside": [("a/../../evil.yaml", "x")],
    "absolute": [(str(OUTSIDE), "x")],
    "backslash": [("..\\evil.yaml", "x")],
    "drive": [("C:/evil.yaml", "x")],
    "link": [(link("entities"), "/etc")],
    "case twin": [("entities/a.yaml", "entity: a"), ("Entities/A.yaml", "entity: b")],
    "swells": [("data/zeros.yaml", "0" * 5_000_000)],
    "many": [(f"data/{i}.txt", "") for i in range(10_001)],
}


@pytest.mark.attack("N67", "T25")
@pytest.mark.parametrize("kind", BAD)
def test_a_bad_package_is_refused_whole_and_its_entry_named(tmp_path: Path, kind: str) -> None:
    file = archive(tmp_path / "p.zip", ("package.yaml", PACKAGE), *BAD[kind])
    before = set(tmp_path.rglob("*"))
    with pytest.raises(Conflict) as refused, packages.unpacked(file):
        pass
    assert refused.value.code.startswith("archive.")
    assert refused.value.params.get("name") or refused.value.params.get("most")
    assert set(tmp_path.rglob("*")) == before
    assert not OUTSIDE.exists()


@pytest.mark.attack("N67", "N52")
def test_a_package_brings_no_code(tmp_path: Path) -> None:
    file = archive(tmp_path / "p.zip", ("package.yaml", PACKAGE), ("rules/functions/x.py", "import os"))
    with packages.unpacked(file) as folder, pytest.raises(Conflict) as refused:
        packages.package_in(folder)
    assert refused.value.code == "package.has_code"
    twice = zipfile.ZipFile(tmp_path / "twice.zip", "w")
    twice.writestr("a", "1")
    with twice, pytest.warns(UserWarning, match="Duplicate"):
        twice.writestr("a", "2")
    with zipfile.ZipFile(tmp_path / "twice.zip") as opened, pytest.raises(Conflict):
        check_members(opened)


@pytest.mark.attack("N68")
@pytest.mark.promise("P20")
def test_a_bad_backup_is_refused_and_the_site_stays(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    site = open_site("", folder)
    write_settings(replace(site.settings, secret_key=new_secret()))
    good = tmp_path / "good.zip"
    backup(site, good)
    site.close()
    whole = (folder / "octavo.db").read_bytes()
    with zipfile.ZipFile(good) as opened:
        parts = {name: opened.read(name) for name in opened.namelist()}
    damaged = bytearray(parts["database.sqlite"])
    damaged[4096:8192] = b"\xff" * 4096
    bad = [
        {**parts, "../evil": b"x"}, {**parts, str(OUTSIDE): b"x"}, {**parts, "files\\..\\x": b"x"},
        {**parts, "database.sqlite": bytes(damaged)}, {**parts, "database.sqlite": b"no database"}, {**parts, "database.sqlite": b""},
        {name: data for name, data in parts.items() if name != "octavo-backup.json"},
        {**parts, "octavo-backup.json": b'{"format": 1, "database": "../../x", "dialect": "sqlite"}'},
    ]  # fmt: skip
    for number, members in enumerate(bad):
        file = archive(tmp_path / f"bad{number}.zip", *members.items())
        with pytest.raises(Answer):
            restore(folder, file, replace_existing=True)
        assert (folder / "octavo.db").read_bytes() == whole
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_dir()) == ["site"]
    assert (good.stat().st_mode & 0o077) == 0
    restore(folder, good, replace_existing=True)


# --- sweeping -------------------------------------------------------------------------------------------------------


def test_the_night_forgets_uploads_and_what_undoing_needed(tmp_path: Path) -> None:
    from runtime.jobs import Worker, enqueue
    from runtime.schema.internal_exchange import import_row

    site = open_site(f"sqlite:///{tmp_path / 'o.db'}", tmp_path)
    names = {s.job for s in schedules(site.application())}
    assert {"housekeeping", "seal_audit", "sweep_files", "forget_imports", "seal_secrets"} <= names <= set(jobs())
    with site.session(write=True) as session:
        job, now = session.table(JOB), session.now
        stamps = {"created_at": now, "updated_at": now, "version": 1, "created_on": session.today}
        row = {"state": "done", **stamps}
        number = session.connection.execute(job.insert().values(row).returning(job.c.id)).scalar_one()
        kept = {"import_id": number, "row": 1, "record_id": 1, "version": 1}
        session.connection.execute(import_row.insert().values({k: v for k, v in kept.items() if k in import_row.c}))

    def left() -> int:
        with site.session() as session:
            return len(session.connection.execute(import_row.select()).all())

    for hours, expected in ((1, 1), (WITHIN.total_seconds() / 3600, 0)):
        site.clock.advance(hours=hours)  # type: ignore[attr-defined]
        with site.session(write=True) as session:
            for name in sorted(names):
                enqueue(session, name, {})
        Worker(site).run_all()
        assert left() == expected
    with site.session() as session:
        failed = session.connection.exec_driver_sql("SELECT name FROM job WHERE state NOT IN ('done')").all()
    assert failed == []
    site.close()
