"""Each command on a site of its own: what it says, what it does, how it ends."""

from __future__ import annotations

import io
import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import PASSWORD, Octavo
from web.cli import COMMANDS


def test_help_names_every_command_in_both_languages(octavo: Octavo, monkeypatch: pytest.MonkeyPatch) -> None:
    english = octavo("--help").out
    assert all(f"  {name} " in english for name in COMMANDS)
    monkeypatch.setenv("OCTAVO_LANG", "zh_CN.UTF-8")
    assert "备份" in octavo("--help").out


@pytest.mark.parametrize("name", list(COMMANDS))
def test_each_command_explains_itself(octavo: Octavo, name: str) -> None:
    ran = octavo(name, "--help")
    assert ran.code == 0
    assert "Usage: octavo" in ran.out
    assert "¦" not in ran.out


def test_wrong_usage_ends_with_two(octavo: Octavo) -> None:
    assert octavo("nothing").code == 2
    assert octavo("rollback", "soon").code == 2
    assert octavo("check", "/no/such/folder").code == 2


def test_without_a_site_one_sentence_says_what_to_do(octavo: Octavo) -> None:
    for command in (["versions"], ["doctor"], ["query", "user"], ["publish"], ["serve"]):
        ran = octavo(*command)
        assert ran.code == 1
        assert "octavo init" in ran.err
        assert ran.err.count("\n") == 1


def test_init_is_complete_private_and_can_be_run_again(octavo: Octavo, tmp_path: Path) -> None:
    folder = tmp_path / "fresh"
    first = octavo("--json", "init", folder)
    assert first.json["version"] == 1
    assert len(first.json["password"]) >= 12
    assert stat.S_IMODE((folder / "config.yaml").stat().st_mode) == 0o600
    again = octavo("--json", "init", folder, "--if-missing")
    assert (again.code, again.json["password"], again.json["version"]) == (0, None, 1)
    assert octavo("--site", folder, "-q", "init", "--if-missing").out == ""


def test_check_of_the_stock_application_is_clean(octavo: Octavo) -> None:
    ran = octavo("check")
    assert ran.code == 0, ran.out
    assert "0 errors" in ran.out


def test_check_says_where_and_what(octavo: Octavo, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "a.yaml").write_text("entity: thing\ntitle: name\nfields:\n  name: {type: texxt}\n", encoding="utf-8")
    text = octavo("check", folder)
    assert text.code == 1
    assert "a.yaml:4:" in text.out
    found = octavo("check", folder, "--format", "json").json
    assert found[0]["severity"] == "error"
    sarif = octavo("check", folder, "--format", "sarif").json
    assert sarif["runs"][0]["results"]


def test_publish_plan_pull_versions_rollback(octavo: Octavo, site: Path) -> None:
    assert octavo("publish", "--yes").code == 0
    file = site / "metadata" / "extra.yaml"
    file.write_text("entity: visit\ntitle: name\nfields:\n  name: text\n", encoding="utf-8")
    planned = octavo("--json", "plan")
    assert planned.code == 0
    assert any(s["kind"] == "CreateTable" for s in planned.json["steps"])
    published = octavo("--json", "publish", "--yes", "--note", "visits")
    assert published.json == {"version": 2, "changed": True}
    assert octavo("--json", "publish", "--yes").json == {"version": 2, "changed": False}
    assert [v["number"] for v in octavo("--json", "versions").json] == [2, 1]
    assert octavo("--json", "rollback", 1, "--yes").json == {"version": 3}
    octavo("pull")
    assert not file.exists()
    assert octavo("rollback", 99).code == 1
    listed = octavo("--json", "purge-retired").json
    assert [(r["entity"], r["field"], r["values"]) for r in listed] == [("visit", "", 0)]
    assert octavo("purge-retired", "customer", "--yes").code == 1
    assert octavo("purge-retired", "--yes").code == 0
    assert octavo("purge-retired").out.strip() == "Nothing retired lies aside."


