"""Large imports as jobs: progress, cancelled and taken up again, killed and resumed, started by page and API."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from runtime.errors import Conflict, NotFound
from runtime.exchange import background, imports, state
from runtime.exchange.imports import Request, begin
from runtime.jobs import Worker
from runtime.security.sessions import set_password
from runtime.security.tokens import create_token
from runtime.site import Site
from tests.web.conftest import Browser
from web.api import PREFIX
from web.app import create_app

ROOT = Path(__file__).resolve().parents[2]
COUNT = 1200  # more than is done at once
BAD = (5, 700, 1199)
PASSWORD = "a password for tests"


def table(count: int = COUNT) -> bytes:
    text = io.StringIO()
    rows = [(f"企业{n}", f"c{n}", "many" if n in BAD else n) for n in range(count)]
    csv.writer(text).writerows([("name", "code", "staff"), *rows])
    return text.getvalue().encode()


def begun(site: Site, folder: Path, user: int = 1, **more: Any) -> int:
    path = folder / "firms.csv"
    path.write_bytes(table())
    with site.session(user, write=True, channel="import") as session:
        return begin(session, "firm", path, "firms.csv", Request(match=("code",), **more))


def started(site: Site, import_id: int, user: int = 1) -> None:
    with site.session(user, write=True) as session:
        background.start(session, import_id, "en")


def seen(site: Site, import_id: int, user: int = 1) -> state.Status:
    with site.session(user) as session:
        return state.status(session, import_id)


def firms(site: Site) -> int:
    with site.session() as session:
        return int(session.connection.scalar(sa.select(sa.func.count()).select_from(session.table("firm"))) or 0)


@pytest.mark.promise("P16")
def test_runs_in_the_background_once(site: Site, tmp_path: Path) -> None:
    number = begun(site, tmp_path)
    started(site, number)
    started(site, number)
    assert (seen(site, number).state, firms(site)) == ("waiting", 0)
    Worker(site).run_all()
    done = seen(site, number)
    assert (done.state, done.done, done.created, done.rejected) == ("done", COUNT, COUNT - len(BAD), len(BAD))
    assert done.rejects is not None
    assert firms(site) == COUNT - len(BAD)
    started(site, begun(site, tmp_path))  # the same file again: nothing twice
    Worker(site).run_all()
    assert firms(site) == COUNT - len(BAD)
    with site.session(2) as session, pytest.raises(NotFound):
        state.status(session, number)


def test_a_dry_run_plans_what_the_run_does(site: Site, tmp_path: Path) -> None:
    dry = begun(site, tmp_path, dry_run=True)
    started(site, dry)
    Worker(site).run_all()
    assert firms(site) == 0
    real = begun(site, tmp_path)
    started(site, real)
    Worker(site).run_all()
    planned, done = seen(site, dry), seen(site, real)
    figures = ("total", "done", "created", "updated", "same", "rejected")
    assert [getattr(planned, f) for f in figures] == [getattr(done, f) for f in figures]


def test_cancelled_it_stops_and_goes_on_when_started_again(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "BATCH", 200)
    monkeypatch.setattr(background, "LOOK_SECONDS", 0)
    number = begun(site, tmp_path)
    started(site, number)
    save, calls = state.save_batch, []

    def cancels(session: Any, *arguments: Any, **more: Any) -> None:
        save(session, *arguments, **more)
        calls.append(1)
        if len(calls) == 2:
            session.after_commit(lambda: _cancel(site, number))

    monkeypatch.setattr(state, "save_batch", cancels)
    Worker(site).run_all()
    stopped = seen(site, number)
    assert (stopped.state, stopped.done, stopped.over) == ("cancelled", 400, True)
    assert firms(site) == 400 - 1
    Worker(site).run_all()
    assert seen(site, number).done == 400
    started(site, number)
    Worker(site).run_all()
    assert (seen(site, number).state, firms(site)) == ("done", COUNT - len(BAD))
    with site.session(1, write=True) as session, pytest.raises(Conflict):
        background.cancel(session, number)


def _cancel(site: Site, number: int) -> None:
    with site.session(1, write=True) as session:
        background.cancel(session, number)


def test_what_refuses_the_whole_is_told(site: Site, tmp_path: Path) -> None:
    number = begun(site, tmp_path)
    with site.session(write=True) as session:
        user = session.table("user")
        session.connection.execute(sa.update(user).where(user.c.id == 1).values(status="left"))
    site.forget_people()
    with site.session(write=True) as session:
        background.start(session, number, "en")
    Worker(site).run_all()
    with site.session() as session:
        parked = state.status(session, number)
    assert parked.state == "parked"
    assert parked.problem
    assert firms(site) == 0


KILLED = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from runtime.clock import FakeClock
from runtime.exchange import imports, state
from runtime.jobs import Worker
from runtime.settings import Settings
from runtime.site import Site

imports.BATCH = 200
left = int(sys.argv[4])
save = state.save_batch

def counted(*arguments, **more):
    global left
    left -= 1
    save(*arguments, **more)
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

state.save_batch = counted
Worker(Site(Settings(folder=Path(sys.argv[1]), database_url=sys.argv[2], secret_key=sys.argv[3]), FakeClock())).run_all()
"""


