"""What the source itself must not hold: shells, pickles, eval, addresses fetched, old libraries."""

from __future__ import annotations

import ast
import json
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from metadata.packages import load_texts, platform
from metadata.source import load_text
from runtime.publishing import publish
from runtime.settings import Settings, SettingsError, load_settings
from tests.attacks.conftest import Arena

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    p
    for part in ("rules", "metadata", "runtime", "web")
    for p in (ROOT / part).rglob("*.py")
    if "node_modules" not in p.parts
]
TREES = {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}


def called(tree: ast.AST) -> list[tuple[str, ast.Call]]:
    """(dotted name, call) of every call."""
    return [(ast.unparse(node.func), node) for node in ast.walk(tree) if isinstance(node, ast.Call)]


def imported(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {a.name.split(".")[0] for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.attack("N52", "N72", "T11")
def test_nothing_is_unpickled(arena: Arena) -> None:
    for path, tree in TREES.items():
        assert not imported(tree) & {"pickle", "cPickle", "dill", "marshal", "shelve", "jsonpickle", "cloudpickle"}, (
            path
        )
    from rq.serializers import JSONSerializer

    from runtime.jobs.relay import queue_of

    assert queue_of("redis://127.0.0.1:1/0").serializer is JSONSerializer


@pytest.mark.attack("N72", "T11")
def test_a_pickle_in_the_queue_is_refused() -> None:
    import pickle

    from redis import Redis
    from rq.job import Job
    from rq.serializers import JSONSerializer

    class Bomb:
        def __reduce__(self) -> Any:
            return (print, ("executed",))

    job = Job("x", connection=Redis(port=1), serializer=JSONSerializer)
    job.data = pickle.dumps(("os.system", None, (Bomb(),), {}))
    with pytest.raises(Exception) as refused:
        _ = job.args
    assert "unpickl" not in str(refused.value)


@pytest.mark.attack("N73", "N45", "N46")
def test_no_shell_and_no_evaluation_of_texts() -> None:
    for path, tree in TREES.items():
        for name, call in called(tree):
            assert name not in ("eval", "exec", "compile", "os.system", "os.popen", "__import__"), (path, call.lineno)
            assert not any(k.arg == "shell" and getattr(k.value, "value", True) for k in call.keywords), (
                path,
                call.lineno,
            )
    assert sorted(p for p, t in TREES.items() if "subprocess" in imported(t)) == sorted(
        {"runtime/backup.py", "web/build_assets.py"}
    ), "a new place that starts programs: their arguments may hold nothing that people write"


@pytest.mark.attack("N73")
def test_settings_name_no_program() -> None:
    names = {f.name for f in fields(Settings)}
    assert not [
        n for n in names if any(word in n for word in ("command", "program", "shell", "exec", "binary", "script"))
    ]


DOORS = ("runtime/messaging/calling.py", "runtime/messaging/deliver.py")


@pytest.mark.attack("N74", "N75", "N76", "N77", "T26")
def test_the_product_opens_addresses_through_one_door_alone(arena: Arena) -> None:
    """Webhooks and mails leave by the modules named in DOORS: they judge the address first (tests of the outbox)."""
    outward = {"urllib3", "requests", "httpx", "aiohttp", "smtplib", "ftplib", "weasyprint", "imaplib", "telnetlib"}
    for path, tree in TREES.items():
        if str(path).replace("\\", "/").endswith(DOORS):
            continue
        assert "http.client" not in ast.unparse(tree)
        assert not imported(tree) & outward, f"{path} opens addresses: it must go through one checked door"
        assert not [c for n, c in called(tree) if n.endswith(("urlopen", "urlretrieve", "create_connection"))], path


@pytest.mark.attack("N50", "N58", "N71", "N94", "N98", "N108", "N109", "T14", "T16")
@pytest.mark.parametrize(
    ("name", "least"),
    [("jinja2", "3.1.6"), ("werkzeug", "3.1.0"), ("flask", "3.1.0"), ("redis", "4.5.5"), ("simpleeval", "1.0.5"), ("pyyaml", "5.4"),
     ("sqlalchemy", "2.0"), ("nh3", "0.2.18"), ("cryptography", "44.0.1"), ("waitress", "3.0.1"), ("itsdangerous", "2.1")],
)  # fmt: skip
def test_libraries_are_newer_than_their_known_holes(name: str, least: str) -> None:
    assert Version(version(name)) >= Version(least)


@pytest.mark.attack("N49", "N51", "N53", "T14")
def test_no_text_of_people_becomes_a_template() -> None:
    """Templates come from the product's own folder; what people write is data in them."""
    for path, tree in TREES.items():
        for name, call in called(tree):
            assert not name.endswith(("render_template_string", "from_string", "Template")) or name == "sa.Template", (
                path,
                call.lineno,
            )
    raw = {
        t.name for t in (ROOT / "web" / "templates").rglob("*.html") if "|safe" in t.read_text("utf-8").replace(" ", "")
    }
    assert raw <= {"history.html", "section.html", "cell.html"}, (
        "only what a widget made, which escapes, goes in as it is"
    )


@pytest.mark.attack("N43", "N40", "N37")
def test_statements_are_not_put_together_from_values() -> None:
    """`text()` and driver SQL take constants, or names quoted by the dialect."""
    allowed = ("runtime/schema/", "runtime/query/", "runtime/database.py", "runtime/backup.py", "runtime/commands/", "runtime/records/",
               "runtime/numbering.py", "runtime/publishing/", "runtime/site.py", "runtime/statements.py")  # fmt: skip
    for path, tree in TREES.items():
        if path.startswith(allowed):
            continue
        for name, call in called(tree):
            if name.endswith((".text", "exec_driver_sql")) and name.split(".")[0] in ("sa", "connection", "session"):
                assert isinstance(call.args[0], ast.Constant), (path, call.lineno)


@pytest.mark.attack("N71", "T15", "N98")
@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x]\nb: *a", "a: &a {b: 1}\nc: {<<: *a}", "x: !!python/object/apply:os.system ['true']", "x: !!python/name:os.system",
        "x: !ruby/object y", "[" * 100_000, "{a: " * 100_000, "a: 1\na: 2", "a:\n\t- b", "a: \x00", "a: " + "9" * 5000, "- " * 60 + "x",
        "a: 'x\n", "%YAML 9.9\n---\na: 1", "? [a, b]\n: c", "a: !!binary aGVsbG8=", "\ufeffa: [", "a: 2026-02-30", "a: 0o99",
    ],
)  # fmt: skip
def test_yaml_that_hurts_is_an_error_with_a_line(text: str) -> None:
    documents, problems = load_text(
        f"entity: thing\nfields:\n  {text}\n" if not text.startswith("%") else text, "site.yaml"
    )
    compiled = publish.check([platform(), load_texts({"site.yaml": f"entity: thing\nfields: {text}\n"}, "site")])
    assert compiled.errors, (documents, problems)
    assert all(p.place.line >= 1 for p in compiled.errors if p.place is not None)