def test_records_with_their_lines_in_one_sheet(octavo: Octavo, site: Path, tmp_path: Path) -> None:
    file = _csv(tmp_path, "name,lines.item,lines/quantity\nFirst,a,2\n,b,3\nSecond,c,1\n")
    dry = octavo("--json", "import", "deal", file, "--match", "name", "--dry-run")
    ran = octavo("--json", "import", "deal", file, "--match", "name")
    assert (dry.json["created"], dry.json["lines"]) == (ran.json["created"], ran.json["lines"])
    assert (ran.code, ran.json["created"], ran.json["lines"]["created"]) == (0, 2, 3)
    more = _csv(tmp_path, "name,lines.item,lines/quantity\nFirst,a,2\n,b,4\n,d,1\n")
    told = octavo("import", "deal", more, "--match", "name")
    assert "1 created, 1 updated, 0 removed" in told.out


def test_publishing_errors_changes_nothing(octavo: Octavo, site: Path) -> None:
    (site / "metadata" / "bad.yaml").write_text("entity: bad\nfields:\n  x: {type: nothing}\n", encoding="utf-8")
    ran = octavo("publish", "--yes")
    assert ran.code == 1
    assert "bad.yaml:3" in ran.out
    assert len(octavo("--json", "versions").json) == 1


