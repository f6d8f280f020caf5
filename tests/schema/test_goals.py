"""What an entity's tables should look like is worked out again when it stores something else, and only then."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from metadata.model import Application
from runtime.schema import goals
from runtime.schema.goals import Goals
from runtime.schema.inspect import wanted_table
from runtime.schema.tables import Tables
from tests.metadata.kit import VISIT, compiled

OTHER = "---\nentity: trip\nfields:\n  visit: {type: link, to: visit}\n  place: text\n"
DIALECT = sa.create_engine("sqlite://").dialect


def application(text: str) -> Application:
    found = compiled(text)
    assert not found.errors
    assert found.application is not None
    return found.application


def described(app: Application) -> tuple[Goals, Tables]:
    tables = Tables(app, "sqlite")
    return Goals(tables, DIALECT), tables


@pytest.fixture(autouse=True)
def forgotten() -> None:
    goals._known.clear()


def test_only_what_stores_something_else_is_worked_out_again() -> None:
    described(application(VISIT + OTHER))
    more = application(VISIT + "  remark: {type: text, max: 50}\n" + OTHER)
    found, tables = described(more)
    assert set(tables._tables) == {"visit"}
    assert "remark" in found.tables["visit"].columns


@pytest.mark.parametrize(
    "changed",
    [
        VISIT.replace("scale: 1", "scale: 3") + OTHER,
        VISIT.replace("required: true", "unique: true") + OTHER,
        VISIT.replace("required: true", "index: true") + OTHER,
        VISIT + OTHER.replace("place: text", "place: date"),
        VISIT + OTHER.replace("to: visit", "to: visit, on_delete: cascade"),
        VISIT + "list: trip\ncolumns: [visit, place]\nsort: place\n".join(["---\n", ""]) + OTHER,
    ],
)
def test_what_is_remembered_is_what_would_be_worked_out(changed: str) -> None:
    described(application(VISIT + OTHER))
    app = application(changed)
    found, _ = described(app)
    fresh = Tables(app, "sqlite")
    for table in fresh.metadata.tables.values():
        assert found.tables[table.name] == wanted_table(table, DIALECT), table.name


def test_a_definition_can_be_made_with_what_it_points_to() -> None:
    described(application(VISIT + OTHER))
    found, _ = described(application(VISIT + OTHER))
    engine = sa.create_engine("sqlite://")
    table = found.definition("trip")
    table.metadata.create_all(engine)
    assert set(sa.inspect(engine).get_table_names()) >= {"trip", "visit"}
