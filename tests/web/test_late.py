"""Pages that are imported when they are first asked for: their routes as read from the source are those they register."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.exceptions import NotFound

from web import late, pages

MODULES = [*(f"web.pages.{name}" for name in pages.PAGES), "web.account.profile"]


@pytest.mark.parametrize("module", MODULES)
def test_what_is_read_is_what_the_page_registers(module: str) -> None:
    assert late.routes(module) is not None, f"web.late cannot read the routes of {module}: it is imported at each start"
    found = []
    for blueprint in (late.blueprint(module), importlib.import_module(module).blueprint):
        app = Flask(__name__, static_folder=None)
        app.register_blueprint(blueprint)
        found.append({(r.rule, r.endpoint, frozenset(r.methods or ())) for r in app.url_map.iter_rules()})
    assert found[0] == found[1]


def test_every_page_is_listed() -> None:
    folder = Path(pages.__file__).parent
    with_routes = {p.stem for p in folder.glob("*.py") if "Blueprint(" in p.read_text(encoding="utf-8")} - {"__init__"}
    assert with_routes == set(pages.PAGES)


def test_a_page_written_in_another_way_is_imported_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "from flask import Blueprint\n"
        'blueprint = Blueprint("odd", __name__)\n'
        '@blueprint.get("/odd", endpoint="other")\n'
        'def view() -> str:\n    return "odd"\n'
    )
    (tmp_path / "odd_page.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert late.routes("odd_page") is None
    app = Flask(__name__, static_folder=None)
    app.register_blueprint(late.blueprint("odd_page"))
    assert app.test_client().get("/odd").text == "odd"
    assert "odd.other" in app.view_functions


def test_a_view_is_imported_once_and_raises_as_it_is() -> None:
    view = late.Late("flask", "abort")
    assert (view.__module__, view.__name__) == ("flask", "abort")
    with pytest.raises(NotFound):
        view(404)