def test_what_endangers_data_asks_first(octavo: Octavo, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    world = site / "metadata" / "world.yaml"
    octavo("import", "memo", _csv(site, "text\nkeep me\n"))
    world.write_text(world.read_text("utf-8").replace("text: {type: text, required: true}", "text: integer"), "utf-8")
    ran = octavo("publish")
    assert ran.code == 1
    assert "--yes" in ran.err
    assert octavo("publish", "--yes").code == 0


def _csv(folder: Path, text: str) -> Path:
    path = folder / "in.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_import_export_query_report(octavo: Octavo, site: Path, tmp_path: Path) -> None:
    file = _csv(tmp_path, "name,employees,born\nFirst,3,2026-01-05\nSecond,minus,\nThird,5,2026-01-09\n")
    dry = octavo("--json", "import", "account", file, "--dry-run")
    assert dry.json["created"] == 2
    assert octavo("--json", "query", "account").json == []
    ran = octavo("--json", "import", "account", file)
    assert (ran.code, ran.json["created"], ran.json["rejected"]) == (1, 2, 1)
    assert "Second" in Path(ran.json["rejects"]).read_text("utf-8-sig")
    again = octavo("--json", "import", "account", file)
    assert len(octavo("--json", "query", "account").json) == 2, again.out
    rows = octavo("--json", "query", "account", "--where", "employees > 3", "--select", "name,born").json
    assert [(r["name"], r["born"]) for r in rows] == [("Third", "2026-01-09")]
    assert "Third" in octavo("query", "account", "--sort", "-name").out.splitlines()[1]
    for kind in ("csv", "xlsx", "json"):
        target = tmp_path / f"out.{kind}"
        assert octavo("--json", "export", "account", target).json["rows"] == 2
        assert target.stat().st_size > 20
    report = octavo("--json", "report", "by_stage", "period=2026").json
    assert report["totals"][0]["values"]["accounts"] == 2
    assert "Total" in octavo("report", "by_stage").out
    assert octavo("--json", "report", "by_stage", "--to", tmp_path / "r.xlsx").json["rows"] == 1
    assert octavo("report", "by_stage", "period").code == 2
    assert octavo("report", "by_stage", "period=soon").code == 1
    assert octavo("query", "account", "--where", "nothing == 1").code == 1
    assert octavo("query", "nothing").code == 1
    assert octavo("import", "account", tmp_path / "none.csv").code == 2
    assert octavo("export", "account", tmp_path / "out.odd").code == 1


def test_explain_and_eval(octavo: Octavo, site: Path, tmp_path: Path) -> None:
    octavo("import", "account", _csv(tmp_path, "name,revenue,cost\nOne,10,4\n"))
    assert octavo("eval", "account", 1, "revenue - cost").out == "6.0000\n"
    assert octavo("--json", "eval", "account", 1, "name == 'One'").json["value"] is True
    assert octavo("eval", "account", 1, "nothing").code == 1
    assert octavo("eval", "account", 99, "name").code == 1
    told = octavo("explain", "formula", "account", 1, "profit").out
    assert "revenue - cost" in told
    assert octavo("explain", "formula", "account", 1, "nothing").code == 2
    assert "read" in octavo("explain", "access", "account", 1, "--user", "admin").out


def test_users_roles_tokens(octavo: Octavo, site: Path) -> None:
    made = octavo("--json", "user", "add", "ann", "--role", "rep", "--name", "Ann")
    assert made.code == 0, made.err
    assert made.json["password"]
    assert octavo("--json", "user", "role", "ann", "--add", "boss", "--remove", "rep").json["roles"] == ["boss"]
    assert octavo("user", "role", "ann", "--add", "king").code == 1
    assert octavo("user", "role", "ann").code == 2
    assert octavo("user", "add", "ann").code == 1
    assert octavo("--json", "user", "password", "ann", "--password", "another password").json["password"] is None
    assert {p["login"] for p in octavo("--json", "user", "list").json} == {"admin", "ann"}
    token = octavo("--json", "token", "create", "ann").json["token"]
    assert token.startswith("oct_")
    listed = octavo("--json", "token", "list", "ann").json
    assert token not in str(listed)
    assert octavo("token", "revoke", "ann", listed[0]["id"]).code == 0
    assert octavo("--json", "token", "list", "ann").json == []
    assert octavo("token", "create", "nobody").code == 1


def test_backup_and_restore_bring_everything_back(octavo: Octavo, site: Path, tmp_path: Path) -> None:
    octavo("import", "account", _csv(tmp_path, "name\nKept\n"))
    file = tmp_path / "b" / "site.backup"
    assert octavo("--json", "backup", file).code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    octavo("import", "account", _csv(tmp_path, "name\nLater\n"))
    assert octavo("restore", file).code == 1  # there is a site
    assert octavo("--site", tmp_path / "other", "restore", file).code == 0
    assert [r["name"] for r in octavo("--site", tmp_path / "other", "--json", "query", "account").json] == ["Kept"]
    assert octavo("restore", file, "--yes").code == 0
    assert [r["name"] for r in octavo("--json", "query", "account").json] == ["Kept"]
    assert (tmp_path / "site.before-1").is_dir()
    assert octavo("doctor").code == 0
    assert octavo("restore", _csv(tmp_path, "no backup"), "--yes").code == 1


@pytest.mark.attack("N59")
def test_a_backup_cannot_write_outside_its_folder(octavo: Octavo, site: Path, tmp_path: Path) -> None:
    file = tmp_path / "b.zip"
    octavo("backup", file)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("../../evil.txt", "x")
    assert octavo("--site", tmp_path / "deep" / "site", "restore", file).code == 1
    assert not list(tmp_path.rglob("evil.txt"))


def test_doctor_and_verify(octavo: Octavo, site: Path, tmp_path: Path) -> None:
    octavo("import", "account", _csv(tmp_path, "name,revenue,cost\nOne,10,4\n"))
    assert octavo("doctor").code == 0
    assert octavo("verify").code == 0
    import sqlite3

    with sqlite3.connect(site / "octavo.db") as connection:
        connection.execute("UPDATE account SET profit = 1")
    connection.close()
    drifted = octavo("--json", "verify")
    assert (drifted.code, drifted.json["drift"][0]["field"]) == (1, "profit")
    assert octavo("verify", "--repair").code == 0
    assert octavo("verify").code == 0
    (site / "config.yaml").chmod(0o644)
    assert "chmod 600" in octavo("doctor").out


def test_packages(octavo: Octavo, site: Path, tmp_path: Path) -> None:
    folder = tmp_path / "rent"
    assert octavo("package", "new", "rent", "--to", folder).code == 0
    assert octavo("package", "new", "Rent it").code == 2
    assert octavo("package", "check", folder).code == 0, octavo("package", "check", folder).out
    installed = octavo("--json", "package", "install", folder)
    assert installed.json == {"package": "rent", "package_version": "0.1.0", "version": 2}
    assert [p["Name ¦ 名称"] for p in octavo("--json", "package", "list").json] == ["rent"]
    assert octavo("--json", "query", "rent_item").json == []
    text = (folder / "package.yaml").read_text("utf-8")
    (folder / "package.yaml").write_text(text.replace("0.1.0", "0.2.0"), "utf-8")
    assert octavo("--json", "package", "upgrade", folder).json["package_version"] == "0.2.0"
    (folder / "entities" / "bad.yaml").write_text("entity: bad\nfields: {x: nothing}\n", "utf-8")
    assert octavo("package", "upgrade", folder).code == 1
    assert octavo("--json", "query", "rent_item").json == []
    assert not (site / "packages" / "rent" / "entities" / "bad.yaml").exists()
    exported = octavo("--json", "package", "export", "mine", "--to", tmp_path / "mine.zip")
    assert exported.code == 0
    removed = octavo("--json", "package", "remove", "rent", "--yes")
    assert removed.code == 0
    assert octavo("query", "rent_item").code == 1
    assert octavo("package", "remove", "rent").code == 1


@pytest.mark.attack("N57")
def test_a_package_of_data_brings_no_python(octavo: Octavo, site: Path, tmp_path: Path) -> None:
    folder = tmp_path / "evil"
    octavo("package", "new", "evil", "--to", folder)
    (folder / "rules").mkdir()
    (folder / "rules" / "functions.py").write_text("raise SystemExit\n")
    assert octavo("package", "install", folder).code == 1


def test_schemas(octavo: Octavo, tmp_path: Path) -> None:
    assert octavo("--json", "schema", "entity").json["type"] == "object"
    assert octavo("schema", "nothing").code == 2
    assert octavo("schema", "--to", tmp_path / "schemas").code == 0
    assert (tmp_path / "schemas" / "entity.schema.json").is_file()


def test_jobs(octavo: Octavo, site: Path) -> None:
    assert octavo("scheduler", "--once").code == 0
    assert octavo("worker", "--once").code == 0
    assert octavo("doctor").code == 0


def test_a_bug_is_one_sentence_and_a_place(octavo: Octavo, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("inside")

    monkeypatch.setattr("runtime.commands.people.list_users", broken)
    ran = octavo("--site", site, "user", "list")
    assert ran.code == 70
    assert "inside" not in ran.err
    assert "inside" in (site / "log" / "octavo-error.log").read_text("utf-8")


@pytest.mark.slow
def test_serve_answers_and_stops_when_told(site: Path, tmp_path: Path) -> None:
    import signal
    import socket
    import time
    import urllib.request

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "OCTAVO_SITE": str(site), "OCTAVO_LANG": "en"}
    command = [sys.executable, "-m", "web.cli", "serve", "--port", str(port)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        try:
            for _ in range(150):
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
                        body = answer.read()
                    break
                except OSError:
                    assert process.poll() is None, process.stderr and process.stderr.read()
                    time.sleep(0.1)
            assert b'"ready":true' in body
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) in (0, -signal.SIGTERM)


def test_the_password_given_at_init_signs_in(octavo: Octavo, site: Path) -> None:
    from runtime.security.sessions import sign_in
    from runtime.site import Site

    with Site.open(site) as opened:
        assert sign_in(opened, "admin", PASSWORD, "127.0.0.1")


def test_a_package_that_hides_ours_is_named(octavo: Octavo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "__init__.py").write_text("", encoding="utf-8")
    root = Path(__file__).resolve().parents[2]
    code = "import sys; from web.cli import run; sys.path.insert(0, sys.argv[1]); sys.exit(run(['versions']))"
    environment = {"PATH": "/usr/bin", "OCTAVO_LANG": "zh", "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=tmp_path, env=environment, capture_output=True, check=False
    )
    assert done.returncode == 1
    assert "rules" in done.stderr.decode()
    assert "遮住" in done.stderr.decode()
    assert octavo("versions").code == 1  # no site here, and nothing hidden