@pytest.mark.attack("N93", "N24")
@pytest.mark.parametrize("key", ["", "short", "changeme", "a" * 64, "octavo", "development"])
def test_a_weak_key_does_not_start(tmp_path: Path, key: str) -> None:
    (tmp_path / "config.yaml").write_text(json.dumps({"secret_key": key}))
    with pytest.raises(SettingsError):
        load_settings(tmp_path, {})
    (tmp_path / "config.yaml").write_text(json.dumps({"secret_key": "k3y" * 20 + "abcdefg", "debug": True}))
    with pytest.raises(SettingsError):  # there is no such setting: a debugger cannot be switched on
        load_settings(tmp_path, {})


@pytest.mark.attack("N93", "N94")
def test_no_debugger_is_ever_on(arena: Arena) -> None:
    assert arena.app.debug is False
    for path, tree in TREES.items():
        for name, call in called(tree):
            assert (
                not any(k.arg in ("debug", "use_debugger", "use_reloader") for k in call.keywords) or "log" in name
            ), (path, call.lineno)


@pytest.mark.attack("T4", "T2", "T3")
def test_isolation_is_the_one_the_guards_are_written_for(arena: Arena) -> None:
    """No SERIALIZABLE without a retry: guarded updates and row locks carry correctness."""
    text = "\n".join(p.read_text(encoding="utf-8") for p in SOURCES)
    assert "SERIALIZABLE" not in text
    assert "BEGIN IMMEDIATE" in text


@pytest.mark.attack("T5", "T6")
@pytest.mark.parametrize("arena", ["sqlite"], indirect=True)
def test_sqlite_writes_what_it_acknowledges(arena: Arena) -> None:
    with arena.site.session() as session:
        assert session.connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
        assert session.connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert session.connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