@pytest.mark.promise("P01", "P04", "P16")
def test_killed_in_the_middle_it_goes_on(site: Site, tmp_path: Path) -> None:
    number = begun(site, tmp_path)
    started(site, number)
    settings = site.settings
    arguments = [str(settings.folder), settings.url, settings.secret_key, "3"]
    done = subprocess.run([sys.executable, "-c", KILLED, *arguments], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == -9, done.stderr.decode()
    assert (seen(site, number).state, seen(site, number).done) == ("running", 400)  # the third batch went back
    site.clock.advance(seconds=settings.job_lease_seconds + 1)  # type: ignore[attr-defined]
    Worker(site).run_all()
    assert (seen(site, number).state, firms(site)) == ("done", COUNT - len(BAD))


def test_by_page_and_api(site: Site, tmp_path: Path) -> None:
    app = create_app(site, testing=True)
    with site.session(write=True) as session:
        set_password(session, 1, PASSWORD)
        token = create_token(session, 1, "t")
    headers = {"Authorization": f"Bearer {token}"}
    client = app.test_client()

    def call(method: str, path: str, **more: Any) -> Any:
        return client.open(f"{PREFIX}{path}", method=method, headers=headers, **more)

    form = {"file": (io.BytesIO(table()), "firms.csv"), "entity": "firm", "match": "code"}
    made = call("POST", "/imports", data=form, content_type="multipart/form-data")
    assert made.status_code == 201
    number = made.json["id"]
    answer = call("POST", f"/imports/{number}/run")
    assert (answer.status_code, answer.json["state"]) == (202, "waiting")
    assert call("POST", f"/imports/{number}/cancel").json["state"] == "cancelled"
    Worker(site).run_all()
    assert (call("GET", f"/imports/{number}").json["state"], firms(site)) == ("cancelled", 0)
    call("POST", f"/imports/{number}/run")
    Worker(site).run_all()
    done = call("GET", f"/imports/{number}").json
    assert (done["state"], done["done"], done["rejected"]) == ("done", COUNT, len(BAD))
    assert call("POST", f"/imports/{number}/cancel").status_code == 409

    browser = Browser(app.test_client())
    browser.sign_in("alice", PASSWORD)
    upload = browser.post("/e/firm/import", {"file": (io.BytesIO(table(1100)), "more.csv")})
    address = upload.headers["Location"]
    browser.get(address)
    chosen = {"header": ["name", "code", "staff"], "target": ["name", "code", "staff"], "match": "code", "run": "real"}
    page = browser.get(browser.post(address, chosen).headers["Location"])
    assert "hx-get" in page.text
    assert "0 / 1,100" in page.text
    where = page.request.path
    Worker(site).run_all()
    part = browser.get(where, headers={"HX-Request": "true"})
    assert "1,100 / 1,100" in part.text
    assert "hx-trigger" not in part.text
    assert "/files/" in part.text
    assert browser.post(f"{where}/cancel").status_code == 409
