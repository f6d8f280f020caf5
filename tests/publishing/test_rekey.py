"""Going over to another secret key, also broken off: what is sealed can be read at every moment."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from runtime.clock import FakeClock
from runtime.errors import Conflict
from runtime.publishing.publish import publish
from runtime.schema.internal import session as session_table
from runtime.schema.internal import token as token_table
from runtime.security import secrets
from runtime.security.rekey import rekey
from runtime.security.secrets import reveal, seal
from runtime.security.tokens import create_token
from runtime.settings import Settings, load_settings, new_secret, read_config, write_settings
from runtime.site import Site
from tests.publishing.conftest import BASE, add, column, layer

ROOT = Path(__file__).resolve().parents[2]
TEXT = BASE.replace("  employees: integer\n", "  employees: integer\n  code: secret\n  former: secret\n")
RETIRED = TEXT.replace("  former: secret\n", "")
COUNT = 30


@pytest.fixture
def folder(database_url: str, tmp_path: Path) -> Path:
    """A site with sealed values, some of them in a field that was retired since."""
    place = tmp_path / "site"
    place.mkdir()
    address = "" if database_url.startswith("sqlite") else database_url
    write_settings(Settings(folder=place, secret_key=new_secret(), database_url=address))
    with opened(place) as site:
        publish(site, [layer(TEXT)])
        for number in range(COUNT):
            add(site, "customer", name=f"客户{number}", code=seal(site, f"code {number}"), former=seal(site, "gone"))
        publish(site, [layer(RETIRED)], accept=True)
    return place


def opened(folder: Path) -> Site:
    return Site(replace(load_settings(folder, {}), sqlite_synchronous="OFF"), FakeClock())


def key(folder: Path, name: str = "secret_key") -> str:
    return str(read_config(folder / "config.yaml").get(name) or "")


def readable(folder: Path) -> None:
    with opened(folder) as site:
        texts = [reveal(site, value) for value in column(site, "customer", "code").values()]
        assert sorted(texts) == sorted(f"code {n}" for n in range(COUNT))
        with site.session() as session:
            name = session.connection.exec_driver_sql(
                "SELECT column_name FROM octavo_element WHERE field = 'former' AND entity = 'customer'"
            ).scalar_one()
            old = session.connection.exec_driver_sql(f'SELECT "{name}" FROM customer').scalars().all()
        assert {reveal(site, value) for value in old} == {"gone"}


def test_a_new_key_seals_anew_and_the_old_one_leaves(folder: Path) -> None:
    before = key(folder)
    done = rekey(folder, environment={})
    assert (done.resealed, done.unreadable, done.finished) == (2 * COUNT, 0, False)
    assert key(folder) != before
    assert key(folder, "secret_key_before") == before
    readable(folder)
    with Site(replace(load_settings(folder, {}), secret_key=before, secret_key_before=""), FakeClock()) as late:
        number = add(late, "customer", name="late", code=seal(late, "written by a server not yet restarted"))
    again = rekey(folder, finish=True, environment={})
    assert (again.resealed, again.unreadable, again.finished) == (1, 0, True)
    assert key(folder, "secret_key_before") == ""
    assert before not in (folder / "config.yaml").read_text("utf-8")
    with opened(folder) as site:
        assert reveal(site, column(site, "customer", "code")[number]).startswith("written")
        with site.session(write=True) as session:
            session.connection.execute(
                sa.delete(session.table("customer")).where(session.table("customer").c.id == number)
            )
    readable(folder)
    with pytest.raises(Conflict):
        rekey(folder, finish=True, environment={})


def test_the_environment_holds_the_key(folder: Path) -> None:
    before, new = key(folder), new_secret()
    with pytest.raises(Conflict):
        rekey(folder, environment={"OCTAVO_SECRET_KEY": before})
    both = {"OCTAVO_SECRET_KEY": new, "OCTAVO_SECRET_KEY_BEFORE": before}
    assert rekey(folder, environment=both).resealed == 2 * COUNT
    assert key(folder) == before  # the file is the operator's, as the environment is
    with Site(load_settings(folder, {"OCTAVO_SECRET_KEY": new}), FakeClock()) as site:
        assert {reveal(site, v)[:4] for v in column(site, "customer", "code").values()} == {"code"}


def test_signs_everybody_out_when_asked(folder: Path) -> None:
    with opened(folder) as site, site.session(write=True) as session:
        create_token(session, 1, "t")
        row = {"token_hash": "x", "user_id": 1, "created_at": session.now, "seen_at": session.now}
        session.connection.execute(sa.insert(session_table).values(**row, expires_at=session.now))
    assert rekey(folder, environment={}).signed_out == 0
    assert rekey(folder, sign_out=True, environment={}).signed_out == 2
    with opened(folder) as site, site.session() as session:
        assert session.connection.scalar(sa.select(sa.func.count()).select_from(session_table)) == 0
        assert session.connection.scalar(sa.select(token_table.c.revoked_at)) is not None


def test_what_neither_key_opens_is_counted_and_stays(folder: Path) -> None:
    with opened(folder) as site:
        stranger = Site(replace(site.settings, secret_key=new_secret()), FakeClock())
        lost = seal(stranger, "from elsewhere")
        number = add(site, "customer", name="lost", code=lost)
        stranger.close()
    assert rekey(folder, environment={}).unreadable == 1
    with opened(folder) as site:
        assert column(site, "customer", "code")[number] == lost


KILLED = """
import os, signal, sys
from pathlib import Path
from runtime.security import rekey, secrets

secrets._BATCH = 7
left = int(sys.argv[2])

def step(*_):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

write = rekey.write_config

def written(*arguments):
    step()
    write(*arguments)
    step()

rekey.write_config = written
rekey.rekey(Path(sys.argv[1]), finish=sys.argv[3] == "finish", progress=step, environment={})
"""


@pytest.mark.promise("P03")
@pytest.mark.parametrize("what", ["start", "finish"])
def test_killed_at_every_step_it_goes_on(folder: Path, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_BATCH", 7)
    if what == "finish":
        rekey(folder, environment={})
    original, died = key(folder), 0
    for at in range(1, 40):
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(folder), str(at), what], cwd=ROOT, capture_output=True, check=False
        )
        readable(folder)
        if done.returncode == -9:
            died += 1
            if what == "finish" and not key(folder, "secret_key_before"):
                return  # the old key had left: nothing remains to finish
        else:
            assert done.returncode == 0, done.stderr.decode()
            break
    assert died >= 3
    if what == "start":
        assert key(folder, "secret_key_before") == original  # one new key, however often it was killed
    rekey(folder, finish=True, environment={})
    readable(folder)
