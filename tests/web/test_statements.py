"""How many SQL statements a page takes: a few, whatever the number of rows."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from runtime.query import search
from runtime.site import Site
from tests.web.conftest import ENTITY, Browser
from web.pages import search as search_page


def warmed(site: Site, browser: Browser, address: str, statements: list[str]) -> int:
    """The statements of a request with filled caches: the fewest of five, for who is who is read anew each half second.

    `statements` then holds those of that request.
    """
    assert browser.get(address).status_code == 200
    fewest: list[str] | None = None
    for _ in range(5):
        statements.clear()
        assert browser.get(address).status_code == 200
        fewest = list(statements) if fewest is None or len(statements) < len(fewest) else fewest
    statements[:] = fewest or []
    return len(statements)


def numbers(site: Site, most: int) -> str:
    with site.session() as session:
        table = session.table(ENTITY)
        rows = session.connection.execute(table.select().order_by(table.c.id).limit(most)).all()
    return ", ".join(str(row.id) for row in rows)


@pytest.mark.promise("P19")
@pytest.mark.parametrize("rows", [1, 3, 50])
def test_a_list_takes_the_same_few_statements(
    site: Site, admin: Browser, statements: list[str], rows: int, record_property: pytest.FixtureRequest
) -> None:
    ids = numbers(site, rows)
    address = f"/e/{ENTITY}?where=id+in+({ids.replace(', ', ',')},)"
    plain = warmed(site, admin, address, statements)
    highlights = 1 if site.application().list_for(ENTITY).highlight else 0  # one statement for all of them
    assert plain - highlights <= 4, statements


@pytest.mark.parametrize("address", [f"/e/{ENTITY}/1", f"/e/{ENTITY}/4"])
def test_a_record_takes_few_statements(site: Site, admin: Browser, statements: list[str], address: str) -> None:
    lines = 4  # grids of lines are read one by one, two statements each at most
    several = 1  # a grid whose lines hold several choices reads those of all lines by one more
    rules = 5  # the record as rules see it, and what each kind of rule wants to know of it
    conditions = 2  # the record as its tabs and sections ask for it
    assert warmed(site, admin, address, statements) <= 4 + 2 * lines + several + rules + conditions, statements


def test_a_related_list_takes_few_statements(site: Site, admin: Browser, statements: list[str]) -> None:
    assert warmed(site, admin, f"/e/{ENTITY}/1/related/contacts", statements) <= 5, statements


def test_a_search_that_finds_every_kind_takes_few_statements(
    site: Site, admin: Browser, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hit of every kind, as if one word stood in all of them: titles in one statement, second lines in one a kind."""
    there = {}
    with site.session(1) as session:
        for entity in (e.name for e in session.app.entities.values() if e.search and not e.retired):
            number = session.connection.scalar(sa.select(sa.func.min(session.table(entity).c.id)))
            if number is not None:
                there[entity] = [number]
    real = search._found

    def everywhere(*given: object) -> dict[str, list[int]]:
        real(*given)  # type: ignore[arg-type]
        return there

    monkeypatch.setattr(search, "_found", everywhere)
    assert len(there) > 20
    count = warmed(site, admin, "/search?q=公司", statements)
    assert sum(" AS title" in text for text in statements) == 1, statements
    assert count <= search_page.MOST_SECOND + 6, statements
    assert search_page.MOST_SECOND + 6 <= 30
