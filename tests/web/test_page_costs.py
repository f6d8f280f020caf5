"""What each kind of page costs: statements that do not grow with the rows, whatever the page."""

from __future__ import annotations

import pytest

from runtime.query.search import search
from runtime.site import Site
from tests.web.conftest import ENTITY, Browser
from tests.web.test_statements import warmed

MOST = 30  # of the largest page
KINDS = (
    "/", f"/e/{ENTITY}/new", f"/e/{ENTITY}/1/edit", "/e/opportunity/1", "/e/opportunity/1/edit", f"/e/{ENTITY}/import",
    f"/e/{ENTITY}/query?where=owner==user", "/reports/sales_funnel", "/inbox", "/notifications", "/runs", "/recycle-bin",
    "/profile", "/search?q=公司",
)  # fmt: skip


@pytest.mark.parametrize("address", KINDS)
def test_no_kind_of_page_takes_more_than_thirty_statements(
    site: Site, admin: Browser, statements: list[str], address: str
) -> None:
    assert warmed(site, admin, address, statements) <= MOST, statements


def test_searching_takes_as_many_statements_however_many_entities_there_are(
    site: Site, admin: Browser, statements: list[str]
) -> None:
    with site.session() as session:
        entities = [e.name for e in session.app.entities.values() if e.search and not e.retired]
        found = search(session, "公司", limit=12)
    assert len(entities) > 10
    assert {hit.entity for hit in found} > {ENTITY}
    nothing = warmed(site, admin, "/search?q=没有这样的东西", statements)
    something = warmed(site, admin, "/search?q=公司", statements)
    assert nothing <= 5, statements
    titles, second = 1, 2  # second lines of each kind that was found, with the links among them
    assert something <= nothing + titles + second * len({hit.entity for hit in found}), statements


@pytest.mark.parametrize("entity", [ENTITY, "opportunity", "task", "communication"])
def test_lists_take_as_many_statements_for_fifty_rows_as_for_one(
    site: Site, admin: Browser, statements: list[str], entity: str
) -> None:
    with site.session() as session:
        table = session.table(entity)
        ids = [row.id for row in session.connection.execute(table.select().order_by(table.c.id).limit(50))]
    assert len(ids) == 50
    taken = []
    for most in (1, 3, 50):
        wanted = ",".join(map(str, ids[:most]))
        taken.append(warmed(site, admin, f"/e/{entity}?where=id+in+({wanted},)", statements))
    highlights = 1 if site.application().list_for(entity).highlight else 0
    assert len(set(taken)) == 1, taken
    assert taken[0] - highlights <= 4, statements
