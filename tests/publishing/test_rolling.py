"""A rolling upgrade: servers of the program before and after it on one database, under load."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from runtime.bootstrap import init_site
from runtime.security.tokens import create_token
from runtime.settings import throwaway_settings, write_settings
from runtime.site import Site
from tests.bench.servers import running
from tests.databases import WHOLE, database_of

ROOT = Path(__file__).resolve().parents[2]
CODE = ("metadata", "rules", "runtime", "web", "entities", "layouts", "data")


@pytest.fixture(params=["sqlite", *(["postgresql"] if WHOLE else [])])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    folder = tmp_path / "site"
    with database_of(request.param, tmp_path) as url:
        where = "" if request.param == "sqlite" else url
        settings = throwaway_settings(folder, database_url=where, busy_timeout_seconds=60)  # however slow the machine
        folder.mkdir()
        write_settings(settings)
        with init_site(folder, settings=settings).site as made:
            yield made


def patch(file: Path, before: str, after: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after, 1), encoding="utf-8")


def newer(folder: Path) -> Path:
    """The program as its next version might be: more in its own tables, in the platform, the stock, the language."""
    for name in CODE:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
    patch(
        next((folder / "entities").rglob("customer.yaml")), "\nfields:\n", "\nfields:\n  motto: {type: text, max: 50}\n"
    )
    patch(folder / "metadata" / "platform" / "people.yaml", "\nfields:\n", "\nfields:\n  nickname: {type: text}\n")
    internal = folder / "runtime" / "schema" / "internal.py"
    patch(
        internal,
        '    sa.Column("value", Text()),\n',
        '    sa.Column("value", Text()),\n    sa.Column("why", Text()),\n',
    )
    kind = folder / "metadata" / "kinds" / "entity.py"
    patch(kind, '    word = "entity"\n', '    word = "entity"\n    slogan = text(zh="口号", en="slogan")\n')
    return folder


class Load:
    """Reads and creates customers on every server until told to stop; counts what was answered."""

    def __init__(self, token: str) -> None:
        self.token, self.answers = token, Counter[tuple[str, int]]()
        self._stop, self._threads, self._made = threading.Event(), [], 0

    def on(self, name: str, port: int) -> None:
        thread = threading.Thread(target=self._run, args=(name, port), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _run(self, name: str, port: int) -> None:
        count = 0
        while not self._stop.wait(0.02):
            count += 1
            body = json.dumps({"name": f"{name} {count}"}).encode() if count % 2 else None
            self.answers[name, ask(port, self.token, body)] += 1

    def more(self, *names: str, count: int = 10) -> None:
        """Waits until each of these servers has answered so many more requests."""
        before = self.total()
        ends = time.monotonic() + 60
        while any(self.total()[name] < before[name] + count for name in names):
            assert time.monotonic() < ends, self.answers
            time.sleep(0.05)

    def total(self) -> Counter[str]:
        found = Counter[str]()
        for (name, _), number in list(self.answers.items()):
            found[name] += number
        return found

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)


def ask(port: int, token: str, body: bytes | None = None, path: str = "/api/v1/customer") -> int:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        print(error.code, error.read().decode())  # shown where the test fails
        return error.code


def octavo(code: Path, site: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "web.cli", "--site", str(site), *arguments]
    done = subprocess.run(command, cwd=code, env=environment(code), capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()


def environment(code: Path) -> dict[str, str]:
    return {"PYTHONPATH": str(code), "PYTHONDONTWRITEBYTECODE": "1", "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}


@pytest.mark.slow
@pytest.mark.promise("P13")
def test_old_and_new_serve_together(site: Site, tmp_path: Path) -> None:
    with site.session(write=True) as session:
        token = create_token(session, 1, "load")
    code = newer(tmp_path / "newer")
    load = Load(token)

    def serve(stack: ExitStack, of: Path) -> int:
        command = [sys.executable, "-m", "web.cli", "--site", str(site.folder), "serve", "--port", "{port}"]
        opened = running([*command, "--workers", "1"], environment(of), tmp_path / "server.log", folder=of)
        return stack.enter_context(opened)[0]

    with ExitStack() as stack:
        old = serve(stack, ROOT)
        load.on("old", old)
        new = serve(stack, code)  # the new program on what the old one has published
        load.on("new", new)
        load.more("old", "new")
        octavo(code, site.folder, "publish", "--yes")
        with ExitStack() as again:  # the old program can be gone back to
            load.on("again", serve(again, ROOT))
            load.more("old", "new", "again")
            load.stop()
        assert {status for _, status in load.answers} == {200, 201}, (load.answers, log(tmp_path))
        assert site.refresh().number == 2
        with site.session() as session:
            written = session.connection.exec_driver_sql("SELECT count(*) FROM customer").scalar()
            assert written == sum(n for (_, status), n in load.answers.items() if status == 201)
        # Once the documents say what the old program does not know, it serves no longer and says why; the new one does.
        more = site.settings.metadata_folder
        more.mkdir(exist_ok=True)
        (more / "word.yaml").write_text("entity: word\nslogan: all new\nfields: {name: text}\n", encoding="utf-8")
        octavo(code, site.folder, "publish", "--yes")
        answers = {}
        for name, port in (("old", old), ("new", new)):
            for _ in range(100):
                answers[name] = ask(port, token)
                if answers[name] != 200 or name == "new":
                    break
        assert answers == {"old": 503, "new": 200}, log(tmp_path)
        assert ask(old, token, path="/readyz") == 503
        assert "Traceback" not in log(tmp_path)


def log(folder: Path) -> str:
    return (folder / "server.log").read_text(errors="replace")[-4000:]
