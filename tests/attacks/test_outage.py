"""What the machine does to a site: a full disk, a stop in the middle, a page of the database turned over, twins."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from runtime import records
from runtime.commands.doctor import examine
from runtime.errors import Answer, DiskFull
from runtime.files.attachments import storage_of, upload
from runtime.security.tokens import create_token
from runtime.settings import new_secret, write_settings
from runtime.site import Site
from tests.attacks.conftest import Arena
from tests.records.world import add_user, open_site
from web.app import create_app

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("no file system can be mounted here: " + done.stderr.decode()[:80])
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def _fill(ballast: Path) -> None:
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(os.urandom(1 << 16))


@pytest.mark.promise("P08")
@pytest.mark.attack("T7")
def test_a_full_disk_is_told_and_heals_by_itself(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 8) as folder:
        site = open_site(f"sqlite:///{folder / 'octavo.db'}", folder)
        boss = add_user(site, "boss", "boss")
        with site.session(write=True) as session:
            token = create_token(session, boss, "t")
        client = create_app(site, testing=True).test_client()
        headers = {"Authorization": f"Bearer {token}"}
        assert client.get("/api/v1/me", headers=headers).status_code == 200
        saved = [client.post("/api/v1/account", json={"name": "before"}, headers=headers).json["id"]]
        ballast = folder / "ballast"
        _fill(ballast)
        statuses: set[int] = set()
        for number in range(40):
            answer = client.post(
                "/api/v1/account", json={"name": f"full {number}", "note": "x" * 20_000}, headers=headers
            )
            statuses.add(answer.status_code)
            if answer.status_code == 201:
                saved.append(answer.json["id"])
        assert 507 in statuses
        assert statuses <= {201, 507}
        with pytest.raises(DiskFull):
            storage_of(site).put(io.BytesIO(os.urandom(1 << 20)))
        assert client.get("/api/v1/account?limit=5", headers=headers).status_code == 200  # reading goes on
        ballast.unlink()
        answer = client.post("/api/v1/account", json={"name": "after"}, headers=headers)
        assert answer.status_code == 201
        saved.append(answer.json["id"])
        with site.session(boss, write=True) as session:
            assert upload(session, io.BytesIO(b"room again"), "a.txt")
        with site.session() as session:
            assert session.connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
            there = set(session.connection.exec_driver_sql("SELECT id FROM account").scalars())
        assert {int(i) for i in saved} == there  # what was acknowledged is there, and nothing else
        assert not list((folder / "files" / "incoming").glob("*"))
        site.close()


@pytest.mark.promise("P21")
def test_a_page_of_the_database_turned_over_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    site = open_site("", folder)
    with site.session(write=True) as session:
        records.create_many(session, "account", [{"name": f"n{i}", "note": "text " * 200} for i in range(200)])
    site.close()
    path = folder / "octavo.db"
    data = bytearray(path.read_bytes())
    middle = len(data) // 2 // 4096 * 4096
    data[middle : middle + 4096] = os.urandom(4096)
    path.write_bytes(bytes(data))
    site = Site(site.settings)
    try:
        found = {f.code: f.state for f in examine(site)}
        assert "error" in found.values()
    except Answer:
        pass
    finally:
        site.close()


def _port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.mark.promise("P22", "P03")
def test_a_stop_lets_the_requests_at_hand_end(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    site = open_site("", folder)
    site.settings = replace(site.settings, secret_key=new_secret())
    write_settings(site.settings)
    boss = add_user(site, "boss", "boss")
    with site.session(write=True) as session:
        token = create_token(session, boss, "t")
    site.close()
    port = _port()
    command = [sys.executable, "-m", "web.cli", "--site", str(folder), "serve", "--port", str(port), "--workers", "1"]
    server = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )
    try:
        _wait(port, server)
        acknowledged: list[int] = []
        broken: list[str] = []
        stop = threading.Event()

        def write(worker: int) -> None:
            number = 0
            while not stop.is_set():
                number += 1
                body = f'{{"name": "w{worker} {number}"}}'.encode()
                headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
                request = urllib.request.Request(
                    f"http://127.0.0.1:{port}/api/v1/account", body, headers, method="POST"
                )
                try:
                    with urllib.request.urlopen(request, timeout=20) as answer:
                        acknowledged.append(int(json.load(answer)["id"]))
                except urllib.error.HTTPError as error:
                    broken.append(str(error.code))
                except OSError:
                    return  # nobody listens any more

        with ThreadPoolExecutor(3) as pool:
            for worker in range(3):
                pool.submit(write, worker)
            time.sleep(1.5)
            began = time.monotonic()
            server.send_signal(signal.SIGTERM)
            server.wait(timeout=30)
            stop.set()
        assert time.monotonic() - began < 30
        assert broken == []
        assert acknowledged
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()
        if server.stderr:
            server.stderr.close()
    with Site(site.settings) as again, again.session() as session:
        there = set(session.connection.exec_driver_sql("SELECT id FROM account").scalars())
    assert set(acknowledged) <= there


def _wait(port: int, server: Any) -> None:
    for _ in range(200):
        assert server.poll() is None, server.stderr.read().decode()[-500:]
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server did not answer")


@pytest.mark.attack("N104", "N105", "T2", "T3")
def test_sixteen_at_once_get_sixteen_numbers_and_one_wins(arena: Arena) -> None:
    boss, shared = arena.person("boss"), arena.create("boss", name="contested")

    def create(n: int) -> tuple[int, Any]:
        answer = boss.api(
            "POST", "/account", {"name": f"at once {n}", "tax_no": "ONE-OF-THEM" if n % 2 else f"own {n}"}
        )
        return answer.status_code, answer.json.get("code")

    def move(_: int) -> int:
        return int(boss.api("PATCH", f"/account/{shared}", {"name": "mine"}, headers={"If-Match": '"1"'}).status_code)

    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(create, range(16)))
        moved = list(pool.map(move, range(16)))
    numbers = [number for status, number in made if status == 201]
    assert sorted(status for status, _ in made) == [201] * 9 + [422] * 7
    assert len(set(numbers)) == 9
    assert sorted(moved) == [200] + [412] * 15
    with arena.site.session() as session:
        codes = session.connection.scalars(sa.text("SELECT code FROM account WHERE name LIKE 'at once%'")).all()
    assert sorted(codes) == sorted(numbers)


@pytest.mark.attack("N98", "T18", "T21", "N03")
@pytest.mark.parametrize(
    "path",
    ["/account?limit=1000000000", "/account?limit=-1", "/account?page=99999999999", "/account?select=" + ",".join(["name"] * 2000),
     "/account?where=" + "not%20" * 900 + "active", "/account?where=" + "(" * 900, "/account?where=" + "%20or%20".join(["employees==1"] * 400),
     "/account?sort=" + ",".join(["name"] * 500)],
)  # fmt: skip
def test_a_costly_question_is_refused_at_once(arena: Arena, path: str) -> None:
    began = time.perf_counter()
    arena.refused(lambda: arena.person("boss").api("GET", path), 400, 413, 414, 422)
    assert time.perf_counter() - began < 5.0


@pytest.mark.attack("N98", "T21", "T18", "N03")
def test_a_costly_body_is_refused_at_once(arena: Arena) -> None:
    boss = arena.person("boss")
    boss.page("GET", "/")
    bodies = [
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b'{"name": NaN}',
        b'{"name": 1e999}',
        b'{"name": "a", "name": "b"}',
        b"9" * 100_000,
        b"",
    ]
    for body in bodies:
        began = time.perf_counter()
        arena.refused(
            lambda b=body: boss.api("POST", "/account", data=b, content_type="application/json"), 400, 413, 415, 422
        )
        assert time.perf_counter() - began < 5.0
    huge = {"Content-Length": "1000000000"}
    assert boss.api("POST", "/account", data=b"{", content_type="application/json", headers=huge).status_code in (
        400,
        413,
    )
    arena.refused(lambda: boss.page("POST", "/e/account/new", {f"f{i}": "x" for i in range(50_000)}), 413)
    arena.refused(lambda: boss.page("POST", "/e/account/new", {"note": "x" * 3_000_000}), 413)
    part = b'--b\r\nContent-Disposition: form-data; name="f"\r\n\r\nx\r\n'
    media = "multipart/form-data; boundary=b"
    arena.refused(lambda: boss.page("POST", "/e/account/new", part * 6_000 + b"--b--", content_type=media), 400, 413)
