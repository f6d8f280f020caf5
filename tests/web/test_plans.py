"""How the database finds what the timeline and the search show: by indexes, however long the logs are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from runtime.site import Site
from tests.web.conftest import ENTITY, Browser

LOGS = ("audit", "stage_log", "ownership_log", "file", "approval_case", "approval_entry")


@pytest.fixture
def sent(site: Site) -> Iterator[list[tuple[str, Any]]]:
    """The statements that are sent, with their values."""
    found: list[tuple[str, Any]] = []

    def note(_conn: Any, _cursor: Any, text: str, values: Any, *_rest: Any) -> None:
        found.append((text, values))

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    yield found
    sa.event.remove(sa.Engine, "before_cursor_execute", note)


def scanned(site: Site, sent: list[tuple[str, Any]]) -> set[str]:
    """The tables that SQLite would read from end to end, whether along an index or not."""
    found: set[str] = set()
    with site.session() as session:
        for text, values in list(sent):
            if text.lstrip().upper().startswith(("SELECT", "WITH")):
                plan = session.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values)
                found.update(m.group(1) for row in plan if (m := re.match(r"SCAN (\w+)", row[-1])))
    return found


@pytest.mark.parametrize("query", ["", "?kind=changes", "?own=1"])
def test_the_timeline_reads_no_log_from_end_to_end(
    site: Site, admin: Browser, sent: list[tuple[str, Any]], query: str
) -> None:
    admin.get(f"/e/{ENTITY}/1/timeline{query}")
    sent.clear()
    assert admin.get(f"/e/{ENTITY}/1/timeline{query}").status_code == 200
    large = {*LOGS, "communication", "task", "contact", "opportunity", ENTITY}
    assert any("audit" in text for text, _ in sent)
    assert scanned(site, sent) & large == set()


def test_a_search_reads_no_table_from_end_to_end(site: Site, admin: Browser, sent: list[tuple[str, Any]]) -> None:
    for words in ("公司", "软件", "KH2026"):
        admin.get(f"/search?q={words}")
        sent.clear()
        assert admin.get(f"/search?q={words}").status_code == 200
        assert scanned(site, sent) & {"communication", "task", "contact", "opportunity", "lead", ENTITY} == set()
